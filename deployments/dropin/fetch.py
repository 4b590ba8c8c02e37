"""Pictures that are given by their address: from hosts that the operator allows, and at public
addresses alone.
"""

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from deployments import outbound
from deployments.outbound import Place, Resolve
from pipeline.errors import BadOrder, Overloaded, PhotoTooLarge

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_MOST_AT_ONCE = 4
_CHUNK_BYTES = 65_536

Connect = Callable[[str, Place, float], socket.socket]
"""As ``outbound.connect``."""


def place(url: str, allowed: Sequence[str]) -> Place:
    """The parts of an address that may be fetched. Raises BadOrder (``url_not_allowed``)."""
    if not allowed:
        raise _refused("addresses are off")
    try:
        found = outbound.place(url)
    except ValueError as error:
        raise _refused(str(error)) from None
    if found.scheme != "https":
        raise _refused("it takes https://host/path")
    for entry in allowed:
        listed = urlsplit(f"https://{entry}")
        if (found.host, found.port) == (listed.hostname, listed.port or outbound.PORTS["https"]):
            return found
    raise _refused("its host and port are not among the allowed ones")


class Fetcher:
    """Gets pictures, a few at a time."""

    def __init__(
        self,
        allowed: Sequence[str],
        limit_s: float,
        max_bytes: int,
        resolve: Resolve = outbound.resolve,
        connect: Connect = outbound.connect,
    ) -> None:
        self._allowed = allowed
        self._limit_s = limit_s
        self._max_bytes = max_bytes
        self._resolve = resolve
        self._connect = connect
        self._running = 0

    async def get(self, url: str) -> bytes:
        """The picture's bytes.

        Raises BadOrder (``url_not_allowed``, ``url_not_fetched``), PhotoTooLarge
        (``body_too_large``), and Overloaded where too many are on their way.
        """
        place(url, self._allowed)
        if self._running >= _MOST_AT_ONCE:
            raise Overloaded("overloaded")
        self._running += 1
        # The thread counts until it ends, also where nobody waits for it any more.
        work = asyncio.ensure_future(asyncio.to_thread(self._get, url))
        work.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.shield(work)
        except TimeoutError:
            raise _failed(f"it took more than {self._limit_s:g} seconds") from None

    def _ended(self, work: "asyncio.Future[bytes]") -> None:
        self._running -= 1
        if not work.cancelled():
            work.exception()

    def _get(self, url: str) -> bytes:
        end_at = time.monotonic() + self._limit_s
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                found = place(url, self._allowed)
                data, location = self._ask(found, end_at)
                if location is None:
                    return data
                url = urljoin(url, location)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _failed(type(error).__name__) from None
        raise _failed(f"it was sent on more than {_MOST_REDIRECTS} times")

    def _ask(self, found: Place, end_at: float) -> tuple[bytes, str | None]:
        """The picture, or where it is instead."""
        address = self._address(found)
        raw = self._connect(address, found, _left_s(end_at))
        connection = http.client.HTTPConnection(found.host, found.port)
        connection.default_port = outbound.PORTS[found.scheme]
        connection.sock = raw
        try:
            headers = {"Accept": "image/*", "User-Agent": "idphoto-serve", "Connection": "close"}
            connection.request("GET", found.path, headers=headers)
            raw.settimeout(_left_s(end_at))
            with connection.getresponse() as answer:
                if answer.status in _REDIRECTS:
                    return b"", answer.headers.get("Location", "")
                if answer.status != 200:
                    raise _failed(f"the status was {answer.status}")
                return self._body(answer, raw, end_at), None
        finally:
            connection.close()
            raw.close()

    def _address(self, found: Place) -> str:
        addresses = self._resolve(found.host, found.port)
        if not addresses:
            raise _failed("the host has no address")
        if not all(outbound.is_public(address) for address in addresses):
            raise _refused("its host is in a private network")
        return addresses[0]

    def _body(self, answer: http.client.HTTPResponse, raw: socket.socket, end_at: float) -> bytes:
        data = bytearray()
        while True:
            raw.settimeout(_left_s(end_at))
            chunk = answer.read1(_CHUNK_BYTES)
            if not chunk:
                return bytes(data)
            data += chunk
            if len(data) > self._max_bytes:
                limit_mb = round(self._max_bytes / 1e6, 1)
                raise PhotoTooLarge("body_too_large", limit_mb=limit_mb)


def _left_s(end_at: float) -> float:
    left_s = end_at - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _refused(reason: str) -> BadOrder:
    return BadOrder("url_not_allowed", reason=reason)


def _failed(reason: str) -> BadOrder:
    return BadOrder("url_not_fetched", reason=reason)


def of(settings: Any) -> Fetcher:
    """As the service's settings have it."""
    dropin = settings.dropin
    return Fetcher(dropin.fetch_hosts, dropin.fetch_s, settings.max_body_bytes)
