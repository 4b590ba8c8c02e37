"""Webhooks go where they may, signed, and again until they arrive."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deployments.jobs import webhook
from deployments.jobs.records import NewItem
from deployments.jobs.store import Store
from deployments.jobs.webhook import AGAIN_AFTER_S, Webhooks, check_url
from deployments.outbound import is_public
from deployments.settings import Jobs
from pipeline.errors import BadOrder

SECRET = "a secret of sixteen and more"
LISTED = ("hooks.example", "other.example:8443", "http://10.0.0.7:9000", "https://intern.example")


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "private"),
    [
        ("https://hooks.example/a/b?c=d", "hooks.example", 443, "/a/b?c=d", False),
        ("https://HOOKS.example:443", "hooks.example", 443, "/", False),
        ("https://other.example:8443/", "other.example", 8443, "/", False),
        ("http://10.0.0.7:9000/x", "10.0.0.7", 9000, "/x", True),
        ("https://intern.example/x", "intern.example", 443, "/x", True),
    ],
)
def test_addresses_that_are_allowed(
    url: str, host: str, port: int, path: str, private: bool
) -> None:
    target = check_url(url, LISTED)
    assert (target.place[1:], target.private) == ((host, port, path), private)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://hooks.example:8443/",
        "https://other.example/",
        "https://hooks.example.evil.example/",
        "https://evil.example/hooks.example",
        "https://hooks.example@evil.example/",
        "https://evil.example#hooks.example",
        "https://user:word@hooks.example/",
        "https://sub.hooks.example/",
        "https://10.0.0.7:9000/",
        "http://10.0.0.7/",
        "ftp://hooks.example/",
        "//hooks.example/",
        "hooks.example",
        "https://hooks.example/\r\nX-Other: 1",
        "https://hooks.example/ a",
        "https://hooks.example:99999/",
        "https://[::1",
        "https://hooks。example/",
        "",
    ],
)
def test_addresses_that_are_not(url: str) -> None:
    with pytest.raises(BadOrder) as refused:
        check_url(url, LISTED)
    assert refused.value.code == "webhook_not_allowed"


def test_without_allowed_hosts_there_are_none() -> None:
    with pytest.raises(BadOrder):
        check_url("https://hooks.example/", ())


def test_allowed_hosts_need_a_secret() -> None:
    with pytest.raises(ValidationError):
        Jobs(allowed_webhook_hosts=("hooks.example",))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("::7f00:1", False),
    ],
)
def test_addresses_of_the_open_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


class Receiver:
    """A server that answers with these statuses in turn, and keeps what it got."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append((headers, body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'jobs.db'}", clock=clock)
    yield found
    found.close()


def ended_job(store: Store, url: str) -> str:
    job, _ = store.create({"document": ["us-passport"]}, keep_s=86_400, webhook_url=url)
    store.add_items(job.id, [NewItem(0, "a.jpg", error="unsupported_format")])
    assert store.start(job.id).ended
    return job.id


def test_the_end_of_a_job_is_told_once_and_signed(store: Store, receiver: Receiver) -> None:
    job_id = ended_job(store, f"{receiver.url}/done?x=1")
    hooks = Webhooks(store, (receiver.url,), SECRET)
    assert (hooks.call_due(), hooks.call_due()) == (1, 0)
    ((headers, body),) = receiver.got
    told = json.loads(body)
    assert (told["type"], told["job"]["id"]) == ("job.ended", job_id)
    assert told["job"]["counts"]["failed"] == 1
    stamp, given = (part.split("=")[1] for part in headers["idphoto-signature"].split(","))
    signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    assert hmac.compare_digest(signed.hexdigest(), given)


def test_failed_calls_are_repeated_later_and_later_and_given_up(
    store: Store, receiver: Receiver, clock: Clock
) -> None:
    receiver.statuses = [500, 302, 404, 503, 500, 500, 500, 500]
    ended_job(store, receiver.url)
    hooks = Webhooks(store, (receiver.url,), SECRET)
    for number, wait_s in enumerate(AGAIN_AFTER_S, 1):
        assert hooks.call_due() == 1
        clock.now += wait_s - 1
        assert hooks.call_due() == 0
        clock.now += 2
        assert len(receiver.got) == number
    assert hooks.call_due() == 1
    clock.now += 10**6
    assert hooks.call_due() == 0


def test_a_host_that_moved_into_a_private_network_is_not_called(
    store: Store, receiver: Receiver
) -> None:
    port = receiver.server.server_port
    ended_job(store, f"https://hooks.example:{port}/")
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14", "127.0.0.1"]

    allowed = (f"hooks.example:{port}",)
    assert Webhooks(store, allowed, SECRET, resolve).call_due() == 1
    assert (asked, receiver.got) == (["hooks.example"], [])


def test_a_host_that_is_no_longer_allowed_is_not_called(
    store: Store, receiver: Receiver, clock: Clock
) -> None:
    ended_job(store, receiver.url)
    hooks = Webhooks(store, ("hooks.example",), SECRET)
    assert hooks.call_due() == 1
    clock.now += 10**6
    assert (hooks.call_due(), receiver.got) == (0, [])


def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    store: Store, receiver: Receiver
) -> None:
    port = receiver.server.server_port
    ended_job(store, f"http://no-such-host.invalid:{port}/")
    allowed = (f"http://no-such-host.invalid:{port}",)
    assert Webhooks(store, allowed, SECRET, lambda host, port: ["127.0.0.1"]).call_due() == 1
    ((headers, _),) = receiver.got
    assert headers["host"] == f"no-such-host.invalid:{port}"


def test_the_signature_of_the_documentation() -> None:
    assert webhook.signature("k" * 16, 1_800_000_000, b'{"a": 1}') == (
        "t=1800000000,v1=" + hmac.new(b"k" * 16, b'1800000000.{"a": 1}', hashlib.sha256).hexdigest()
    )
