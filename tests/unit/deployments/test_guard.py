"""Who gets in, and what every answer says to browsers: the whole application over a stand-in."""

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deployments import access, guard, routes
from deployments.headers import ALWAYS
from deployments.settings import Key, Settings
from pipeline.errors import UnsupportedFormat
from pipeline.values import CutoutOrder, IdPhoto, Order, Report

KEY = access.make()
SHOP = Key(name="shop", sha256=access.digest(KEY), max_in_flight=1)
LOCKED = Settings(keys=(SHOP,))
HOST = "http://photos.test"
FRIEND = "https://friend.example"


class Studio:
    """Refuses every photo, or fails, or waits until it is told to go on."""

    places = (16, 16)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def photos(
        self, data: bytes, order: Order, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]:
        self.begun.set()
        await self.go_on.wait()
        if data == b"bug":
            raise RuntimeError("a bug")
        raise UnsupportedFormat("unsupported_format")

    async def checks(
        self, data: bytes, order: Order, as_is: bool, timings: dict[str, float]
    ) -> tuple[Report, ...]:
        raise NotImplementedError

    async def cutouts(
        self, data: bytes, order: CutoutOrder, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        """What else the routes ask of a Gateway says yes."""
        return lambda *_, **__: None

    async def ready(self) -> bool:
        return True


def client(studio: Studio) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(routes.build(studio), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=HOST)


def ask(
    settings: Settings, path: str, method: str = "GET", content: Any = None, **headers: str
) -> httpx.Response:
    async def run() -> httpx.Response:
        async with client(Studio(settings)) as http:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await http.request(method, path, content=content, headers=named)

    return asyncio.run(run())


def post(settings: Settings, **headers: str) -> httpx.Response:
    """A photo that is none: 415 is what it gets once it is let in."""
    return ask(settings, "/v1/photos?size_px=300x400", "POST", b"text", **headers)


def paths() -> Iterator[str]:
    for route in routes.build(Studio(LOCKED)).routes:
        yield str(getattr(route, "path", ""))


def test_only_what_is_named_is_open() -> None:
    found = {path.replace("{name}", "us-passport") for path in paths()}
    assert found >= {"/v1/photos", "/v1/documents", "/healthz", "/readyz", "/docs"}
    statuses = {path: ask(LOCKED, path).status_code for path in found}
    opened = {path for path, status in statuses.items() if status != 401}
    in_folders = {path for path in opened if f"{path}/".startswith(guard.OPEN_FOLDERS)}
    assert opened - in_folders <= guard.OPEN_PATHS
    assert opened >= {"/healthz", "/readyz", "/docs", "/openapi.json"}


@pytest.mark.parametrize(
    "path", ["/healthz/../v1/documents", "//healthz", "/healthz/", "/docs/x", "/nothing"]
)
def test_no_spelling_of_a_path_opens_another(path: str) -> None:
    assert guard.is_open({"type": "http", "path": path}) is False


def test_the_path_below_the_prefix_of_the_application_counts() -> None:
    assert guard.is_open({"type": "http", "path": "/id/healthz", "root_path": "/id"})
    assert not guard.is_open({"type": "http", "path": "/id/v1/photos", "root_path": "/id"})


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "key_missing"),
        ({"x_api_key": "wrong"}, 401, "key_unknown"),
        ({"x_api_key": KEY}, 415, "unsupported_format"),
        ({"authorization": f"Bearer {KEY}"}, 415, "unsupported_format"),
    ],
)
def test_photos_need_a_key(headers: dict[str, str], status: int, code: str) -> None:
    answer = post(LOCKED, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    challenge = answer.headers.get("www-authenticate", "")
    assert challenge.startswith("Bearer") == (status == 401)
    assert ("invalid_token" in challenge) == (code == "key_unknown")


def test_the_open_service_asks_for_none() -> None:
    assert post(Settings()).status_code == 415


def test_nothing_of_the_body_is_read_before_the_key() -> None:
    async def body() -> Any:
        raise AssertionError("the body was read")
        yield b""

    assert ask(LOCKED, "/v1/photos", "POST", body()).status_code == 401


def test_the_log_names_the_key_and_never_tells_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        post(LOCKED, x_api_key=KEY)
        post(LOCKED, x_api_key="idphoto_nobody")
    assert "key=shop" in caplog.text
    assert KEY not in caplog.text
    assert "nobody" not in caplog.text


def test_a_busy_key_is_asked_to_wait_and_gets_its_place_back() -> None:
    async def run() -> list[int | str]:
        studio = Studio(LOCKED)
        studio.go_on.clear()
        async with client(studio) as http:
            url, headers = "/v1/photos?size_px=300x400", {"X-Api-Key": KEY}
            first = asyncio.create_task(http.post(url, content=b"text", headers=headers))
            await studio.begun.wait()
            second = await http.post(url, content=b"text", headers=headers)
            reading = await http.get("/v1/documents/us-passport", headers=headers)
            studio.go_on.set()
            done = await first
            third = await http.post(url, content=b"text", headers=headers)
        assert second.json()["code"] == "key_busy"
        assert int(second.headers["retry-after"]) > 0
        return [answer.status_code for answer in (second, reading, done, third)]

    assert asyncio.run(run()) == [429, 200, 415, 415]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, 403),
        ({"origin": "http://other.photos.test", "sec_fetch_site": "same-site"}, 403),
        ({"origin": "null", "sec_fetch_site": "cross-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": HOST, "sec_fetch_site": "same-origin"}, 415),
        ({"origin": HOST}, 415),
        ({"origin": FRIEND, "sec_fetch_site": "cross-site"}, 415),
    ],
)
def test_foreign_pages_may_not_post(headers: dict[str, str], status: int) -> None:
    answer = post(Settings(allowed_origins=(FRIEND,)), **headers)
    assert answer.status_code == status


