"""One line in the log for each request, and what Prometheus and traces are told of photos."""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments import note, tracing
from deployments.metrics import Photos
from deployments.problems import request_id, route

_KINDS = {
    "/v1/photos": "photo",
    "/v1/sheets": "sheet",
    "/v1/checks": "check",
    "/v1/cutouts": "cutout",
    # Of the interfaces in ``dropin``.
    "/api/remove": "cutout",
    "/v1.0/removebg": "cutout",
    "/human_matting": "cutout",
    "/idphoto": "photo",
    "/idphoto_crop": "photo",
    "/generate_layout_photos": "sheet",
    **dict.fromkeys(("/add_background", "/set_kb", "/watermark"), "edit"),
}
# What is asked every few seconds.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_LEFT = 499
# W3C's Trace Context.
_TRACE = ("traceparent", "tracestate")


class RequestLog:
    """The outermost of the middlewares: it sees every refusal."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._photos = Photos()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
        if scope["type"] not in ("http", "websocket") or path in _PROBES:
            await self._app(scope, receive, send)
        elif scope.get("method") == "POST" and path in _KINDS:
            headers = Headers(scope=scope)
            carrier = {name: headers[name] for name in _TRACE if name in headers}
            with tracing.span(f"POST {path}", carrier):
                await self._followed(_KINDS[path], scope, receive, send)
        else:
            await self._followed(None, scope, receive, send)

    async def _followed(self, kind: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope}
        noted = note.open_in(scope, kind)
        start, status = time.perf_counter(), 0

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except asyncio.CancelledError:
            status = _LEFT
            raise
        except Exception:
            noted.code, status = "internal_error", 500
            raise
        finally:
            if status == _LEFT:
                noted.code = "client_left"
            took_ms = (time.perf_counter() - start) * 1000
            head = f"{scope.get('method', 'WS')} {route()} {status}"
            note.publish(noted, self._photos, head, took_ms, request_id())
