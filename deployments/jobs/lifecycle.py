"""How a job begins, is steered and ends."""

import secrets
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from deployments.jobs.leases import FREE
from deployments.jobs.ledger import WrongState, book, ending, lock, lock_all, moves
from deployments.jobs.records import ItemState, JobState, NewItem
from deployments.jobs.tables import items, jobs

_ROWS_AT_ONCE = 1000
"""Items in one statement."""


def earlier(connection: Connection, key_name: str, idempotency_key: str) -> str | None:
    """The id of the job that was created with this key before."""
    statement = select(jobs.c.id).where(
        jobs.c.key_name == key_name, jobs.c.idempotency_key == idempotency_key
    )
    return connection.execute(statement).scalar()


def create(connection: Connection, now: float, receiving_s: float, **columns: Any) -> str:
    """Inserts a job; returns its id. Two with one idempotency key: ``IntegrityError``."""
    job_id = secrets.token_hex(16)
    row = {
        "id": job_id,
        "created_at": now,
        "state": JobState.RECEIVING,
        "keep_until": now + receiving_s,
        **columns,
    }
    connection.execute(insert(jobs).values(row))
    return job_id


def add(
    connection: Connection, job_id: str, new: Sequence[NewItem], now: float, receiving_s: float
) -> int:
    """Inserts the items that the job does not have yet; returns how many."""
    job = lock(connection, job_id)
    if job["state"] != JobState.RECEIVING:
        raise WrongState(f"the job is {job['state'].value} and receives no more")
    number, upload_bytes = job["finished_no"], job["upload_bytes"]
    counts: Counter[ItemState] = Counter()
    for start in range(0, len(new), _ROWS_AT_ONCE):
        batch = {item.position: item for item in new[start : start + _ROWS_AT_ONCE]}
        known = select(items.c.position).where(
            items.c.job_id == job_id, items.c.position.in_(batch)
        )
        for position in connection.execute(known).scalars():
            del batch[position]
        rows = []
        for item in batch.values():
            state = ItemState.WAITING if item.error is None else ItemState.FAILED
            number += item.error is not None
            rows.append(_new_row(job_id, item, state, number, now))
            counts[state] += 1
            upload_bytes += item.upload_bytes if item.upload_key is not None else 0
        if rows:
            connection.execute(insert(items), rows)
    values = {"finished_no": number, "upload_bytes": upload_bytes, "keep_until": now + receiving_s}
    book(connection, job, counts, now, **values)
    return counts.total()


def _new_row(
    job_id: str, item: NewItem, state: ItemState, number: int, now: float
) -> dict[str, Any]:
    failed = state == ItemState.FAILED
    return {
        "job_id": job_id,
        "position": item.position,
        "name": item.name,
        "state": state,
        "upload_key": item.upload_key,
        "upload_bytes": item.upload_bytes,
        "source": item.source,
        "overrides": dict(item.overrides),
        "error": item.error,
        "checks": [],
        "result_keys": [],
        "finished_no": number if failed else None,
        "finished_at": now if failed else None,
    }


def start(connection: Connection, job_id: str, now: float) -> None:
    job = lock(connection, job_id)
    if job["state"] == JobState.RECEIVING:
        book(connection, job, {}, now, state=JobState.RUNNING, started_at=now, keep_until=None)


def switch(connection: Connection, job_id: str | None, reason: str, *, paused: bool) -> int:
    """Pauses running jobs for the reason, or lets those paused for it run."""
    source, target = JobState.RUNNING, JobState.PAUSED
    if not paused:
        source, target = target, source
    where = [jobs.c.state == source]
    if not paused:
        where.append(jobs.c.paused_for == reason)
    if job_id is not None:
        where.append(jobs.c.id == job_id)
    found = connection.execute(select(jobs.c.id).where(*where)).scalars().all()
    switched = 0
    for row in lock_all(connection, found).values():
        if row["state"] == source and (paused or row["paused_for"] == reason):
            values = {"state": target, "paused_for": reason if paused else None}
            connection.execute(update(jobs).where(jobs.c.id == row["id"]).values(values))
            switched += 1
    return switched


def cancel(connection: Connection, job_id: str, now: float) -> None:
    job = lock(connection, job_id)
    if job["state"] in (JobState.DONE, JobState.CANCELLED):
        return
    statement = (
        update(items)
        .where(
            items.c.job_id == job_id,
            items.c.state.in_([ItemState.WAITING, ItemState.LEASED]),
        )
        .values(state=ItemState.CANCELLED, **FREE)
    )
    connection.execute(statement)
    moved = moves(ItemState.WAITING, ItemState.CANCELLED, job["waiting"])
    moved.update(moves(ItemState.LEASED, ItemState.CANCELLED, job["leased"]))
    book(connection, job, moved, now, **ending(job, JobState.CANCELLED, now))


def retry_failed(connection: Connection, job_id: str, now: float) -> int:
    job = lock(connection, job_id)
    if job["state"] != JobState.DONE or job["keep_until"] <= now:
        raise WrongState("only a job that is done and still kept can be retried")
    statement = (
        update(items)
        .where(
            items.c.job_id == job_id,
            items.c.state == ItemState.FAILED,
            or_(items.c.upload_key.is_not(None), items.c.source.is_not(None)),
        )
        .values(state=ItemState.WAITING, tries=0, error=None, finished_no=None, finished_at=None)
    )
    again = connection.execute(statement).rowcount
    if again:
        values = {"state": JobState.RUNNING, "ended_at": None, "keep_until": None}
        moved = moves(ItemState.FAILED, ItemState.WAITING, again)
        book(connection, job, moved, now, webhook_at=None, **values)
    return again


def expire(connection: Connection, job_id: str, now: float) -> None:
    cancel(connection, job_id, now)
    job = lock(connection, job_id)
    keep_until = min(job["keep_until"] or now, now)
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(keep_until=keep_until))
