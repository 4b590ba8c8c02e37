"""A client that leaves is told as ASGI has it, however Ray puts it."""

import asyncio

import pytest
from ray.exceptions import TaskCancelledError
from starlette.types import Message, Receive, Scope, Send

from deployments.leaving import Leaving


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("error", [TaskCancelledError(), RuntimeError("the proxy died")])
def test_an_error_becomes_the_disconnect(kind: str, error: Exception) -> None:
    coming: list[Message | Exception] = [{"type": f"{kind}.first"}, error]
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([(await receive())["type"] for _ in range(4)])

    async def receive() -> Message:
        message = coming.pop(0)
        if isinstance(message, Exception):
            raise message
        return message

    async def send(message: Message) -> None:
        raise AssertionError("nothing is answered")

    asyncio.run(Leaving(app)({"type": kind}, receive, send))
    assert seen == [f"{kind}.first", *[f"{kind}.disconnect"] * 3]
