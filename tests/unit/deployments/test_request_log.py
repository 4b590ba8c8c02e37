"""The one line of each request, over a stand-in for all that is below."""

import asyncio
import logging
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from deployments import note, tracing
from deployments.metrics import Photos
from deployments.request_log import RequestLog

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class App:
    """Answers with this status, or raises this; what it learns goes into the note."""

    def __init__(self, outcome: int | BaseException, **learned: Any) -> None:
        self._outcome = outcome
        self._learned = learned
        self.carried: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # As the Guard does it, whose scope is a copy.
        noted = note.of({**scope, "state": {**scope.get("state", {})}})
        for name, value in self._learned.items():
            setattr(noted, name, value)
        self.carried = tracing.carried()
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        await send({"type": "http.response.start", "status": self._outcome, "headers": []})
        await send({"type": "http.response.body"})


def told(app: App, caplog: pytest.LogCaptureFixture, path: str, method: str = "POST") -> Any:
    """The records of the log, after one request."""
    raised = httpx.ASGITransport(RequestLog(app), raise_app_exceptions=False)

    async def ask() -> None:
        async with httpx.AsyncClient(transport=raised, base_url="http://photos.test") as client:
            await client.request(method, path, headers={"traceparent": PARENT})

    logging.getLogger("ray.serve").addHandler(caplog.handler)
    caplog.set_level(logging.INFO, "ray.serve")
    try:
        asyncio.run(ask())
    except asyncio.CancelledError:
        pass
    finally:
        logging.getLogger("ray.serve").removeHandler(caplog.handler)
    return [record for record in caplog.records if record.name == "ray.serve"]


@pytest.mark.parametrize(
    ("path", "app", "line"),
    [
        ("/v1/photos", App(200), "200 kind=photo document=none code=ok"),
        (
            "/v1/sheets",
            App(422, key_name="shop", document="us-passport", code="no_face"),
            "422 key=shop kind=sheet document=us-passport code=no_face",
        ),
        ("/v1/checks", App(499), "499 kind=check document=none code=client_left"),
        (
            "/v1/cutouts",
            App(asyncio.CancelledError()),
            "499 kind=cutout document=none code=client_left",
        ),
        ("/v1/photos", App(RuntimeError()), "500 kind=photo document=none code=internal_error"),
        (
            "/v1/photos",
            App(200, timings={"upload": 1.26}),
            "200 kind=photo document=none code=ok upload_ms=1.3",
        ),
        ("/v1/jobs", App(202, key_name="shop"), "202 key=shop"),
        ("/v1/jobs", App(404, code="unknown_job"), "404 code=unknown_job"),
        ("/healthz", App(200), None),
        ("/metrics", App(401), None),
    ],
)
def test_the_line(path: str, app: App, line: str | None, caplog: pytest.LogCaptureFixture) -> None:
    messages = {record.getMessage() for record in told(app, caplog, path)}
    if line is None:
        assert messages == set()
        return
    (message,) = messages
    status, _, parts = line.partition(" ")
    head, _, rest = message.partition(" ms")
    assert head.split()[:-1][-1] == status
    assert rest.strip() == parts


def test_each_part_has_a_field_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    app = App(200, key_name="shop", document="us-passport", timings={"matting": 180.04})
    record = told(app, caplog, "/v1/photos")[0]
    wanted = {"key": "shop", "kind": "photo", "document": "us-passport", "code": "ok"}
    assert wanted.items() <= record.__dict__.items()
    assert record.matting_ms == 180.0
    assert record.took_ms >= 0


def test_without_tracing_nothing_travels(caplog: pytest.LogCaptureFixture) -> None:
    app = App(200)
    records = told(app, caplog, "/v1/photos")
    assert "trace_id" not in records[0].__dict__
    assert app.carried == {}


def test_a_photo_outside_of_a_request_has_a_line_too(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("ray.serve").addHandler(caplog.handler)
    caplog.set_level(logging.INFO, "ray.serve")
    noted = note.Note("job", document="us-passport", code="no_face")
    note.publish(noted, Photos(), "photo 3 of job abc", 12.34)
    logging.getLogger("ray.serve").removeHandler(caplog.handler)
    assert caplog.messages[-1] == (
        "photo 3 of job abc 12.3 ms kind=job document=us-passport code=no_face"
    )
