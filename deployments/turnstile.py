"""Refuses before the Gateways what they would refuse: in Ray's proxy, where it costs them nothing.
With HAProxy in front, which has one of its own (turnstile.cfg), it stands in each of them.
"""

import math
import time

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.addresses import is_photo
from deployments.pace import Pace
from deployments.problems import FULL, PLACES, problem
from pipeline.errors import Overloaded

# Between two photos, until some are seen: as on a laptop, as whoever is asked back too late leaves
# a place empty.
_FIRST_S = 0.1
_LEAST = 1
# So long after a refusal it is still believed: of the photos that were in flight then, some may
# have been uploads without a place, and as many uploads must not keep others out.
_BELIEVED_S = 10.0


class Turnstile:
    """Lets as many photos pass as the Gateways take on, which it learns from their refusals: then
    they have no place for more than those that are in flight now. With every round that they do
    finish it tries one more (additive increase), and any number when they refused none for a while.
    Each proxy learns what is its own share.

    What Ray itself refuses, before it asks a Gateway, is answered in the same words.
    """

    def __init__(self, app: ASGIApp, *, tells: bool = False) -> None:
        """``tells``: whether one before it, HAProxy's, is to learn of refusals as well."""
        self._app = app
        self._tells = tells
        self._in_flight = 0
        self._limit = math.inf
        self._full_until = 0.0
        self._pace = Pace(_FIRST_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_photo(scope):
            await self._app(scope, receive, send)
            return
        if self._in_flight >= self._limit and time.monotonic() < self._full_until:
            await self._refuse(scope, receive, send)
            return
        self._in_flight += 1
        together, start = self._in_flight, time.monotonic()
        answer = _Answer(send, self._tells)
        try:
            await self._app(scope, receive, answer.send)
        finally:
            self._in_flight -= 1
            if answer.full:
                self._limit = max(_LEAST, self._in_flight)
                self._full_until = time.monotonic() + _BELIEVED_S
            else:
                self._limit += 1 / self._limit
                if answer.finished:
                    self._pace.learn(time.monotonic() - start, together)
        if answer.rays:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = Overloaded("overloaded", retry_after_s=self._pace.invite())
        await problem(Request(scope), error)(scope, receive, _Answer(send, self._tells).send)


class _Answer:
    """Passes the answer of a request on, and notes what it is."""

    def __init__(self, send: Send, tells: bool) -> None:
        self._send = send
        self._tells = tells
        self.full = False
        """No Gateway had a place."""
        self.rays = False
        """That was said by Ray, in words of its own, which are not passed on."""
        self.finished = False
        """A photo came of it."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"]]}
            headers = MutableHeaders(scope=message)
            self.finished = message["status"] == 200
            self.rays = message["status"] == 429 and "json" not in headers.get("content-type", "")
            self.full = self.rays or FULL in headers
            if not self._tells:
                del headers[FULL], headers[PLACES]
        if not self.rays:
            await self._send(message)
