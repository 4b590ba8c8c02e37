"""Looking at jobs and items; changes nothing."""

from collections.abc import Collection

from sqlalchemy import Connection, Select, func, select

from deployments.jobs.ledger import UnknownJob
from deployments.jobs.records import Item, ItemState, Job, Totals
from deployments.jobs.tables import ERASABLE, items, jobs, to_item, to_job


def job(connection: Connection, job_id: str) -> Job:
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one_or_none()
    if row is None:
        raise UnknownJob(job_id)
    return to_job(row)


def newest_jobs(connection: Connection, key_name: str | None, limit: int) -> list[Job]:
    statement = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
    if key_name is not None:
        statement = statement.where(jobs.c.key_name == key_name)
    return _jobs(connection, statement)


def expired_jobs(connection: Connection, now: float, limit: int) -> list[Job]:
    statement = select(jobs).where(jobs.c.keep_until <= now).order_by(jobs.c.keep_until)
    return _jobs(connection, statement.limit(limit))


def item(connection: Connection, job_id: str, position: int) -> Item | None:
    statement = select(items).where(items.c.job_id == job_id, items.c.position == position)
    found = _items(connection, statement)
    return found[0] if found else None


def page(
    connection: Connection, job_id: str, states: Collection[ItemState], after: int, limit: int
) -> list[Item]:
    statement = select(items).where(items.c.job_id == job_id, items.c.position > after)
    if states:
        statement = statement.where(items.c.state.in_(states))
    return _items(connection, statement.order_by(items.c.position).limit(limit))


def changes(connection: Connection, job_id: str, after: int, limit: int) -> list[Item]:
    statement = select(items).where(items.c.job_id == job_id, items.c.finished_no > after)
    return _items(connection, statement.order_by(items.c.finished_no).limit(limit))


def worked_at(connection: Connection, job_id: str, limit: int) -> list[float]:
    statement = (
        select(items.c.finished_at)
        .where(items.c.job_id == job_id, items.c.finished_no > 0)
        # What was no photo was finished as it came, which tells nothing of the work.
        .where(items.c.attempt > 0)
        .order_by(items.c.finished_no.desc())
        .limit(limit)
    )
    return sorted(connection.execute(statement).scalars())


def erasable(connection: Connection, limit: int) -> list[Item]:
    statement = select(items).where(ERASABLE).order_by(items.c.job_id, items.c.position)
    return _items(connection, statement.limit(limit))


def totals(connection: Connection) -> Totals:
    statement = select(
        func.count(),
        func.sum(jobs.c.waiting + jobs.c.leased),
        func.sum(jobs.c.upload_bytes),
        func.sum(jobs.c.result_bytes),
    )
    # Sums are NULL without jobs, and PostgreSQL's are decimal numbers.
    return Totals(*(int(value or 0) for value in connection.execute(statement).one()))


def item_counts(connection: Connection) -> dict[ItemState, int]:
    sums = [func.sum(jobs.c[state.value]) for state in ItemState]
    found = connection.execute(select(*sums)).one()
    return {state: int(value or 0) for state, value in zip(ItemState, found, strict=True)}


def _jobs(connection: Connection, statement: Select[tuple[object, ...]]) -> list[Job]:
    return [to_job(row) for row in connection.execute(statement).mappings()]


def _items(connection: Connection, statement: Select[tuple[object, ...]]) -> list[Item]:
    return [to_item(row) for row in connection.execute(statement).mappings()]
