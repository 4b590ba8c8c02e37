"""Who may finish an item, and whose turn it is, on both databases."""

import pytest

from deployments.jobs.records import GAVE_UP, ItemState, JobState, Outcome
from deployments.jobs.store import Store
from tests.jobs.conftest import Clock
from tests.jobs.test_store import finish_all, running


def state(store: Store, job_id: str, position: int = 0) -> tuple[ItemState, int, str | None]:
    item = store.item(job_id, position)
    assert item is not None
    return item.state, item.attempt, item.error


def test_a_lease_says_all_that_a_runner_needs(store: Store, clock: Clock) -> None:
    job_id = running(store, 3)
    first, second = store.lease("r", 2, 60)
    assert (first.item.job_id, first.item.position, first.item.upload_key) == (job_id, 0, "k/0")
    assert (first.item.state, first.item.attempt, first.item.tries) == (ItemState.LEASED, 1, 1)
    assert (first.runner, first.until, first.order["dpi"]) == ("r", clock.now + 60, 300)
    assert second.item.position == 1
    assert [lease.item.position for lease in store.lease("s", 2, 60)] == [2]
    assert store.job(job_id).counts[ItemState.LEASED] == 3


def test_an_item_is_finished_once(store: Store) -> None:
    job_id = running(store, 2)
    (lease,) = store.lease("r", 1, 60)
    assert store.finish(lease, ["a"])
    assert not store.finish(lease, ["b"])
    assert not store.fail(lease, "no_face", retryable=True)
    assert store.renew([lease], 60) == [None]
    item = store.item(job_id, 0)
    assert item is not None
    assert (item.state, item.result_keys, item.finished_no) == (ItemState.DONE, ("a",), 1)
    assert store.job(job_id).finished_no == 1


def test_who_lost_a_lease_cannot_commit(store: Store, clock: Clock) -> None:
    job_id = running(store, 1)
    (late,) = store.lease("r", 1, 60)
    clock.now += 60
    (taken,) = store.lease("s", 1, 60)
    assert (taken.item.attempt, taken.item.tries) == (2, 2)
    assert not store.finish(late, ["late"])
    assert not store.fail(late, "no_face", retryable=False)
    assert store.renew([late, taken], 60)[0] is None
    store.release([late])
    assert state(store, job_id) == (ItemState.LEASED, 2, None)
    assert store.finish(taken, ["right"])
    item = store.item(job_id, 0)
    assert item is not None and item.result_keys == ("right",)


def test_who_is_late_may_commit_while_nobody_took_over(store: Store, clock: Clock) -> None:
    running(store, 1)
    (lease,) = store.lease("r", 1, 60)
    clock.now += 1000
    assert store.finish(lease, ["late"])


def test_a_renewed_lease_is_not_taken_over(store: Store, clock: Clock) -> None:
    running(store, 1)
    (lease,) = store.lease("r", 1, 60)
    clock.now += 50
    (renewed,) = store.renew([lease], 60)
    assert renewed is not None
    assert renewed.until == clock.now + 60
    clock.now += 59
    assert store.lease("s", 1, 60) == []
    assert store.finish(renewed, [])


def test_an_item_that_loses_all_its_runners_is_given_up(store: Store, clock: Clock) -> None:
    job_id = running(store, 2)
    for attempt in (1, 2, 3):
        leases = store.lease("r", 2, 60)
        assert [lease.item.attempt for lease in leases] == [attempt, attempt]
        clock.now += 60
    assert store.lease("r", 2, 60) == []
    assert state(store, job_id) == (ItemState.FAILED, 3, GAVE_UP)
    assert [item.finished_no for item in store.changes(job_id)] == [1, 2]
    assert store.job(job_id).state == JobState.DONE
    assert not store.finish(leases[0], ["late"])


