"""Random histories of many runners that die, a clock that jumps, and orders in between: every
item ends once, by its holder, and the numbers of the finished have no gap.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from deployments.jobs.records import ItemState, JobState, Lease, NewItem, Outcome
from deployments.jobs.store import Store, WrongState
from tests.jobs.conftest import Clock

RUNNERS = st.sampled_from(["a", "b", "c", "d", "e"])
WHICH = st.integers(0, 10**6)
FINAL = (ItemState.DONE, ItemState.FAILED)


class Histories(RuleBasedStateMachine):
    """What runners believe, beside what the store says. ``held`` grows only: a runner that lost a
    lease, or died and came back, may try to commit it at any time.
    """

    store: Store
    clock: Clock

    @initialize()
    def begin(self) -> None:
        for job in self.store.jobs():
            self.store.delete(job.id)  # of an example that failed
        self.clock.now = 1_000_000.0
        self.held: list[Lease] = []
        self.newest: dict[tuple[str, int], int] = {}
        self.ended: dict[tuple[str, int], tuple[ItemState, int]] = {}
        self.totals: dict[str, int] = {}
        self.numbers: dict[str, int] = {}
        self.add_job(3)

    @rule(n=st.integers(1, 6))
    def add_job(self, n: int) -> None:
        # No two at the same moment: their turns would be in the order of their random ids.
        self.clock.now += 0.001 * (len(self.totals) + 1)
        job, _ = self.store.create({}, keep_s=60)
        self.store.add_items(job.id, [NewItem(i, str(i), upload_key="k") for i in range(n)])
        self.store.start(job.id)
        self.totals[job.id], self.numbers[job.id] = n, 0

    @rule(runner=RUNNERS, n=st.integers(0, 5), lease_s=st.sampled_from([1, 10, 100]))
    def lease(self, runner: str, n: int, lease_s: float) -> None:
        leases = self.store.lease(runner, n, lease_s)
        assert len(leases) <= n
        for lease in leases:
            key = (lease.item.job_id, lease.item.position)
            assert key not in self.ended, "an item that ended was leased"
            assert lease.item.attempt == self.newest.get(key, 0) + 1
            self.newest[key] = lease.item.attempt
        self.held += leases

    @rule(n=st.integers(1, 5), next_=RUNNERS)
    def take_over(self, n: int, next_: str) -> None:
        self.lease("slow", n, 10)
        self.clock.now += 11
        self.lease(next_, n, 100)

    @rule(which=st.lists(WHICH, min_size=1, max_size=3), failed=st.booleans(), again=st.booleans())
    def commit(self, which: list[int], failed: bool, again: bool) -> None:
        if not self.held:
            return
        leases = [self.held[i % len(self.held)] for i in which]
        error = "no_face" if failed else None
        outcomes = [
            Outcome(lease, (f"{lease.item.attempt}",), error=error, retryable=again)
            for lease in leases
        ]
        for lease, ended in zip(leases, self.store.commit(outcomes), strict=True):
            if ended:
                self._note(lease)

    def _note(self, lease: Lease) -> None:
        key = (lease.item.job_id, lease.item.position)
        assert key not in self.ended, "committed twice"
        assert lease.item.attempt == self.newest[key], "committed by a stale holder"
        item = self.store.item(*key)
        assert item is not None and item.attempt == lease.item.attempt
        if item.state in FINAL:
            self.ended[key] = (item.state, item.attempt)

    @rule(which=WHICH, lease_s=st.sampled_from([1, 100]))
    def renew(self, which: int, lease_s: float) -> None:
        if self.held:
            lease = self.held[which % len(self.held)]
            (renewed,) = self.store.renew([lease], lease_s)
            if renewed is not None:
                assert renewed == replace(lease, until=self.clock.now + lease_s)
                assert (lease.item.job_id, lease.item.position) not in self.ended

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        if self.held:
            self.store.release([self.held[which % len(self.held)]])

    @rule(by_s=st.sampled_from([-10_000, -5, 0.5, 5, 50, 10_000]))
    def jump(self, by_s: float) -> None:
        self.clock.now += by_s

    @rule(rarely=st.integers(0, 4))
    def pause(self, rarely: int) -> None:
        (self.store.resume if rarely else self.store.pause)("by_hand")

    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        if not self.totals:
            return
        job_id = list(self.totals)[which % len(self.totals)]
        failed = self.store.items(job_id, states=[ItemState.FAILED])
        try:
            again = self.store.retry_failed(job_id)
        except WrongState:
            return
        assert again == len(failed)
        for item in failed:
            self.ended.pop((job_id, item.position), None)
        if again:
            # Their old numbers are gone for good.
            self.numbers.pop(job_id, None)

    @rule(which=WHICH, rarely=st.integers(0, 9))
    def cancel(self, which: int, rarely: int) -> None:
        if self.totals and not rarely:
            self.store.cancel(list(self.totals)[which % len(self.totals)])

    @invariant()
    def the_books_are_right(self) -> None:
        for job_id, total in self.totals.items():
            job, items = self.store.job(job_id), self.store.items(job_id)
            assert job.total == len(items) == total
            for state, count in job.counts.items():
                assert sum(item.state == state for item in items) == count
            changed = self.store.changes(job_id)
            numbers = [number for item in changed if (number := item.finished_no) is not None]
            assert numbers == sorted(set(numbers))
            assert len(changed) == job.counts[ItemState.DONE] + job.counts[ItemState.FAILED]
            if job_id in self.numbers:
                assert numbers == list(range(1, job.finished_no + 1))
            unfinished = job.counts[ItemState.WAITING] + job.counts[ItemState.LEASED]
            assert job.ended == (unfinished == 0)
            for item in items:
                ended = self.ended.get((job_id, item.position))
                assert ended is None or ended == (item.state, item.attempt)
                if item.state == ItemState.DONE:
                    assert ended is not None
                    assert item.result_keys == (str(item.attempt),)

    def teardown(self) -> None:
        """One runner that lives is enough to bring everything to its end."""
        self.store.resume("by_hand")
        self.clock.now += 1_000_000  # beyond all leases, however often the clock was set back
        while leases := self.store.lease("last", 4, 10):
            for lease in leases:
                self.newest[lease.item.job_id, lease.item.position] = lease.item.attempt
                assert self.store.finish(lease, [str(lease.item.attempt)])
                self._note(lease)
        self.the_books_are_right()
        for job_id in self.totals:
            assert self.store.job(job_id).state in (JobState.DONE, JobState.CANCELLED)
            self.store.delete(job_id)


@pytest.fixture
def machine(store: Store, clock: Clock) -> Iterator[type[Histories]]:
    yield type("Histories", (Histories,), {"store": store, "clock": clock})


def test_every_item_ends_once_whatever_happens(machine: type[Histories], database_url: str) -> None:
    examples = 30 if database_url.startswith("sqlite") else 12
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
