"""What the service calls outside, only where the operator allows it: addresses and connections.

A name is resolved once, and the address that is looked at is the one that is called: it cannot mean
another machine a moment later.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

PORTS = {"https": 443, "http": 80}
# IPv6 addresses that carry an IPv4 address to a gateway (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Resolve = Callable[[str, int], list[str]]
"""From host name and port to the addresses."""


class Place(NamedTuple):
    """The parts of an address."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query; without a fragment, which is the client's."""


def place(url: str) -> Place:
    """The parts of an https or http address. Raises ValueError that says what is wrong with it."""
    if not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise ValueError("it holds characters that an address does not have")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("it is no address") from None
    if parts.scheme not in PORTS or not host:
        raise ValueError("it takes https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a name or password has no place in it")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, PORTS[parts.scheme] if port is None else port, path)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of the host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def is_public(address: str) -> bool:
    """Whether the address is one of the open internet, and not a way round to another one."""
    parsed: _Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed.sixtofour is not None or parsed.teredo is not None or parsed in _NAT64:
            return False
    # Reserved are also IPv6 addresses that carry an IPv4 address in a form long out of use.
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved)


def connect(address: str, place: Place, limit_s: float) -> socket.socket:
    """A connection to the address, with TLS for the place's host where that is https. Raises
    OSError.
    """
    raw = socket.create_connection((address, place.port), timeout=limit_s)
    if place.scheme != "https":
        return raw
    try:
        return ssl.create_default_context().wrap_socket(raw, server_hostname=place.host)
    except BaseException:
        raw.close()
        raise