def test_an_error_that_may_pass_is_tried_again(store: Store) -> None:
    job_id = running(store, 1)
    for attempt in (1, 2):
        (lease,) = store.lease("r", 1, 60)
        assert store.fail(lease, "unavailable", retryable=True)
        assert state(store, job_id) == (ItemState.WAITING, attempt, "unavailable")
        assert store.changes(job_id) == []
    (lease,) = store.lease("r", 1, 60)
    assert store.fail(lease, "unavailable", retryable=True)
    assert state(store, job_id) == (ItemState.FAILED, 3, "unavailable")


def test_items_handed_back_were_not_tried(store: Store) -> None:
    job_id = running(store, 1)
    for attempt in range(1, 10):
        (lease,) = store.lease("r", 1, 60)
        assert (lease.item.attempt, lease.item.tries) == (attempt, 1)
        store.release([lease])
        store.release([lease])
        assert not store.finish(lease, [])
    assert store.job(job_id).counts[ItemState.WAITING] == 1


def test_a_clock_that_went_back_holds_no_lease_for_ever(store: Store, clock: Clock) -> None:
    job_id = running(store, 1)
    store.lease("r", 1, 60)
    clock.now -= 1_000_000
    assert [lease.item.job_id for lease in store.lease("s", 1, 60)] == [job_id]


def test_outcomes_of_several_jobs_are_one_commit(store: Store) -> None:
    job_id, other, gone = running(store, 2), running(store, 1), running(store, 1)
    leases = {(x.item.job_id, x.item.position): x for x in store.lease("r", 4, 60)}
    store.delete(gone)
    outcomes = [
        Outcome(leases[other, 0], ("b",), 5),
        Outcome(leases[gone, 0], ("c",)),
        Outcome(leases[job_id, 1], error="no_face"),
        Outcome(leases[job_id, 0], ("a",), 7),
        Outcome(leases[job_id, 0], ("again",), 7),
    ]
    assert store.commit(outcomes) == [True, False, True, True, False]
    assert store.commit([]) == []
    assert [item.position for item in store.changes(job_id)] == [1, 0]
    assert store.job(job_id).result_bytes == 7
    assert store.job(other).state == JobState.DONE


def test_a_small_job_is_not_starved_by_large_ones(store: Store, clock: Clock) -> None:
    large = [running(store, 500) for _ in range(6)]
    clock.now += 1
    store.lease("r", 40, 60)
    clock.now += 1
    small = running(store, 3)
    served = [lease.item.job_id for _ in range(21) for lease in store.lease("r", 1, 60)]
    assert served[0] == small, "a job that had no turn yet is first"
    assert [served.count(job_id) for job_id in [small, *large]] == [3] * 7


def test_jobs_share_a_window_evenly(store: Store) -> None:
    jobs = [running(store, 100) for _ in range(3)]
    for n in (8, 8, 8, 5, 1, 3):
        store.lease("r", n, 60)
    assert [store.job(job_id).counts[ItemState.LEASED] for job_id in jobs] == [11, 11, 11]


def test_of_jobs_that_had_no_turn_the_oldest_is_first(store: Store, clock: Clock) -> None:
    jobs = []
    for _ in range(4):
        clock.now += 1
        jobs.append(running(store, 9))
    assert [lease.item.job_id for lease in store.lease("r", 3, 60)] == jobs[:3]


@pytest.mark.parametrize("lease_s", [0, -1, 3601])
def test_a_lease_has_a_length_that_a_wrong_clock_can_be_told_by(
    store: Store, lease_s: float
) -> None:
    with pytest.raises(ValueError, match="lease"):
        store.lease("r", 1, lease_s)


def test_retried_items_are_not_finished_by_who_held_them_before(store: Store) -> None:
    job_id = running(store, 1)
    (old,) = store.lease("r", 1, 60)
    store.fail(old, "no_face", retryable=False)
    store.retry_failed(job_id)
    assert not store.finish(old, ["old"])
    finish_all(store)
    item = store.item(job_id, 0)
    assert item is not None and item.result_keys == ("r/0",)