def preflight(settings: Settings, origin: str) -> httpx.Response:
    wants = {"access_control_request_method": "POST", "access_control_request_headers": "x-api-key"}
    return ask(settings, "/v1/photos", "OPTIONS", origin=origin, **wants)


def test_pages_of_other_origins_read_nothing_unless_named() -> None:
    allow = "access-control-allow-origin"
    named = Settings(keys=(SHOP,), allowed_origins=(FRIEND,))
    assert preflight(named, FRIEND).headers[allow] == FRIEND
    assert post(named, origin=FRIEND, x_api_key=KEY).headers[allow] == FRIEND
    assert allow in post(named, origin=FRIEND).headers  # a page may learn why it was refused
    assert allow not in preflight(named, "https://evil.example").headers
    assert allow not in preflight(Settings(), FRIEND).headers
    assert allow not in ask(Settings(), "/v1/documents", origin=FRIEND).headers


@pytest.mark.parametrize(
    ("settings", "headers", "accepted"),
    [
        (LOCKED, [], False),
        (LOCKED, [(b"x-api-key", KEY.encode())], True),
        (Settings(), [(b"origin", b"https://evil.example"), (b"host", b"photos.test")], False),
        (Settings(), [(b"origin", HOST.encode()), (b"host", b"photos.test")], True),
    ],
)
def test_a_websocket_is_asked_too(
    settings: Settings, headers: list[tuple[bytes, bytes]], accepted: bool
) -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept", "state": scope["state"]["key_name"]})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/v1/jobs/1/events", "headers": headers}
    asyncio.run(guard.Guard(app, settings)(scope, receive, send))
    assert [message["type"] for message in sent] == [
        "websocket.accept" if accepted else "websocket.close"
    ]
    assert not accepted or sent[0]["state"] == ("shop" if settings.keys else None)


@pytest.mark.parametrize(
    ("path", "method", "content", "status"),
    [
        ("/healthz", "GET", None, 200),
        ("/v1/documents/us-passport", "GET", None, 200),
        ("/v1/photos?size_px=300x400", "POST", b"text", 415),
        ("/v1/photos?size_px=300x400", "POST", b"bug", 500),
        ("/v1/photos", "DELETE", None, 405),
        ("/nothing", "GET", None, 404),
        ("/static-offline-docs/swagger-ui.css", "GET", None, 200),
    ],
)
def test_every_answer_has_the_security_headers(
    path: str, method: str, content: bytes | None, status: int
) -> None:
    answer = ask(Settings(), path, method, content)
    assert answer.status_code == status
    for name, value in ALWAYS.items():
        assert answer.headers.get_list(name) == [value]


def test_the_page_runs_its_own_scripts_and_no_other() -> None:
    page = ask(LOCKED, "/docs")
    policy = page.headers["content-security-policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    wanted = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (scripts,) = re.findall(r"script-src ([^;]*);", policy)
    assert scripts == f"'self' 'sha256-{wanted}'"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"


def test_the_page_can_send_a_key_where_one_is_needed() -> None:
    schema = ask(LOCKED, "/openapi.json").json()
    assert schema["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert "securitySchemes" not in ask(Settings(), "/openapi.json").json()["components"]
