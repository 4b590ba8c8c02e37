"""What stands before every request in Ray's proxy, or, with HAProxy in front, in each Gateway; put
there by Ray's environment when it starts:
``RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=deployments.edge:at_proxy``.
"""

import os

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments import problems
from deployments.jobs.flow import AtProxy
from deployments.statuses import RETRY_AFTER_S
from deployments.turnstile import Turnstile
from pipeline.errors import Unavailable

# With these a client would change Ray's own time limits and its notice of clients that leave.
_RAYS = (b"x-request-timeout-seconds", b"x-request-disconnect-disabled")


def at_proxy() -> list[Middleware]:
    """What Ray's proxy calls once to learn its middlewares, the outermost first."""
    behind_haproxy = os.environ.get("RAY_SERVE_ENABLE_HA_PROXY") == "1"
    turnstile = Middleware(Turnstile, tells=behind_haproxy)
    return [Middleware(Answered), turnstile, Middleware(AtProxy)]


class Answered:
    """Answers what was lost with its Gateway: Ray's proxy gives up without a word, which the client
    would get as 500. Headers that are for Ray alone do not pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = [header for header in scope["headers"] if header[0].lower() not in _RAYS]
        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                if message["status"] == 503 and "retry-after" not in Headers(
                    raw=message["headers"]
                ):
                    message = {**message, "headers": [*message["headers"]]}
                    MutableHeaders(scope=message)["Retry-After"] = str(RETRY_AFTER_S)
            await send(message)

        await self._app({**scope, "headers": headers}, receive, noting_send)
        if not begun:
            answer = problems.problem(Request(scope), Unavailable("unavailable"))
            await answer(scope, receive, send)
