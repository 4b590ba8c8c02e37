"""Who works on which item, for how long, and whose result counts.

An item's ``attempt`` grows with every lease and is the fencing token: what a runner commits counts
only while the item is leased with the attempt that the runner holds.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select, update

from deployments.jobs.ledger import book, lock_all, moves
from deployments.jobs.records import (
    GAVE_UP,
    ItemState,
    JobState,
    Lease,
    Outcome,
)
from deployments.jobs.tables import LEASED, items, jobs, to_item

FREE: dict[str, Any] = {"runner": None, "lease_until": None}
"""What an item that nobody leases has in its columns."""


def deal(n: int, waiting: Sequence[int]) -> tuple[list[int], list[int]]:
    """Deals ``n`` places round and round among jobs that have so many items waiting. Returns how
    many each gets, and which of the places (from 1) was its last, 0 for none.
    """
    shares, last = [0] * len(waiting), [0] * len(waiting)
    dealt = 0
    while dealt < n and sum(shares) < sum(waiting):
        for index, available in enumerate(waiting):
            if dealt < n and shares[index] < available:
                dealt += 1
                shares[index] += 1
                last[index] = dealt
    return shares, last


def take(connection: Connection, runner: str, n: int, now: float, until: float) -> list[Lease]:
    """Leases up to ``n`` waiting items to the runner."""
    candidates = (
        select(jobs)
        .where(jobs.c.state == JobState.RUNNING, jobs.c.waiting > 0)
        .order_by(jobs.c.turn, jobs.c.created_at, jobs.c.id)
    )
    free = candidates.limit(n).with_for_update(skip_locked=True)
    rows = connection.execute(free).mappings().all()
    if not rows:
        # All are busy for a moment. To wait for one, holding none, cannot end in a circle.
        first = candidates.limit(1).with_for_update()
        rows = connection.execute(first).mappings().all()
    shares, last = deal(n, [row["waiting"] for row in rows])
    newest_turn = connection.execute(select(func.max(jobs.c.turn))).scalar() or 0
    leases = []
    for job, share, turn in zip(rows, shares, last, strict=True):
        if not share:
            continue
        found = _lease_items(connection, job["id"], share, runner, until)
        leases += [Lease(to_item(item), job["order"], runner, until) for item in found]
        moved = moves(ItemState.WAITING, ItemState.LEASED, len(found))
        book(connection, job, moved, now, turn=newest_turn + turn)
    return leases


def _lease_items(
    connection: Connection, job_id: str, n: int, runner: str, until: float
) -> list[RowMapping]:
    next_ = (
        select(items.c.position)
        .where(items.c.job_id == job_id, items.c.state == ItemState.WAITING)
        .order_by(items.c.position)
        .limit(n)
    )
    statement = (
        update(items)
        .where(items.c.job_id == job_id, items.c.position.in_(next_))
        .values(
            state=ItemState.LEASED,
            attempt=items.c.attempt + 1,
            tries=items.c.tries + 1,
            runner=runner,
            lease_until=until,
        )
        .returning(items)
    )
    rows = connection.execute(statement).mappings().all()
    return sorted(rows, key=lambda row: int(row["position"]))


def overdue_jobs(connection: Connection, now: float, longest_s: float) -> list[str]:
    """Jobs with leases that expired."""
    # DISTINCT here, not in SQL: SQLite would take the index of all items for its order.
    statement = select(items.c.job_id).where(LEASED, _overdue(now, longest_s))
    return sorted(set(connection.execute(statement).scalars()))


def take_back(
    connection: Connection, job_ids: Sequence[str], now: float, longest_s: float, max_tries: int
) -> None:
    """Items with expired leases wait again, or are failed after ``max_tries``."""
    for job_id, job in lock_all(connection, job_ids).items():
        statement = (
            select(items.c.position, items.c.tries)
            .where(items.c.job_id == job_id, LEASED, _overdue(now, longest_s))
            .order_by(items.c.position)
        )
        overdue = connection.execute(statement).all()
        again = [row.position for row in overdue if row.tries < max_tries]
        lost = [row.position for row in overdue if row.tries >= max_tries]
        if again:
            chosen = and_(items.c.job_id == job_id, items.c.position.in_(again))
            connection.execute(update(items).where(chosen).values(state=ItemState.WAITING, **FREE))
        for number, position in enumerate(lost, job["finished_no"] + 1):
            given_up = {"state": ItemState.FAILED, "error": GAVE_UP, "finished_at": now, **FREE}
            chosen = and_(items.c.job_id == job_id, items.c.position == position)
            connection.execute(update(items).where(chosen).values(finished_no=number, **given_up))
        moved = moves(ItemState.LEASED, ItemState.WAITING, len(again))
        moved.update(moves(ItemState.LEASED, ItemState.FAILED, len(lost)))
        book(connection, job, moved, now, finished_no=job["finished_no"] + len(lost))


def extend(connection: Connection, leases: Sequence[Lease], until: float) -> list[Lease | None]:
    """The leases with their new end, None for each that is not held any more."""
    lock_all(connection, [lease.item.job_id for lease in leases])
    renewed: list[Lease | None] = []
    for lease in leases:
        held = _change(connection, lease, lease_until=until)
        renewed.append(Lease(lease.item, lease.order, lease.runner, until) if held else None)
    return renewed


def hand_back(connection: Connection, leases: Sequence[Lease], now: float) -> None:
    """Items wait again as if they had not been tried."""
    rows = lock_all(connection, [lease.item.job_id for lease in leases])
    returned: Counter[str] = Counter()
    values = {"state": ItemState.WAITING, "tries": items.c.tries - 1, **FREE}
    for lease in leases:
        if _change(connection, lease, **values):
            returned[lease.item.job_id] += 1
    for job_id, n in returned.items():
        book(connection, rows[job_id], moves(ItemState.LEASED, ItemState.WAITING, n), now)


def end(
    connection: Connection, outcomes: Sequence[Outcome], now: float, max_tries: int
) -> list[bool]:
    """Writes the outcomes of those leases that are still held; True for each that was."""
    rows = lock_all(connection, [outcome.lease.item.job_id for outcome in outcomes])
    order = sorted(range(len(outcomes)), key=lambda i: outcomes[i].lease.item.job_id)
    ended = [False] * len(outcomes)
    for job_id, indices in groupby(order, key=lambda i: outcomes[i].lease.item.job_id):
        if job_id not in rows:
            continue
        job = rows[job_id]
        number, result_bytes = job["finished_no"], job["result_bytes"]
        moved: Counter[ItemState] = Counter()
        for index in indices:
            outcome = outcomes[index]
            values = _outcome_values(outcome, max_tries)
            finished = values["state"] != ItemState.WAITING
            if finished:
                values |= {"finished_no": number + 1, "finished_at": now}
            if not _change(connection, outcome.lease, **values):
                continue
            number += finished
            result_bytes += values.get("result_bytes", 0)
            moved.update(moves(ItemState.LEASED, values["state"], 1))
            ended[index] = True
        if moved:
            book(connection, job, moved, now, finished_no=number, result_bytes=result_bytes)
    return ended


def _outcome_values(outcome: Outcome, max_tries: int) -> dict[str, Any]:
    if outcome.error is not None:
        again = outcome.retryable and outcome.lease.item.tries < max_tries
        state = ItemState.WAITING if again else ItemState.FAILED
        return {"state": state, "error": outcome.error, **FREE}
    return {
        "state": ItemState.DONE,
        "error": None,
        "checks": list(outcome.checks),
        "result_keys": list(outcome.result_keys),
        "result_bytes": outcome.result_bytes,
        **FREE,
    }


def _overdue(now: float, longest_s: float) -> Any:
    return or_(items.c.lease_until <= now, items.c.lease_until > now + longest_s)


def _change(connection: Connection, lease: Lease, **values: Any) -> bool:
    """Changes the item if the lease still counts, and tells whether it does; the job is locked."""
    held = and_(
        items.c.job_id == lease.item.job_id,
        items.c.position == lease.item.position,
        items.c.state == ItemState.LEASED,
        items.c.attempt == lease.item.attempt,
    )
    return connection.execute(update(items).where(held).values(values)).rowcount == 1
