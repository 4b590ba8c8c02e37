"""Four processes share one job and two of them are killed."""

import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

from deployments.jobs.records import ItemState, JobState, NewItem
from deployments.jobs.store import Store

ITEMS = 500


def work(url: str, log: Path, started: Connection) -> None:
    """Finishes items until the job is done, and writes down each that it was told it had."""
    store = Store(url, max_tries=100)
    started.send(os.getpid())
    runner = f"runner {os.getpid()}"
    with open(log, "a", buffering=1) as lines:
        while any(not job.ended for job in store.jobs()):
            leases = store.lease(runner, 5, lease_s=2)
            for lease in leases:
                if store.finish(lease, [runner]):
                    lines.write(f"{lease.item.position} {lease.item.attempt}\n")
            if not leases:
                time.sleep(0.05)


def test_every_item_is_finished_once_though_runners_are_killed(
    database_url: str, tmp_path: Path
) -> None:
    store = Store(database_url)
    job, _ = store.create({}, keep_s=60)
    store.add_items(job.id, [NewItem(i, str(i)) for i in range(ITEMS)])
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    logs = [tmp_path / f"{i}.log" for i in range(4)]
    runners = [context.Process(target=work, args=(database_url, log, sender)) for log in logs]
    for runner in runners:
        runner.start()
    for _ in runners:
        assert receiver.poll(60)
        receiver.recv()
    store.start(job.id)
    for killed, finished in zip(runners[:2], (50, 200), strict=True):
        while store.job(job.id).finished_no < finished:
            time.sleep(0.005)
        assert killed.pid is not None
        os.kill(killed.pid, signal.SIGKILL)
    for runner in runners:
        runner.join(120)
    assert [runner.exitcode for runner in runners] == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]

    job = store.job(job.id)
    assert (job.state, job.counts[ItemState.DONE]) == (JobState.DONE, ITEMS)
    changes = store.changes(job.id, limit=ITEMS + 1)
    assert [item.finished_no for item in changes] == list(range(1, ITEMS + 1))
    assert {item.position for item in changes} == set(range(ITEMS))
    attempts = {item.position: item.attempt for item in changes}
    lines = [line for log in logs for line in log.read_text("utf-8").splitlines()]
    told = [(int(position), int(attempt)) for position, attempt in map(str.split, lines)]
    assert len({position for position, _ in told}) == len(told), "two were told that they ended it"
    assert all(attempts[position] == attempt for position, attempt in told)
    # Who is killed between its commit and its log has one line less.
    assert ITEMS - 2 <= len(told) <= ITEMS
    store.close()


def test_nodes_that_start_together_make_the_tables_once(database_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    nodes = [context.Process(target=create, args=(database_url, sender)) for _ in range(4)]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join(60)
    assert [node.exitcode for node in nodes] == [0] * 4
    ids = {receiver.recv() for _ in nodes}
    store = Store(database_url)
    assert {job.id for job in store.jobs()} == ids
    assert len(ids) == 1, "one idempotency key"
    store.close()


def create(url: str, ids: Connection) -> None:
    """Opens the database and creates a job, as a node does that starts."""
    job, _ = Store(url).create({}, keep_s=60, idempotency_key="the same")
    ids.send(job.id)
