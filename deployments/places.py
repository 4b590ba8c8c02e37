"""How many photos this Gateway takes on at once: HAProxy's turnstile is told with each answer."""

from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.addresses import is_photo
from deployments.problems import PLACES


class Admits(Protocol):
    """Whoever has places for photos."""

    @property
    def places(self) -> tuple[int, int]: ...


class Places:
    """Tells of all places, the taken ones too: who counts photos knows how many are taken."""

    def __init__(self, app: ASGIApp, gateway: Admits) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_photo(scope):
            await self._app(scope, receive, send)
            return

        async def telling_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[PLACES] = str(self._gateway.places[0])
            await send(message)

        await self._app(scope, receive, telling_send)
