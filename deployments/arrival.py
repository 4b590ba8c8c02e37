"""What holds for the body of every request, whoever reads it: it is sent as it is, and in time."""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.addresses import JOBS
from deployments.problems import problem
from pipeline.errors import UnsupportedFormat, UploadTooSlow

_PLAIN = frozenset({"", "identity"})
# Of any size, so that only their getting on has a limit: with fewer bytes in that time a client
# keeps a place and nothing else.
_PROGRESS_BYTES = 65_536


class Arrival:
    """Refuses bodies that are encoded (``unsupported_encoding``), and raises UploadTooSlow into
    whoever waits for a body for more than ``upload_s``; for that of a job, or its next 64 kB.

    The innermost of the middlewares: what it raises is a route's, and made a problem document.
    """

    def __init__(self, app: ASGIApp, upload_s: float) -> None:
        self._app = app
        self._upload_s = upload_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif encoding := _encoding(scope):
            error = UnsupportedFormat("unsupported_encoding", name=encoding[:60])
            answer = problem(Request(scope), error)
            # RFC 7694: what would be taken.
            answer.headers["Accept-Encoding"] = "identity"
            await answer(scope, receive, send)
        else:
            renewed = str(scope["path"]).rstrip("/").endswith(JOBS)
            await self._app(scope, self._in_time(receive, renewed), send)

    def _in_time(self, receive: Receive, renewed: bool) -> Receive:
        left_s, fresh_bytes, whole = self._upload_s, 0, False

        async def timely_receive() -> Message:
            nonlocal left_s, fresh_bytes, whole
            # After the body there is only the client's leaving to wait for.
            if whole:
                return await receive()
            # Time in which we did not ask for more is not the client's.
            start_s = time.monotonic()
            try:
                async with asyncio.timeout(left_s):
                    message = await receive()
            except TimeoutError:
                raise UploadTooSlow("upload_too_slow", limit_s=f"{self._upload_s:g}") from None
            left_s -= time.monotonic() - start_s
            fresh_bytes += len(message.get("body", b""))
            if renewed and fresh_bytes >= _PROGRESS_BYTES:
                left_s, fresh_bytes = self._upload_s, 0
            whole = not message.get("more_body", False)
            return message

        return timely_receive


def _encoding(scope: Scope) -> str:
    """The first content coding of the request that changes its bytes; empty without one."""
    told = ",".join(Headers(scope=scope).getlist("content-encoding")).lower()
    return next((name for part in told.split(",") if (name := part.strip()) not in _PLAIN), "")
