"""A client that has left, told as ASGI has it."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("ray.serve")


class Leaving:
    """Ray's proxy cancels the request of a client that leaves, and may die itself: what then comes
    in place of the next message is the disconnect that ASGI asks for or one of several errors of
    Ray's, as the race goes. With this it is always the disconnect, and whoever reads a request need
    not know.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left: list[Message] = []

        async def telling_receive() -> Message:
            if left:
                return left[0]
            try:
                return await receive()
            except Exception as error:
                log.info("the client or its proxy has left: %s", error)
                left.append({"type": f"{scope['type']}.disconnect"})
                return left[0]

        await self._app(scope, telling_receive, send)
