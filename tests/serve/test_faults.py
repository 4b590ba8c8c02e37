"""Replicas that die, hang or turn ill under a photo, and clients that leave."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from ray import serve
from ray._private import worker

from tests.serve import fragile
from tests.serve.conftest import eventually

ORDER = {"document": "cn-1-inch", "quality": "fast"}
SETTINGS: dict[str, Any] = {"stuck_after_s": 3, "max_replica_mb": 4000, "upload_s": 3}
CLIENTS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the net is told to misbehave, and notes when it is loaded and asked."""
    return tmp_path_factory.mktemp("orders")


@pytest.fixture(scope="module")
def service(address: str, folder: Path) -> Iterator[httpx.Client]:
    """The fragile service, with two Gateways and one replica of each step."""
    app = fragile.build(folder, **SETTINGS)
    serve.run(app, name=fragile.NAME, route_prefix="/fragile")
    with httpx.Client(base_url=f"{address}/fragile", timeout=120) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        yield client
    serve.delete(fragile.NAME)


def post(client: httpx.Client, photo: bytes, **options: Any) -> httpx.Response:
    return client.post("/v1/photos", files={"photo": photo}, data=ORDER, **options)


def noted(folder: Path, word: str) -> int:
    return (folder / "log").read_text().split().count(word)


def replicas(deployment: str) -> list[int]:
    """The pids of the deployment's replicas."""
    title = f"ray::ServeReplica:{fragile.NAME}:{deployment}".encode()
    return [int(p.parent.name) for p in Path("/proc").glob("[0-9]*/cmdline") if title in _read(p)]


def replica(deployment: str) -> int:
    """The pid of the one replica of the deployment."""
    (pid,) = replicas(deployment)
    return pid


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process has ended
        return b""


def logs(pattern: str) -> str:
    """All that Serve has logged in files of this pattern."""
    node: Any = worker._global_node
    folder = Path(node.get_session_dir_path()) / "logs" / "serve"
    return "".join(path.read_text("utf-8", "replace") for path in folder.glob(pattern))


@pytest.mark.parametrize("order", ["die", "fail"])
def test_a_net_that_goes_down_with_a_photo(
    service: httpx.Client, folder: Path, portrait: bytes, order: str
) -> None:
    (folder / order).touch()
    assert post(service, portrait).status_code == 200
    assert not (folder / order).exists()


@pytest.mark.parametrize("deployment", ["Cropping", "Compositing"])
def test_the_other_steps_die_while_the_net_works(
    service: httpx.Client, folder: Path, portrait: bytes, deployment: str
) -> None:
    """What Cropping had made is still there; for Compositing the photo waits for a new one."""
    before = noted(folder, "asked")
    (folder / "slow").touch()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(post, service, portrait)
        eventually(lambda: noted(folder, "asked") > before)
        os.kill(replica(deployment), signal.SIGKILL)
        assert answer.result().status_code == 200
    assert post(service, portrait).status_code == 200


def test_steps_that_die_under_a_crowd(service: httpx.Client, folder: Path, portrait: bytes) -> None:
    """They are at work on photos when they die."""
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(post, service, portrait) for _ in range(24)]
        for deployment in ("Cropping", "Compositing", "Matting"):
            time.sleep(0.5)
            os.kill(replica(deployment), signal.SIGKILL)
        assert {answer.result().status_code for answer in answers} == {200}


def test_a_photo_whose_replicas_all_die_is_given_up(
    service: httpx.Client, folder: Path, portrait: bytes
) -> None:
    """A photo that kills what it meets does not go round for ever."""
    asked, loaded = noted(folder, "asked"), noted(folder, "loaded")
    (folder / "ill").touch()
    answer = post(service, portrait)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    # By the photo three times; the look at the replica's health may have come in between.
    assert asked + 3 <= noted(folder, "asked") <= asked + 4
    # The replica is found ill, and replaced.
    eventually(lambda: noted(folder, "loaded") > loaded)
    eventually(lambda: post(service, portrait).status_code == 200)


def test_a_wedged_net_is_replaced(service: httpx.Client, folder: Path, portrait: bytes) -> None:
    loaded = noted(folder, "loaded")
    (folder / "wedge").touch()
    with pytest.raises(httpx.ReadTimeout):
        post(service, portrait, timeout=1)
    eventually(lambda: noted(folder, "loaded") > loaded)
    eventually(lambda: post(service, portrait).status_code == 200)


