import asyncio
import json
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.edge import Answered, at_proxy

HEADERS = [(b"accept-language", b"zh-CN"), (b"X-Request-Timeout-Seconds", b"0"), (b"x-a", b"b")]


def sent(app: ASGIApp, headers: list[tuple[bytes, bytes]] = HEADERS) -> list[Message]:
    """What a client gets of the app behind the middleware."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/photos", "headers": headers}
    asyncio.run(Answered(app)(scope, receive, send))
    return messages


def answering(status: int, headers: list[tuple[bytes, bytes]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"words"})

    return app


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """As Ray's proxy ends where a Gateway died."""


def test_a_photo_that_was_lost_with_its_gateway_may_be_sent_again() -> None:
    start, body = sent(silent)
    headers: dict[Any, Any] = dict(start["headers"])
    assert start["status"] == 503
    assert headers[b"retry-after"] == b"2"
    assert headers[b"content-type"] == b"application/problem+json"
    problem = json.loads(body["body"])
    assert problem["code"] == "unavailable"
    assert "稍后重试" in problem["hint"]


@pytest.mark.parametrize("headers", [[], [(b"x-b", b"c")]])
def test_rays_own_503_says_when_to_come_back(headers: list[tuple[bytes, bytes]]) -> None:
    start, body = sent(answering(503, headers))
    assert start["headers"] == [*headers, (b"retry-after", b"2")]
    assert body["body"] == b"words"


@pytest.mark.parametrize(
    ("status", "headers"), [(200, []), (503, [(b"retry-after", b"7")]), (429, [(b"a", b"b")])]
)
def test_other_answers_pass(status: int, headers: list[tuple[bytes, bytes]]) -> None:
    start, _ = sent(answering(status, headers))
    assert (start["status"], start["headers"]) == (status, headers)


def test_headers_that_are_for_ray_alone_do_not_pass() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(scope["headers"])

    sent(app)
    assert seen == [HEADERS[0], HEADERS[2]]


def test_it_is_the_outermost() -> None:
    assert [middleware.cls.__name__ for middleware in at_proxy()] == [
        "Answered",
        "Turnstile",
        "AtProxy",
    ]
