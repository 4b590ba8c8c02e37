"""Requests as the clients of other services send them: several fields may hold the picture."""

import base64
import binascii
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from pydantic import BaseModel
from starlette.requests import Request

from deployments import note, uploads
from deployments.settings import Settings
from pipeline.edit_values import EditOrder
from pipeline.errors import BadOrder, UnreadableRequest
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import CutoutOrder, IdPhoto, Order

_MAX_FIELDS = 100
_FILE = {"type": "string", "format": "binary"}
_JSON = "application/json"
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


class Studio(Protocol):
    """What of the Gateway these interfaces need."""

    settings: Settings

    @property
    def places(self) -> tuple[int, int]: ...

    async def photos(
        self, data: bytes, order: Order, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]: ...

    async def sheet(
        self, data: bytes, order: SheetOrder, timings: dict[str, float]
    ) -> PrintSheet: ...

    async def cutouts(
        self, data: bytes, order: CutoutOrder, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]: ...

    async def edits(
        self, data: bytes, order: EditOrder, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]: ...

    def require_room(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Body:
    """What a request holds."""

    files: dict[str, bytes]
    fields: list[tuple[str, str]]
    """Parameters of the query and the form; those that are empty are left out."""
    timings: dict[str, float]
    """For the milliseconds of each step; has those of the upload."""


async def read(studio: Studio, request: Request, files: Sequence[str]) -> Body:
    """The request, where there is room for its photo; ``files`` names the fields of files.

    Raises Overloaded, PhotoTooLarge (``body_too_large``), UnreadableRequest (``bad_form``), and
    BadOrder for a file of another name, or one that is given twice.
    """
    studio.require_room()
    start = time.perf_counter()
    limit = studio.settings.max_body_bytes
    fields = list(request.query_params.multi_items())
    found: dict[str, bytes] = {}
    content_type = request.headers.get("content-type", "").lower()
    if content_type.startswith(_MULTIPART):
        parts, more = await uploads.form(request, limit, max_files=len(files) + 1)
        for name, data in parts:
            if name not in files:
                raise BadOrder("unknown_parameter", name=_shown(name))
            if name in found:
                raise BadOrder("bad_parameter", name=name, reason="it is given twice")
            found[name] = data
    elif content_type.startswith(_JSON):
        more = _of_json(await uploads.body(request, limit))
    elif content_type.startswith(_URLENCODED):
        more = _of_form(await uploads.body(request, limit))
    elif await uploads.body(request, limit):
        raise UnreadableRequest("bad_form", reason=f"It is none of {_MULTIPART}, {_URLENCODED}")
    else:
        more = []
    timings = note.of(request.scope).timings
    timings["upload"] = (time.perf_counter() - start) * 1000
    return Body(found, [(name, value) for name, value in fields + more if value], timings)


def taken(fields: Sequence[tuple[str, str]], name: str) -> tuple[str, list[tuple[str, str]]]:
    """The first value of the field, empty where there is none, and all other fields."""
    value = next((value for found, value in fields if found == name), "")
    return value, [(found, value) for found, value in fields if found != name]


def of_base64(text: str, name: str) -> bytes:
    """The bytes of base64, with or without the head of a ``data:`` URL. Raises BadOrder."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        # In URLs and forms that are not escaped a plus has become a space.
        return base64.b64decode("".join(text.replace(" ", "+").split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadOrder("bad_parameter", name=name, reason="it is no base64") from None


def takes(
    form: type[BaseModel], files: Sequence[str], *, others: Sequence[str] = ()
) -> dict[str, Any]:
    """OpenAPI of such a request; ``others`` are fields that hold text in the place of a file."""
    properties = form.model_json_schema()["properties"]
    fields = {**properties, **{name: {"type": "string"} for name in others}}
    multipart = {"type": "object", "properties": {**{name: _FILE for name in files}, **fields}}
    plain = {"type": "object", "properties": fields}
    content = {_MULTIPART: {"schema": multipart}}
    if others:
        content[_URLENCODED] = {"schema": plain}
    return {"openapi_extra": {"requestBody": {"required": True, "content": content}}}


def _of_json(data: bytes) -> list[tuple[str, str]]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise UnreadableRequest("bad_form", reason="It is no JSON") from None
    if not isinstance(found, dict):
        raise UnreadableRequest("bad_form", reason="The JSON is no object")
    fields = []
    for name, value in found.items():
        if isinstance(value, bool):
            value = str(value).lower()
        elif isinstance(value, dict | list):
            raise BadOrder("bad_parameter", name=_shown(name), reason="it takes one value")
        if value is not None:
            fields.append((name, str(value)))
    return fields


def _of_form(data: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        reason = f"It is no UTF-8, or has more than {_MAX_FIELDS} fields"
        raise UnreadableRequest("bad_form", reason=reason) from None


def _shown(text: str) -> str:
    return "".join(letter for letter in text[:60] if letter.isprintable())