def test_a_client_that_leaves(service: httpx.Client, folder: Path, portrait: bytes) -> None:
    """What waits for it is dropped, and the steps behind are not begun."""
    before = noted(folder, "asked")
    (folder / "slow").touch()
    with ThreadPoolExecutor() as pool:
        stays = pool.submit(post, service, portrait)
        eventually(lambda: noted(folder, "asked") > before)
        with pytest.raises(httpx.ReadTimeout):
            post(service, portrait, timeout=0.7, headers={"X-Request-Id": "waits-and-leaves"})
        assert stays.result().status_code == 200
    assert post(service, portrait).status_code == 200
    assert noted(folder, "asked") == before + 2
    told = logs("replica_fragile_Gateway_*.log")
    lines = [line for line in told.splitlines() if "waits-and-leaves" in line]
    assert any("499" in line for line in lines), lines


def test_a_client_that_leaves_during_its_upload(service: httpx.Client) -> None:
    def upload() -> Iterator[bytes]:
        yield bytes(100_000)
        time.sleep(1)  # the Gateway waits for the rest
        raise ConnectionAbortedError

    headers = {"Content-Type": "image/jpeg", "X-Request-Id": "leaves-early"}
    with pytest.raises(ConnectionAbortedError):
        service.post("/v1/photos", params=ORDER, content=upload(), headers=headers)
    log = "replica_fragile_Gateway_*.log"
    eventually(lambda: "leaves-early -- POST /fragile/v1/photos 499" in logs(log))
    lines = [line for line in logs(log).splitlines() if "leaves-early" in line]
    assert not any("ERROR" in line for line in lines), lines


def test_an_upload_that_does_not_get_on_is_given_up(service: httpx.Client) -> None:
    """A byte now and then keeps a place for no longer than ``upload_s``, and then the connection is
    done.
    """
    url = service.base_url
    head = (
        f"POST {url.path}v1/photos?document=cn-1-inch HTTP/1.1\r\nHost: {url.host}\r\n"
        "Content-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
    )
    received = b""
    with socket.create_connection((url.host, url.port or 80), timeout=0.2) as connection:
        connection.sendall(head.encode())
        for _ in range(300):
            with suppress(TimeoutError):
                while more := connection.recv(65_536):
                    received += more
                break
            with suppress(ConnectionError):
                connection.sendall(b"x")
        else:
            raise AssertionError("the connection is still open")
    start, _, body = received.partition(b"\r\n\r\n")
    assert b" 408 " in start.splitlines()[0]
    assert json.loads(body)["code"] == "upload_too_slow"


@contextmanager
def crowd(client: httpx.Client, photo: bytes) -> Iterator[list[list[httpx.Response]]]:
    """Several clients that send a photo after the other, and pause where they are told to. When all
    have ended, the list holds what each of them got.
    """
    stop = Event()
    answers: list[list[httpx.Response]] = []

    def sending() -> list[httpx.Response]:
        got = [post(client, photo)]
        while not stop.is_set():
            # What a process has that is being killed is lost, and it still takes connections then.
            time.sleep(int(got[-1].headers.get("Retry-After", 0)))
            got.append(post(client, photo))
        return got

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(sending) for _ in range(CLIENTS)]
        try:
            yield answers
        finally:
            stop.set()
        answers += [each.result() for each in clients]


def test_a_gateway_that_dies_takes_only_its_own_requests_along(
    service: httpx.Client, portrait: bytes
) -> None:
    """Service goes on by the other one, also before there is a new one."""
    with crowd(service, portrait) as answers:
        time.sleep(1)
        os.kill(replicas("Gateway")[0], signal.SIGKILL)
        time.sleep(3)
    for got in answers:
        lost = [answer for answer in got if answer.status_code != 200]
        assert len(lost) <= 1
        for answer in lost:
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert got[-1].status_code == 200
    eventually(lambda: len(replicas("Gateway")) == 2)


def test_a_redeployment_under_load_fails_no_request(
    service: httpx.Client, folder: Path, portrait: bytes
) -> None:
    """With another setting, which is every deployment's, and another user_config."""
    old = set(replicas("Gateway"))
    with crowd(service, portrait) as answers:
        time.sleep(1)
        app = fragile.build(folder, **SETTINGS, deadline_s=50, batch={"wait_ms": 1})
        serve.run(app, name=fragile.NAME, route_prefix="/fragile")
    assert {answer.status_code for got in answers for answer in got} == {200}
    eventually(lambda: not old & set(replicas("Gateway")))
