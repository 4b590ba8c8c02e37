"""Bodies that are encoded, or that do not come: the whole application over a stand-in."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from deployments import arrival, problems
from deployments.arrival import Arrival
from deployments.routes import build
from deployments.settings import Jobs, Settings
from pipeline.errors import UploadTooSlow

ROUTES = ("/v1/photos", "/v1/sheets", "/v1/cutouts", "/v1/checks", "/v1/jobs")
LIMIT_S = 60.0


class Studio:
    """As a Gateway that is never asked for a photo."""

    places = (16, 16)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def require_room(self) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(arrival, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "request_id", lambda: "a-request")


def scope_of(path: str, headers: Iterable[tuple[bytes, bytes]] = (), method: str = "POST") -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"document=cn-1-inch",
        "headers": [(b"host", b"photos.test"), *headers],
    }


def answered(
    settings: Settings, scope: Scope, receive: Receive
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers and problem document."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(build(Studio(settings))(scope, receive, send))  # type: ignore[arg-type]
    headers = {key.decode(): value.decode() for key, value in messages[0]["headers"]}
    return messages[0]["status"], headers, json.loads(messages[1]["body"])


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings(upload_s=0.01, jobs=Jobs(folder=tmp_path))


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("told", [b"gzip", b"GZip", b"identity, br"])
def test_an_encoded_body_is_refused_before_it_is_read(
    settings: Settings, path: str, told: bytes
) -> None:
    status, headers, problem = answered(
        settings, scope_of(path, [(b"content-encoding", told)]), never
    )
    assert (status, problem["code"]) == (415, "unsupported_encoding")
    assert told.decode().lower().rpartition(" ")[2] in problem["detail"]
    assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_that_does_not_come_is_given_up(settings: Settings, path: str) -> None:
    coming: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Message:
        return coming.pop() if coming else await never()

    headers_sent = [(b"content-type", b"image/jpeg"), (b"content-encoding", b"Identity")]
    status, headers, problem = answered(settings, scope_of(path, headers_sent), receive)
    assert (status, problem["code"]) == (408, "upload_too_slow")
    assert "0.01 seconds" in problem["detail"]
    assert headers["connection"] == "close"


def read(clock: Clock, path: str, pieces: Iterable[tuple[float, int]], method: str = "POST") -> int:
    """Bytes that the middleware lets through of pieces that each take so many seconds. After the
    body a minute is waited for the client's leaving.
    """
    coming = list(pieces)
    total = 0

    async def receive() -> Message:
        seconds, size = coming.pop(0) if coming else (LIMIT_S + 1, 0)
        clock.now_s += seconds
        await asyncio.sleep(0.001)
        if not coming and not size:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": bytes(size), "more_body": bool(coming)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal total
        while (message := await receive())["type"] == "http.request":
            total += len(message["body"])
            # The reader's own time, in which it writes to a disk.
            clock.now_s += LIMIT_S + 1

    async def send(message: Message) -> None:
        raise AssertionError("nothing is answered")

    asyncio.run(Arrival(app, LIMIT_S)(scope_of(path, method=method), receive, send))
    return total


LARGE = 65_536


@pytest.mark.parametrize(
    ("path", "pieces", "passes"),
    [
        ("/v1/photos", [(25, LARGE), (25, LARGE), (9, 1)], True),
        ("/v1/photos", [(25, LARGE), (25, LARGE), (25, LARGE), (1, 1)], False),
        ("/v1/photos", [(5, 1)] * 14, False),
        ("/v1/jobs", [(25, LARGE)] * 10, True),
        ("/under/v1/jobs/", [(25, LARGE // 2)] * 10, True),
        ("/v1/jobs", [(5, 1)] * 14, False),
    ],
)
def test_a_photo_has_its_time_and_a_job_as_long_as_it_gets_on(
    clock: Clock, path: str, pieces: list[tuple[float, int]], passes: bool
) -> None:
    if passes:
        assert read(clock, path, pieces) == sum(size for _, size in pieces)
    else:
        with pytest.raises(UploadTooSlow):
            read(clock, path, pieces)


def test_requests_without_an_upload_may_wait(clock: Clock) -> None:
    assert read(clock, "/v1/jobs/1/events", [(100, 1), (100, 1)], method="GET") == 2
