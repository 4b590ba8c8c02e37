"""One local Ray with two logical GPUs and one running service, shared by tests/serve and tests/web;
conftest.py beside this file makes its fixtures known to both.
"""

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import ray
from ray import serve

from deployments.app import build
from deployments.settings import Jobs, Model, Settings, Tracing
from tests.serve.collector import Collector

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where Ray Serve listens; nothing is deployed yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray.init(
        address="local",
        num_cpus=4,
        num_gpus=2,
        include_dashboard=False,
        log_to_driver=False,
        # For the applications that tests bring along.
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    yield f"http://127.0.0.1:{port}"
    serve.shutdown()
    ray.shutdown()


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the traces of the service go."""
    with Collector.running() as collector:
        yield collector


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Settings:
    """Limits that a test can reach, and a deadline that a slow machine meets."""
    return Settings(
        device="cpu",
        deadline_s=60,
        fast_when_full=0.5,
        # Only photos that come with a traceparent.
        tracing=Tracing(otlp_url=collector.url, sampled_share=0),
        jobs=Jobs(folder=tmp_path_factory.mktemp("jobs")),
        max_body_mb=2,
        max_megapixels=20,
        max_variants=8,
        models={"saliency-only": Model(nets={"saliency": "u2netp"})},
    )


@pytest.fixture(scope="session")
def client(address: str, settings: Settings) -> Iterator[httpx.Client]:
    """A client of the real service, once it is ready."""
    logs = {"encoding": "JSON", "enable_access_log": False}
    serve.run(build(settings), name="idphoto", route_prefix="/", logging_config=logs)
    with httpx.Client(base_url=address, timeout=120) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        yield client


@pytest.fixture(scope="session")
def portrait() -> bytes:
    """A frontal portrait of one person, 512 x 512."""
    return (DATA / "astronaut.png").read_bytes()


def eventually(condition: Callable[[], bool], within_s: float = 60) -> None:
    """Waits until the condition holds."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
