"""The adapted configuration, written by Ray's own generator and run by the HAProxy that comes with
it, before a server that answers as a Gateway, or Ray in it, does.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from select import select
from threading import Semaphore, Thread
from typing import ClassVar

import httpx
import pytest
from ray.serve._private import haproxy as rays
from ray.serve.config import HTTPOptions

from deployments import haproxy

PROGRAM = Path(sys.executable).with_name("idphoto-haproxy")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Gateway(BaseHTTPRequestHandler):
    """Answers by the path: with the request's headers, or as Ray does where it refuses."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if self.path == "/killed":
            # What was not read is answered with a reset, as where a process is killed.
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/lost":
            self.close_connection = True
            return
        status = {"/full": 429, "/gone": 503, "/late": 504}.get(self.path, 200)
        own = self.path in ("/late", "/v1/photos", "/v1/jobs")
        body = json.dumps(dict(self.headers)) if own else "Request dropped due to backpressure"
        told = {"X-Idphoto-Full": "1"} if self.path == "/late" else {}
        self.tell(status, "application/json" if own else "text/plain", body, told)

    do_GET = do_POST

    def tell(self, status: int, media_type: str, body: str, told: dict[str, str]) -> None:
        self.send_response(status)
        headers = {"Content-Type": media_type, "Content-Length": str(len(body)), **told}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


class FullGateway(Gateway):
    """Has places for three photos, and refuses others."""

    places = Semaphore(3)
    tells: ClassVar[dict[str, str]] = {}
    refused = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.places.acquire(blocking=False):
            type(self).refused += 1
            self.tell(429, "application/json", "{}", {"X-Idphoto-Full": "1", **self.tells})
            return
        time.sleep(0.2)
        self.places.release()
        self.tell(200, "application/json", "{}", self.tells)


class TellingGateway(FullGateway):
    """Tells of them."""

    places = Semaphore(3)
    tells: ClassVar[dict[str, str]] = {"X-Idphoto-Places": "3"}
    refused = 0


class Server(ThreadingHTTPServer):
    # As many may wait to be taken as with uvicorn; those of a crowd beyond its five would be lost.
    request_queue_size = 2048


def written(folder: Path, port: int, backend: int) -> Path:
    """What Ray writes for one Gateway at the port ``backend``."""
    config = rays.HAProxyConfig(
        http_options=HTTPOptions(host="127.0.0.1", port=port),
        socket_path=str(folder / "admin.sock"),
        server_state_base=str(folder),
        server_state_file=str(folder / "server-state"),
        metrics_socket_path=str(folder / "metrics.sock"),
    )
    server = rays.ServerConfig(name="gateway", host="127.0.0.1", port=backend)
    routed = rays.BackendConfig(
        name="http-idphoto", path_prefix="/", app_name="idphoto", servers=[server]
    )
    api = rays.HAProxyApi(config, {"http-idphoto": routed}, str(folder / "haproxy.cfg"))
    api._generate_config_file_internal()
    return folder / "haproxy.cfg"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path, free_port(), free_port())


@contextmanager
def running(folder: Path, handler: type[Gateway]) -> Iterator[httpx.Client]:
    """A client of an HAProxy that runs as Ray starts it."""
    port = free_port()
    with Server(("127.0.0.1", 0), handler) as gateway:
        Thread(target=gateway.serve_forever, daemon=True).start()
        file = written(folder, port, gateway.server_port)
        process = subprocess.Popen([PROGRAM, "-db", "-f", file], stderr=subprocess.DEVNULL)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
                until = time.monotonic() + 20
                while True:
                    try:
                        client.post("/v1/photos").raise_for_status()
                        break
                    except httpx.HTTPError:
                        assert time.monotonic() < until
                        time.sleep(0.1)
                yield client
        finally:
            process.terminate()
            process.wait(10)
            gateway.shutdown()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(tmp_path_factory.mktemp("haproxy"), Gateway) as client:
        yield client


def test_no_page_of_figures_no_log_and_a_socket_of_ones_own(config: Path) -> None:
    text = haproxy.adapted(config.read_text("utf-8"))
    lines = [line.strip() for line in text.splitlines()]
    assert sum(line.startswith("bind ") for line in lines) == 1
    assert "prometheus-exporter" not in text
    assert "stats enable" not in text
    (socket_line,) = (line for line in lines if line.startswith("stats socket"))
    assert " mode 600 " in socket_line
    assert "errorfile" not in text
    assert "local0" not in text


def test_what_is_adapted_is_left_as_it_is(config: Path) -> None:
    once = haproxy.adapted(config.read_text("utf-8"))
    assert haproxy.adapted(once) == once


def test_another_configuration_is_not_taken_for_rays(config: Path) -> None:
    text = config.read_text("utf-8").replace("listen stats", "listen figures")
    with pytest.raises(haproxy.UnknownConfiguration):
        haproxy.adapted(text)


