"""The durable table of jobs and their items, on SQLite or PostgreSQL.

Methods may be called from any thread and by any number of processes and nodes. What a method
changes is changed in one transaction. When the database cannot be reached, written or waited for,
each raises ``StoreUnavailable``, and nothing else; the change may or may not have happened, and the
call may be repeated. Methods that name one job raise ``UnknownJob`` where there is none, unless
their text says otherwise.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy.exc import IntegrityError

from deployments.jobs import keeping, leases, lifecycle, listing
from deployments.jobs.database import Database, StoreUnavailable
from deployments.jobs.ledger import UnknownJob, WrongState
from deployments.jobs.records import Item, ItemState, Job, Json, Lease, NewItem, Outcome, Totals

__all__ = ["Store", "StoreUnavailable", "UnknownJob", "WrongState"]


class Store:
    """Jobs and items in the database at ``url``.

    :param url: ``sqlite:////folder/jobs.db`` or ``postgresql://user@host/name``. Tables are made
        or brought up to date when the store opens, by one node at a time.
    :param clock: UTC seconds. Clocks of nodes may differ by less than a lease; a wrong clock makes
        items be tried twice, but never finished twice.
    :param max_tries: leases that an item may lose before it is failed with ``gave_up``.
    :param receiving_s: how long a job may receive nothing before it may be erased.
    :param longest_lease_s: leases that end later than this from now were given by a clock that
        has gone back since, and count as expired.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.time,
        max_tries: int = 5,
        receiving_s: float = 3600,
        longest_lease_s: float = 3600,
    ) -> None:
        self._database = Database(url)
        self._clock = clock
        self._max_tries = max_tries
        self._receiving_s = receiving_s
        self._longest_lease_s = longest_lease_s

    def close(self) -> None:
        """Closes the connections; the store cannot be used any more."""
        self._database.close()

    # -- receiving ---------------------------------------------------------------------------

    def create(
        self,
        order: Json,
        *,
        keep_s: float,
        key_name: str = "",
        idempotency_key: str | None = None,
        webhook_url: str | None = None,
    ) -> tuple[Job, bool]:
        """Returns a new job in state receiving and True, or the job that ``key_name`` created with
        this ``idempotency_key`` before, in whatever state, and False.

        ``keep_s`` is how long results are kept after the job's end.
        """
        columns = {
            "order": dict(order),
            "keep_s": keep_s,
            "key_name": key_name,
            "idempotency_key": idempotency_key,
            "webhook_url": webhook_url,
        }
        try:
            with self._database.write() as connection:
                now = self._clock()
                job_id = lifecycle.create(connection, now, self._receiving_s, **columns)
                return listing.job(connection, job_id), True
        except IntegrityError:
            # Somebody has the key already.
            with self._database.read() as connection:
                earlier = lifecycle.earlier(connection, key_name, str(idempotency_key))
                if earlier is not None:
                    return listing.job(connection, earlier), False
        return self.create(
            order,
            keep_s=keep_s,
            key_name=key_name,
            idempotency_key=idempotency_key,
            webhook_url=webhook_url,
        )

    def add_items(self, job_id: str, items: Sequence[NewItem]) -> int:
        """Adds items to a receiving job; returns how many were new. Positions that the job has
        already are left as they are. Raises ``WrongState`` when it receives no more.
        """
        with self._database.write() as connection:
            return lifecycle.add(connection, job_id, items, self._clock(), self._receiving_s)

    def start(self, job_id: str) -> Job:
        """The job is complete and may be worked on; without anything to do it is done at once.
        Leaves a job that was started before as it is.
        """
        with self._database.write() as connection:
            lifecycle.start(connection, job_id, self._clock())
            return listing.job(connection, job_id)

    # -- looking -----------------------------------------------------------------------------

    def job(self, job_id: str) -> Job:
        with self._database.read() as connection:
            return listing.job(connection, job_id)

    def jobs(self, *, key_name: str | None = None, limit: int = 100) -> list[Job]:
        """The newest jobs first, of one key or of all."""
        with self._database.read() as connection:
            return listing.newest_jobs(connection, key_name, limit)

    def item(self, job_id: str, position: int) -> Item | None:
        with self._database.read() as connection:
            return listing.item(connection, job_id, position)

    def items(
        self,
        job_id: str,
        *,
        states: Iterable[ItemState] = (),
        after: int = -1,
        limit: int = 100,
    ) -> list[Item]:
        """Items by position, those beyond ``after`` in one of ``states`` (empty: all)."""
        with self._database.read() as connection:
            return listing.page(connection, job_id, list(states), after, limit)

    def changes(self, job_id: str, after: int = 0, limit: int = 100) -> list[Item]:
        """Items with ``finished_no`` beyond ``after``, in its order.

        What is returned never grows a hole later: once number n is seen, all below it were, but
        for items that are being retried, which get a new number when they finish again. Cancelled
        items have none; the job's state tells of them.
        """
        with self._database.read() as connection:
            return listing.changes(connection, job_id, after, limit)

    def worked_at(self, job_id: str, limit: int = 100) -> list[float]:
        """When the latest items were finished that a runner worked on, UTC seconds, in order."""
        with self._database.read() as connection:
            return listing.worked_at(connection, job_id, limit)

    def item_counts(self) -> dict[ItemState, int]:
        """Items of all jobs by state; every state is a key."""
        with self._database.read() as connection:
            return listing.item_counts(connection)

    def totals(self) -> Totals:
        with self._database.read() as connection:
            return listing.totals(connection)

    # -- working -----------------------------------------------------------------------------

    def lease(self, runner: str, n: int, lease_s: float) -> list[Lease]:
        """Up to ``n`` items for ``runner``, for ``lease_s`` seconds, by position within a job.

        Jobs take turns: the ``n`` places are dealt out evenly among the running jobs with waiting
        items, starting with the one whose last turn is longest ago (one that had none yet first,
        of several the oldest). So a job waits for one item of each other job at most, however many
        items those have. Expired leases of all jobs are taken back first.
        """
        now = self._clock()
        until = self._until(lease_s)
        with self._database.read() as connection:
            overdue = leases.overdue_jobs(connection, now, self._longest_lease_s)
        if overdue:
            with self._database.write() as connection:
                leases.take_back(connection, overdue, now, self._longest_lease_s, self._max_tries)
        with self._database.write() as connection:
            return leases.take(connection, runner, n, now, until)

    def renew(self, held: Sequence[Lease], lease_s: float) -> list[Lease | None]:
        """The leases as they are from now on, None for each that is no longer held."""
        with self._database.write() as connection:
            return leases.extend(connection, held, self._until(lease_s))

    def commit(self, outcomes: Sequence[Outcome]) -> list[bool]:
        """Ends the leases, all in one transaction: True where this call ended the lease, False
        where it was not held any more and nothing was changed: taken over, or the job was
        cancelled or deleted. The caller then erases what it wrote as results.

        A call that is repeated after ``StoreUnavailable`` may answer False because the first one
        got through: look at ``item`` before erasing its ``result_keys``.
        """
        with self._database.write() as connection:
            return leases.end(connection, outcomes, self._clock(), self._max_tries)

    def finish(
        self,
        lease: Lease,
        result_keys: Sequence[str],
        checks: Sequence[Json] = (),
        *,
        result_bytes: int = 0,
    ) -> bool:
        """``commit`` of one item that is done."""
        outcome = Outcome(lease, tuple(result_keys), result_bytes, checks)
        return self.commit([outcome])[0]

    def fail(self, lease: Lease, error: str, *, retryable: bool) -> bool:
        """``commit`` of one item that failed with this code."""
        return self.commit([Outcome(lease, error=error, retryable=retryable)])[0]

    def release(self, held: Sequence[Lease]) -> None:
        """Hands items back untried, as at a shutdown; those no longer held are left alone."""
        with self._database.write() as connection:
            leases.hand_back(connection, held, self._clock())

    # -- steering ----------------------------------------------------------------------------

    def pause(self, reason: str, job_id: str | None = None) -> int:
        """Pauses the job, or all, if running; returns how many were. ``reason`` is a code."""
        with self._database.write() as connection:
            return lifecycle.switch(connection, job_id, reason, paused=True)

    def resume(self, reason: str, job_id: str | None = None) -> int:
        """Resumes the job, or all, where paused for this reason; returns how many were."""
        with self._database.write() as connection:
            return lifecycle.switch(connection, job_id, reason, paused=False)

    def cancel(self, job_id: str) -> Job:
        """Ends a job that has not ended: items not finished become cancelled."""
        with self._database.write() as connection:
            lifecycle.cancel(connection, job_id, self._clock())
            return listing.job(connection, job_id)

    def retry_failed(self, job_id: str) -> int:
        """Failed items of a done job wait again, if their photo is still there, with all their
        tries; returns how many. Raises ``WrongState`` for a job that is not done.
        """
        with self._database.write() as connection:
            return lifecycle.retry_failed(connection, job_id, self._clock())

    # -- keeping little ----------------------------------------------------------------------

    def erasable_uploads(self, limit: int = 100) -> list[Item]:
        """Items done or cancelled whose upload is still kept."""
        with self._database.read() as connection:
            return listing.erasable(connection, limit)

    def forget_uploads(self, items: Sequence[Item]) -> None:
        """The uploads of these items have been erased."""
        with self._database.write() as connection:
            keeping.forget_uploads(connection, items)

    def expire(self, job_id: str) -> Job:
        """Cancels the job if it has not ended, and lets it be erased now."""
        with self._database.write() as connection:
            lifecycle.expire(connection, job_id, self._clock())
            return listing.job(connection, job_id)

    def expired(self, limit: int = 100) -> list[Job]:
        """Jobs to be erased: their files first, then ``delete``."""
        with self._database.read() as connection:
            return listing.expired_jobs(connection, self._clock(), limit)

    def delete(self, job_id: str) -> None:
        """Deletes job and items, files not included; nothing happens where there are none."""
        done = False
        while not done:
            with self._database.write() as connection:
                done = keeping.delete_some(connection, job_id)

    def claim_webhooks(self, limit: int = 10, claim_s: float = 60) -> list[Job]:
        """Ended jobs whose webhook is to be called now. For ``claim_s`` seconds nobody else gets
        them; then they come again, unless ``settle_webhook`` said otherwise.
        """
        now = self._clock()
        with self._database.write() as connection:
            return keeping.claim_webhooks(connection, limit, now, now + claim_s)

    def settle_webhook(self, job_id: str, again_in_s: float | None = None) -> None:
        """The webhook was called, or given up (None), or is to be called again after a time."""
        at = None if again_in_s is None else self._clock() + again_in_s
        with self._database.write() as connection:
            keeping.owe_webhook(connection, job_id, at)

    def _until(self, lease_s: float) -> float:
        if not 0 < lease_s <= self._longest_lease_s:
            raise ValueError("a lease lasts longer than 0 s and at most longest_lease_s")
        return self._clock() + lease_s
