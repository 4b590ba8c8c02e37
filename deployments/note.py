"""What is told of one request, or one photo of a job, once it has ended."""

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from deployments import tracing
from deployments.metrics import Photos

log = logging.getLogger("ray.serve")

_KEY = "note"


@dataclass(slots=True)
class Note:
    """Filled in by whoever learns something on the way. Nothing in it is about a person: no file's
    name, no address, no picture.
    """

    kind: str | None = None
    """photo, sheet, check, cutout, edit or job; None: no photo."""
    key_name: str | None = None
    """Whose request it is: the name of the API key."""
    document: str = "none"
    """As ``metrics.document`` has it."""
    code: str = "ok"
    """The outcome: ok, or the code of the error that the client was told."""
    timings: dict[str, float] = field(default_factory=dict)
    """Milliseconds of each stage."""


def open_in(scope: MutableMapping[str, Any], kind: str | None) -> Note:
    """A new note in the state of an ASGI scope, and of all copies that are made of it."""
    noted = Note(kind)
    scope["state"] = {**scope.get("state", {}), _KEY: noted}
    return noted


def of(scope: MutableMapping[str, Any]) -> Note:
    """The note of the request; one that nobody reads where none was opened."""
    noted = scope.get("state", {}).get(_KEY)
    return noted if isinstance(noted, Note) else Note()


def publish(noted: Note, photos: Photos, head: str, took_ms: float, request_id: str = "") -> None:
    """Tells the log, in one line that begins with ``head``, and of a photo also Prometheus and the
    current span.

    The line can be read as text; with Ray's encoding JSON each part has a field of its own.
    """
    stages = {f"{stage}_ms": round(stage_ms, 1) for stage, stage_ms in noted.timings.items()}
    parts: dict[str, Any] = {}
    if noted.key_name:
        parts["key"] = noted.key_name
    if noted.kind is not None:
        parts |= {"kind": noted.kind, "document": noted.document, "code": noted.code}
        photos.ended(noted.kind, noted.document, noted.code, noted.timings, took_ms)
        tracing.tell(request_id=request_id, **parts, **stages)
    elif noted.code != "ok":
        parts["code"] = noted.code
    parts |= stages
    if trace_id := tracing.trace_id():
        parts["trace_id"] = trace_id
    line = " ".join(
        [head, f"{took_ms:.1f} ms", *(f"{name}={value}" for name, value in parts.items())]
    )
    log.info(line, extra={**parts, "took_ms": round(took_ms, 1)})
