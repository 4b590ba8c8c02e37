"""Pictures by their address: what may be asked, at which address it is asked, and how much."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable

import pytest

from deployments.dropin.fetch import Fetcher, place
from deployments.outbound import Place
from pipeline.errors import BadOrder, IdPhotoError, PhotoTooLarge

HOSTS = ("images.example", "cdn.example:8443")
PICTURE = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + b"p" * 5000


class Web:
    """Answers each connection with the next of the answers; remembers where it was called."""

    def __init__(self, *answers: bytes, addresses: tuple[str, ...] = ("93.184.216.34",)) -> None:
        self._answers = list(answers)
        self._addresses = list(addresses)
        self.called: list[tuple[str, int, str]] = []
        self.resolved: list[str] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return self._addresses

    def connect(self, address: str, place: Place, limit_s: float) -> socket.socket:
        self.called.append((address, place.port, place.host))
        near, far = socket.socketpair()
        answer = self._answers.pop(0)

        def speak() -> None:
            with far:
                far.recv(4096)
                if answer:
                    far.sendall(answer)
                else:
                    time.sleep(0.5)

        threading.Thread(target=speak, daemon=True).start()
        near.settimeout(limit_s)
        return near

    def get(self, url: str, limit_s: float = 5, max_bytes: int = 100_000) -> bytes:
        fetcher = Fetcher(HOSTS, limit_s, max_bytes, self.resolve, self.connect)
        return asyncio.run(fetcher.get(url))


def moved(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "url",
    [
        "http://images.example/a.jpg",
        "ftp://images.example/a.jpg",
        "file:///etc/passwd",
        "https://other.example/a.jpg",
        "https://images.example.other.example/a.jpg",
        "https://images.example:8443/a.jpg",
        "https://cdn.example/a.jpg",
        "https://user@images.example/a.jpg",
        "https://images.example@other.example/a.jpg",
        "https://images.example\\@other.example/",
        "https://images.example:99999/",
        "https://[::1/",
        "https://images.example/a\r\nHost: other",
        "https://имя.example/",
        "https://127.0.0.1/",
        "https://",
        "",
    ],
)
def test_what_may_not_be_asked(url: str) -> None:
    with pytest.raises(BadOrder) as caught:
        place(url, HOSTS)
    assert caught.value.code == "url_not_allowed"


def test_nothing_may_be_asked_by_default() -> None:
    with pytest.raises(BadOrder, match="addresses are off"):
        place("https://images.example/a.jpg", ())


def test_a_picture_comes_from_the_address_that_was_looked_at() -> None:
    web = Web(PICTURE, addresses=("93.184.216.34", "93.184.216.35"))
    assert web.get("https://images.example/a.jpg?b=c") == b"p" * 5000
    assert web.called == [("93.184.216.34", 443, "images.example")]
    assert web.resolved == ["images.example"]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "2002:7f00:1::", "64:ff9b::7f00:1"),
        *("ff02::1", "2001:0:5ef5:79fd::1"),
    ],
)
def test_no_host_may_lead_into_a_private_network(address: str) -> None:
    web = Web(PICTURE, addresses=("93.184.216.34", address))
    with pytest.raises(BadOrder, match="private network"):
        web.get("https://images.example/a.jpg")
    assert not web.called


def test_redirects_stay_within_the_list() -> None:
    web = Web(moved("https://cdn.example:8443/b.jpg"), moved("/c.jpg"), PICTURE)
    assert web.get("https://images.example/a.jpg") == b"p" * 5000
    assert [(port, host) for _, port, host in web.called] == [
        (443, "images.example"),
        (8443, "cdn.example"),
        (8443, "cdn.example"),
    ]


@pytest.mark.parametrize(
    "location",
    ["https://other.example/", "http://images.example/", "https://127.0.0.1/", "//other.example/"],
)
def test_redirects_out_of_the_list_are_not_followed(location: str) -> None:
    web = Web(moved(location), PICTURE)
    with pytest.raises(BadOrder) as caught:
        web.get("https://images.example/a.jpg")
    assert caught.value.code == "url_not_allowed"
    assert len(web.called) == 1


def too_large(web: Web) -> bytes:
    return web.get("https://images.example/a.jpg", max_bytes=4999)


def too_slow(web: Web) -> bytes:
    return web.get("https://images.example/a.jpg", limit_s=0.1)


def plainly(web: Web) -> bytes:
    return web.get("https://images.example/a.jpg")


@pytest.mark.parametrize(
    ("answers", "ask", "kind"),
    [
        ([PICTURE], too_large, PhotoTooLarge),
        ([b""], too_slow, BadOrder),
        ([b"HTTP/1.1 404 Not Found\r\n\r\n"], plainly, BadOrder),
        ([b"nonsense\r\n\r\n"], plainly, BadOrder),
        ([moved("/again")] * 4, plainly, BadOrder),
    ],
)
def test_what_is_not_fetched(
    answers: list[bytes], ask: Callable[[Web], bytes], kind: type[IdPhotoError]
) -> None:
    with pytest.raises(kind) as caught:
        ask(Web(*answers))
    assert caught.value.code in ("body_too_large", "url_not_fetched")
