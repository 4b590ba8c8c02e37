"""What the tests of jobs over HTTP share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments import problems, routes
from deployments.jobs import depot, events
from deployments.jobs.events import Pace
from deployments.jobs.store import Store
from deployments.settings import Jobs, Key, Settings
from tests.unit.jobs.service import MAX_PHOTO_BYTES, Runner, Service, Studio, client_of

QUICK = Pace(poll_s=0.01, heartbeat_s=0.03)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables: to make them anew for each test takes a fifth of a second."""
    path = tmp_path_factory.mktemp("database") / "jobs.db"
    Store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def make_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path
) -> Iterator[Callable[..., Service]]:
    """Makes a service with these settings of jobs, and with these API keys."""
    monkeypatch.setattr(problems, "request_id", lambda: "a-request")
    monkeypatch.setattr(events, "Pace", lambda: QUICK)
    opened: list[tuple[Any, Runner]] = []

    def make(keys: tuple[Key, ...] = (), **given: Any) -> Service:
        jobs = Jobs(folder=tmp_path / "jobs", **given)
        (tmp_path / "jobs").mkdir()
        shutil.copy(empty_database, tmp_path / "jobs" / "jobs.db")
        settings = Settings(max_body_mb=MAX_PHOTO_BYTES / 1e6, jobs=jobs, keys=keys)
        client = client_of(routes.build(Studio(settings)))  # type: ignore[arg-type]
        client.__enter__()
        runner = Runner(depot.open_store(jobs), depot.open_files(jobs))
        opened.append((client, runner))
        return Service(client, runner, jobs, tmp_path / "jobs")

    yield make
    for client, runner in opened:
        client.__exit__(None, None, None)
        runner.store.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """One with the default settings."""
    return make_service()
