"""Pictures that are given by their address: from hosts that the operator allows, and at public
addresses alone.

The address that is looked at is the one that is called: a name is resolved once for each request,
so that it cannot mean another machine a moment later.
"""

import asyncio
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from deployments.jobs.webhook import is_public, resolve
from pipeline.errors import BadOrder, Overloaded, PhotoTooLarge

_PORT = 443
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
_MOST_AT_ONCE = 4
_CHUNK_BYTES = 65_536

Resolve = Callable[[str, int], list[str]]
Connect = Callable[[str, int, str, float], socket.socket]
"""From address, port, host name and seconds to a connection on which TLS has been spoken."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture is."""

    host: str
    port: int
    path: str


def place(url: str, allowed: Sequence[str]) -> Place:
    """The parts of an address that may be fetched. Raises BadOrder (``url_not_allowed``)."""
    if not allowed:
        raise _refused("addresses are off")
    if not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise _refused("it holds characters that an address does not have")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        raise _refused("it is no address") from None
    if parts.scheme != "https" or not host:
        raise _refused("it takes https://host/path")
    if parts.username is not None or parts.password is not None:
        raise _refused("a name or password has no place in it")
    for entry in allowed:
        listed = urlsplit(f"https://{entry}")
        if (host, port) == (listed.hostname, listed.port or _PORT):
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return Place(host, port, path)
    raise _refused("its host and port are not among the allowed ones")


class Fetcher:
    """Gets pictures, a few at a time."""

    def __init__(
        self,
        allowed: Sequence[str],
        limit_s: float,
        max_bytes: int,
        resolve: Resolve = resolve,
        connect: Connect | None = None,
    ) -> None:
        self._allowed = allowed
        self._limit_s = limit_s
        self._max_bytes = max_bytes
        self._resolve = resolve
        self._connect = connect or _connect
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
        raw = self._connect(address, found.port, found.host, _left_s(end_at))
        connection = http.client.HTTPConnection(found.host, found.port)
        connection.default_port = _PORT
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
        for address in addresses:
            # Of IPv6 also those that carry an IPv4 address in a form that is long out of use.
            reserved = ipaddress.ip_address(address.partition("%")[0]).is_reserved
            if reserved or not is_public(address):
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


def _connect(address: str, port: int, host: str, limit_s: float) -> socket.socket:
    raw = socket.create_connection((address, port), timeout=limit_s)
    try:
        return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    except BaseException:
        raw.close()
        raise


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
