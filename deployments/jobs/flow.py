"""Flow control between Ray's proxy and a Gateway, for uploads and archives of any size.

Ray's proxy reads what a client sends as fast as it comes, a replica fetches it as fast as it can,
and answers go the same way back: what the slower side has not taken yet lies in memory, without a
bound. So both sides tell each other what was taken, in messages of their own between those of ASGI,
and at most ``WINDOW_BYTES`` are on their way; then TCP makes the client wait, or the Gateway does.

The proxy's half is put in by ``deployments.edge``. Without it requests pass as they are.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.addresses import JOBS

WINDOW_BYTES = 8_000_000
_TAKEN = "idphoto.taken"
"""From the Gateway: so many bytes of the request were read."""
_SENT = "idphoto.sent"
"""From the proxy: so many bytes of the answer were handed to the client's connection."""
_MARK = b"x-idphoto-flow"


class _Window:
    """Bytes that are on their way, and whoever waits for there to be fewer."""

    def __init__(self) -> None:
        self._bytes = 0
        self._fewer = asyncio.Event()
        self._open = False

    async def enter(self, size: int) -> None:
        while self._bytes >= WINDOW_BYTES and not self._open:
            self._fewer.clear()
            await self._fewer.wait()
        self._bytes += size

    def leave(self, size: int) -> None:
        self._bytes -= size
        self._fewer.set()

    def open(self) -> None:
        """Nobody takes anything any more, so nobody is to wait."""
        self._open = True
        self._fewer.set()


class AtProxy:
    """The proxy's half. Only requests of jobs that may be large are touched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = [header for header in scope["headers"] if header[0] != _MARK]
        if not _may_be_large(scope):
            await self._app({**scope, "headers": headers}, receive, send)
            return
        window, arrived = _Window(), asyncio.Queue[Message]()

        async def read() -> None:
            while True:
                message = await receive()
                arrived.put_nowait(message)
                if message["type"] == "http.disconnect":
                    window.open()
                    return
                await window.enter(len(message.get("body", b"")))

        async def noticing_send(message: Message) -> None:
            if message["type"] == _TAKEN:
                window.leave(message["bytes"])
                return
            await send(message)
            if size := len(message.get("body", b"")):
                arrived.put_nowait({"type": _SENT, "bytes": size})

        marked = {**scope, "headers": [*headers, (_MARK, b"1")]}
        await _beside(read, self._app(marked, arrived.get, noticing_send))


class AtGateway:
    """The Gateway's half: does nothing for requests that the other half did not mark."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (_MARK, b"1") not in (tuple(h) for h in scope["headers"]):
            await self._app(scope, receive, send)
            return
        window, arrived = _Window(), asyncio.Queue[Message]()
        gone: list[Message] = []

        async def read() -> None:
            while not gone:
                message = await receive()
                if message["type"] == _SENT:
                    window.leave(message["bytes"])
                    continue
                if message["type"] == "http.disconnect":
                    gone.append(message)
                    window.open()
                arrived.put_nowait(message)

        async def taking_receive() -> Message:
            if gone and arrived.empty():
                return gone[0]
            message = await arrived.get()
            if size := len(message.get("body", b"")):
                await send({"type": _TAKEN, "bytes": size})
            return message

        async def paced_send(message: Message) -> None:
            await window.enter(len(message.get("body", b"")))
            await send(message)

        await _beside(read, self._app(scope, taking_receive, paced_send))


def _may_be_large(scope: Scope) -> bool:
    path: str = scope["path"].rstrip("/")
    if scope["method"] == "POST":
        return path.endswith(JOBS)
    return path.endswith("/result.zip")


async def _beside(read: Callable[[], Any], work: Any) -> None:
    """Does the work, and reads as long as it lasts."""
    reading = asyncio.ensure_future(read())
    try:
        await work
    finally:
        reading.cancel()
