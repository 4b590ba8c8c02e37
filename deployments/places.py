"""How many requests this Gateway may have at once: HAProxy's turnstile is told with each answer."""

from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.addresses import is_counted, is_photo
from deployments.problems import PLACES


class Admits(Protocol):
    """Whoever has places for photos."""

    @property
    def places(self) -> tuple[int, int]: ...


class Places:
    """Tells, with the answers to photos, of the requests that are here besides and of the places
    that are free. A photo whose upload is on its way has no place yet, and is no reason to refuse
    others; HAProxy cannot tell it from one in work.
    """

    def __init__(self, app: ASGIApp, gateway: Admits) -> None:
        self._app = app
        self._gateway = gateway
        self._here = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_counted(scope):
            await self._app(scope, receive, send)
            return

        async def telling_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                _, free = self._gateway.places
                MutableHeaders(scope=message)[PLACES] = str(self._here - 1 + free)
            await send(message)

        self._here += 1
        try:
            await self._app(scope, receive, telling_send if is_photo(scope) else send)
        finally:
            self._here -= 1