def test_headers_that_are_for_ray_do_not_pass(edge: httpx.Client) -> None:
    sent = {"X-Request-Timeout-Seconds": "0", "X-Request-Disconnect-Disabled": "?1", "X-A": "b"}
    seen = {
        name.lower(): value for name, value in edge.post("/v1/photos", headers=sent).json().items()
    }
    assert seen["x-a"] == "b"
    assert seen["x-request-id"]
    # It would close the connection before a refused upload has come to its end.
    assert seen.get("connection") != "close"
    assert not {"x-request-timeout-seconds", "x-request-disconnect-disabled"} & seen.keys()
    # Large uploads are read as they are taken.
    seen = {name.lower(): value for name, value in edge.post("/v1/jobs").json().items()}
    assert seen["x-request-disconnect-disabled"] == "?1"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/full", 429, "overloaded"),
        ("/gone", 503, "unavailable"),
        ("/lost", 503, "unavailable"),
        ("/killed", 503, "unavailable"),
    ],
)
def test_refusals_and_losses_are_problem_documents(
    edge: httpx.Client, path: str, status: int, code: str
) -> None:
    # The connection to the Gateway may have served another one before.
    edge.post("/v1/photos")
    answer = edge.post(path, headers={"X-Request-Id": 'mine"1'}, content=b"x" * 300_000)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not [name for name in answer.headers if name.startswith("x-idphoto")]
    problem = answer.json()
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["request_id"] == 'mine"1'
    assert problem["hint"]


def test_the_gateways_own_words_pass(edge: httpx.Client) -> None:
    answer = edge.get("/late")
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/json"
    assert "x-idphoto-full" not in answer.headers


@pytest.mark.parametrize(("gateway", "share"), [(FullGateway, 0.1), (TellingGateway, 0.01)])
def test_a_crowd_is_refused_before_it_reaches_a_gateway(
    tmp_path: Path, gateway: type[FullGateway], share: float
) -> None:
    with running(tmp_path, gateway) as edge:

        def ask(language: str) -> list[httpx.Response]:
            headers = {"Accept-Language": language, "X-Request-Id": "mine"}
            with httpx.Client(base_url=edge.base_url, headers=headers, timeout=30) as client:
                return [client.post("/v1/photos", content=b"x" * 300_000) for _ in range(30)]

        with ThreadPoolExecutor(40) as crowd:
            answers = [*chain.from_iterable(crowd.map(ask, ["en", "zh-CN"] * 20))]
        # Its places are free again, all of them, a moment after the answers.
        time.sleep(0.5)
        with ThreadPoolExecutor(3) as three:
            later = list(three.map(lambda _: edge.post("/v1/sheets").status_code, range(3)))
    assert later == [200] * 3
    assert {answer.status_code for answer in answers} == {200, 429}
    refusals = [answer for answer in answers if answer.content != b"{}"]
    assert gateway.refused < share * len(refusals)
    assert gateway.refused > 0 or gateway.tells, "one that does not tell is learned from"
    # Who hammers waits for the refusal.
    assert min(answer.elapsed for answer in refusals) < timedelta(seconds=0.5)
    assert max(answer.elapsed for answer in refusals) > timedelta(seconds=0.9)
    waits = [int(answer.headers["retry-after"]) for answer in refusals]
    assert min(waits) == 1 < max(waits) <= 30
    for answer, language in ((refusals[0], "en"), (refusals[-1], "zh")):
        assert answer.headers["content-language"] == language
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["code"], problem["request_id"]) == ("overloaded", "mine")
        assert problem["hint"].isascii() == (language == "en")


def begun_upload(address: tuple[str, int]) -> socket.socket:
    """The connection of an upload that goes on for ever, and is not refused."""
    head = b"POST /v1/photos HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
    while True:
        upload = socket.create_connection(address)
        upload.sendall(head + b"x" * 1000)
        # A place is free a moment after its answer.
        answered, _, _ = select([upload], [], [], 0.3)
        if not answered:
            return upload
        upload.close()


def test_uploads_on_their_way_keep_nobody_out(tmp_path: Path) -> None:
    with running(tmp_path, TellingGateway) as edge, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(begun_upload(("127.0.0.1", edge.base_url.port or 0)))
        # It was told of three places a moment ago, and they may be taken.
        assert edge.post("/v1/photos").status_code == 429
        until = time.monotonic() + 10
        while edge.post("/v1/photos").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_what_has_other_addresses_is_not_refused_for_photos(tmp_path: Path) -> None:
    with running(tmp_path, FullGateway) as edge, ThreadPoolExecutor(6) as crowd:
        photos = [crowd.submit(edge.post, "/v1/photos") for _ in range(6)]
        assert {photo.result().status_code for photo in photos} == {200, 429}
        assert edge.post("/v1/jobs").status_code == 200
        assert edge.post("/v1.0/removebg").status_code == 200
