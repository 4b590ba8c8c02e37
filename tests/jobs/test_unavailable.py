"""A database that goes away is one error, and afterwards everything goes on."""

import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deployments.jobs import database
from deployments.jobs.records import ItemState
from deployments.jobs.store import Store, StoreUnavailable
from tests.jobs.postgresql import Server
from tests.jobs.test_store import photos, running


@pytest.fixture
def server(postgresql: Server) -> Iterator[Server]:
    """A server that the test may stop."""
    yield postgresql
    postgresql.stop()
    postgresql.start()


def test_a_server_that_crashed_is_used_again_when_it_is_back(server: Server) -> None:
    store = Store(server.new_database())
    job_id = running(store, 2)
    first, second = store.lease("r", 2, 60)
    assert store.finish(first, ["a"])
    server.stop(signal.SIGQUIT)
    with pytest.raises(StoreUnavailable):
        store.finish(second, ["b"])
    with pytest.raises(StoreUnavailable):
        store.job(job_id)
    with pytest.raises(StoreUnavailable):
        Store(server.url("postgres"))
    server.start()
    assert store.finish(second, ["b"])
    assert store.job(job_id).counts[ItemState.DONE] == 2
    store.close()


def test_a_server_that_is_not_there_is_unavailable(server: Server) -> None:
    server.stop()
    with pytest.raises(StoreUnavailable):
        Store(server.url("postgres"))


def test_a_node_that_hangs_in_a_transaction_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_S", 1)
    url = server.new_database()
    store = Store(url)
    job_id = running(store, 1)
    with psycopg.connect(url) as hanging:
        hanging.execute("SELECT * FROM jobs FOR UPDATE")
        with pytest.raises(StoreUnavailable):
            store.cancel(job_id)
    store.cancel(job_id)
    store.close()


def test_a_file_that_is_gone_or_replaced_is_not_written_to(tmp_path: Path) -> None:
    path, away = tmp_path / "jobs.db", tmp_path / "away.db"
    store = Store(f"sqlite:///{path}")
    job_id = running(store, 1)
    store.close()  # so that all is in the one file
    store.job(job_id)
    path.rename(away)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.lease("r", 1, 60)
    assert not path.exists()
    path.write_bytes(away.read_bytes())
    (lease,) = store.lease("r", 1, 60)
    assert lease.item.job_id == job_id
    store.close()


def test_a_full_disk_is_unavailable_and_nothing_is_half_written(
    tmp_path: Path, no_more_bytes: None
) -> None:
    store = Store(f"sqlite:///{tmp_path}/jobs.db")
    job, _ = store.create({}, keep_s=60)
    added = 0
    with pytest.raises(StoreUnavailable):
        for start in range(0, 100_000, 500):
            added += store.add_items(job.id, photos(500, start=start))
    assert store.job(job.id).total == added > 0
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert store.add_items(job.id, photos(500, start=added)) == 500
    assert len(store.items(job.id, limit=100_000)) == added + 500
    store.close()


def test_threads_wait_for_each_other(database_url: str) -> None:
    store = Store(database_url)
    job_id = running(store, 60)
    failures = []

    def work() -> None:
        try:
            while leases := store.lease("r", 2, 60):
                for lease in leases:
                    assert store.finish(lease, [])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.job(job_id).finished_no == 60
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite"):
        Store(url)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        Store(f"sqlite:///{tmp_path}/file/jobs.db")
