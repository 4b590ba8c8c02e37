"""Keeping little: uploads that were erased, jobs that go, webhooks that are owed."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection, and_, delete, select, update

from deployments.jobs.ledger import lock_all
from deployments.jobs.records import Item, Job
from deployments.jobs.tables import items, jobs, to_job

_ROWS_AT_ONCE = 10_000
"""Items deleted in one transaction, so that the runners are not kept waiting for long."""


def forget_uploads(connection: Connection, erased: Sequence[Item]) -> None:
    """Takes the uploads out of the items and the jobs' sums."""
    rows = lock_all(connection, [item.job_id for item in erased])
    by_job = sorted(erased, key=lambda item: item.job_id)
    for job_id, group in groupby(by_job, key=lambda item: item.job_id):
        if job_id not in rows:
            continue
        chosen = and_(
            items.c.job_id == job_id,
            items.c.position.in_([item.position for item in group]),
            items.c.upload_key.is_not(None),
        )
        statement = update(items).where(chosen).values(upload_key=None)
        sizes = connection.execute(statement.returning(items.c.upload_bytes)).scalars()
        left = rows[job_id]["upload_bytes"] - sum(sizes)
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(upload_bytes=left))


def delete_some(connection: Connection, job_id: str) -> bool:
    """Deletes a part of the job's items, or the job when none is left; True when that is done."""
    if not lock_all(connection, [job_id]):
        return True
    some = select(items.c.position).where(items.c.job_id == job_id).limit(_ROWS_AT_ONCE)
    chosen = and_(items.c.job_id == job_id, items.c.position.in_(some))
    if connection.execute(delete(items).where(chosen)).rowcount == _ROWS_AT_ONCE:
        return False
    connection.execute(delete(jobs).where(jobs.c.id == job_id))
    return True


def claim_webhooks(connection: Connection, limit: int, now: float, until: float) -> list[Job]:
    """Jobs whose webhook is owed now; for others it is owed at ``until`` from now on."""
    statement = (
        select(jobs)
        .where(jobs.c.webhook_at <= now)
        .order_by(jobs.c.webhook_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = []
    for row in connection.execute(statement).mappings().all():
        values = {"webhook_at": until, "webhook_tries": row["webhook_tries"] + 1}
        connection.execute(update(jobs).where(jobs.c.id == row["id"]).values(values))
        claimed.append(to_job({**row, **values}))
    return claimed


def owe_webhook(connection: Connection, job_id: str, at: float | None) -> None:
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.webhook_at.is_not(None))
        .values(webhook_at=at)
    )
