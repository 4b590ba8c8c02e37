"""The row of a job as the ledger of its items: locked before an item moves, right ever after.

Whoever changes items of several jobs locks the jobs in the order of their ids, so that nobody
waits in a circle. SQLite locks the whole database instead, when the transaction begins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from deployments.jobs.records import ItemState, JobState
from deployments.jobs.tables import jobs


class UnknownJob(Exception):
    """There is no such job, or no longer."""


class WrongState(Exception):
    """The job is in a state that does not allow this."""


def lock(connection: Connection, job_id: str) -> RowMapping:
    """The job's row, which nobody else changes until the transaction ends."""
    for row in lock_all(connection, [job_id]).values():
        return row
    raise UnknownJob(job_id)


def lock_all(connection: Connection, job_ids: Iterable[str]) -> dict[str, RowMapping]:
    """Rows by id, of those jobs that exist."""
    rows: list[RowMapping] = []
    # One by one: PostgreSQL promises no order of locking within a statement that also sorts.
    for job_id in sorted(set(job_ids)):
        statement = select(jobs).where(jobs.c.id == job_id).with_for_update()
        rows += connection.execute(statement).mappings().all()
    return {row["id"]: row for row in rows}


def book(
    connection: Connection,
    job: RowMapping,
    moved: Mapping[ItemState, int],
    now: float,
    **values: Any,
) -> None:
    """Enters how many items more or fewer are in each state, and other values of the job; a job
    whose last item ended is done.

    :param job: the locked row.
    """
    counts = {state: job[state.value] + moved.get(state, 0) for state in ItemState}
    values |= {state.value: count for state, count in counts.items()}
    state = values.get("state", job["state"])
    unfinished = counts[ItemState.WAITING] + counts[ItemState.LEASED]
    if state in (JobState.RUNNING, JobState.PAUSED) and not unfinished:
        values |= ending(job, JobState.DONE, now)
    connection.execute(update(jobs).where(jobs.c.id == job["id"]).values(values))


def ending(job: RowMapping, state: JobState, now: float) -> dict[str, Any]:
    """What changes in a job's row when it ends in ``state``."""
    return {
        "state": state,
        "ended_at": now,
        "paused_for": None,
        "keep_until": now + job["keep_s"],
        "webhook_at": None if job["webhook_url"] is None else now,
        "webhook_tries": 0,
    }


def moves(source: ItemState, target: ItemState, n: int) -> Counter[ItemState]:
    """``n`` items go from one state to another."""
    return Counter({source: -n, target: n})
