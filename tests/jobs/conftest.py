"""Real servers for the job store: PostgreSQL of the system's package, and moto's S3."""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployments.jobs.store import Store
from tests.jobs.postgresql import Server


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL of our own; without the package it is an error in CI, else the test is left
    out.
    """
    found = Server.find()
    if found is None:
        sentence = "PostgreSQL is missing: apt-get install postgresql (or your system's package)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
    server = Server(found)
    server.start()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    server: Server = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database_url: str, clock: Clock) -> Iterator[Store]:
    """A store with a clock that the test moves; an item has three tries."""
    store = Store(database_url, clock=clock, max_tries=3)
    yield store
    store.close()


@pytest.fixture
def no_more_bytes() -> Iterator[None]:
    """No file may grow beyond 300 kB, which a full disk looks like."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
