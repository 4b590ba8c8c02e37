"""Jobs from their creation to their end, on both databases."""

from collections.abc import Sequence

import pytest

from deployments.jobs.records import ItemState, JobState, NewItem, Totals
from deployments.jobs.store import Store, UnknownJob, WrongState
from tests.jobs.conftest import Clock

ORDER = {"document": "us-passport", "background": ["white", "#438edb"], "dpi": 300}


def photos(n: int, start: int = 0) -> list[NewItem]:
    return [
        NewItem(i, f"photo {i}.jpg", upload_key=f"k/{i}", upload_bytes=10)
        for i in range(start, start + n)
    ]


def running(store: Store, n: int, webhook_url: str | None = None) -> str:
    job, _ = store.create(ORDER, keep_s=100, webhook_url=webhook_url)
    store.add_items(job.id, photos(n))
    store.start(job.id)
    return job.id


def finish_all(store: Store, errors: Sequence[int] = ()) -> None:
    while leases := store.lease("r", 4, 60):
        for lease in leases:
            position = lease.item.position
            if position in errors:
                assert store.fail(lease, "no_face", retryable=False)
            else:
                assert store.finish(lease, [f"r/{position}"], [{"code": "eyes"}], result_bytes=7)


def test_a_job_from_its_creation_to_its_end(store: Store, clock: Clock) -> None:
    job, created = store.create(ORDER, keep_s=100, key_name="shop", webhook_url="https://a/b")
    assert created
    assert (job.state, job.total, job.order) == (JobState.RECEIVING, 0, ORDER)
    assert (job.key_name, job.webhook_url, job.created_at) == ("shop", "https://a/b", clock.now)
    overrides = {"document": "cn-1-inch"}
    given = NewItem(2, "../../etc/密码.jpg", source="s3://theirs/2", overrides=overrides)
    assert store.add_items(job.id, [*photos(2), given]) == 3
    assert store.lease("r", 9, 60) == [], "nothing is worked on while the job is received"

    clock.now += 5
    job = store.start(job.id)
    assert (job.state, job.started_at, job.keep_until) == (JobState.RUNNING, clock.now, None)
    assert (job.counts[ItemState.WAITING], job.upload_bytes) == (3, 20)
    item = store.item(job.id, 2)
    assert item is not None
    assert (item.name, item.source, item.overrides) == (given.name, given.source, overrides)

    clock.now += 5
    finish_all(store, errors=[1])
    job = store.job(job.id)
    assert (job.state, job.ended_at, job.keep_until) == (JobState.DONE, clock.now, clock.now + 100)
    assert (job.counts[ItemState.DONE], job.counts[ItemState.FAILED], job.total) == (2, 1, 3)
    assert (job.finished_no, job.result_bytes) == (3, 14)
    done, failed = store.item(job.id, 0), store.item(job.id, 1)
    assert done is not None and failed is not None
    assert (done.result_keys, done.checks, done.error) == (("r/0",), [{"code": "eyes"}], None)
    assert (failed.result_keys, failed.error) == ((), "no_face")
    assert failed.finished_at == clock.now


@pytest.mark.parametrize("key_name", ["", "shop"])
def test_an_idempotency_key_creates_one_job_for_each_name(store: Store, key_name: str) -> None:
    first, created = store.create(ORDER, keep_s=1, key_name=key_name, idempotency_key="a")
    again, anew = store.create({"other": 1}, keep_s=1, key_name=key_name, idempotency_key="a")
    assert (created, anew) == (True, False)
    assert again == first
    _, others = store.create(ORDER, keep_s=1, key_name="another", idempotency_key="a")
    assert others
    assert store.create(ORDER, keep_s=1, key_name=key_name, idempotency_key="b")[1]
    assert store.create(ORDER, keep_s=1)[1] and store.create(ORDER, keep_s=1)[1]


def test_an_item_is_added_once(store: Store) -> None:
    job, _ = store.create(ORDER, keep_s=1)
    assert store.add_items(job.id, photos(2500)) == 2500
    assert store.add_items(job.id, photos(3, start=2498)) == 1
    job = store.start(job.id)
    assert (job.total, job.upload_bytes) == (2501, 25_010)
    with pytest.raises(WrongState):
        store.add_items(job.id, photos(1, start=9000))
    assert store.start(job.id) == job


def test_what_is_no_photo_is_failed_from_the_start(store: Store) -> None:
    job, _ = store.create(ORDER, keep_s=1)
    bad = [NewItem(i, f"{i}.txt", error="unsupported_format") for i in (1, 3)]
    store.add_items(job.id, [*photos(1), *bad])
    store.start(job.id)
    assert [(i.position, i.finished_no) for i in store.changes(job.id)] == [(1, 1), (3, 2)]
    finish_all(store)
    assert store.job(job.id).state == JobState.DONE
    assert store.retry_failed(job.id) == 0, "there is nothing to try again with"


def test_a_job_with_nothing_to_do_is_done_at_once(store: Store) -> None:
    job, _ = store.create(ORDER, keep_s=1)
    assert store.start(job.id).state == JobState.DONE


def test_items_are_paged_by_position_and_state(store: Store) -> None:
    job_id = running(store, 10)
    finish_all(store, errors=[2, 5, 7])
    failed = {ItemState.FAILED}
    pages = [store.items(job_id, states=failed, after=after, limit=2) for after in (-1, 5, 7)]
    assert [[item.position for item in page] for page in pages] == [[2, 5], [7], []]
    assert [item.position for item in store.items(job_id, after=6)] == [7, 8, 9]
    assert store.items("unknown") == []


def test_changes_are_resumed_from_a_number(store: Store) -> None:
    job_id = running(store, 5)
    leases = store.lease("r", 5, 60)
    for position in (3, 0, 4):
        store.finish(leases[position], [])
    assert [(i.finished_no, i.position) for i in store.changes(job_id)] == [(1, 3), (2, 0), (3, 4)]
    store.finish(leases[1], [])
    assert [(i.finished_no, i.position) for i in store.changes(job_id, 2)] == [(3, 4), (4, 1)]
    assert [i.finished_no for i in store.changes(job_id, 1, limit=1)] == [2]


def test_the_latest_work_alone_tells_the_pace(store: Store, clock: Clock) -> None:
    job, _ = store.create(ORDER, keep_s=1)
    store.add_items(job.id, [*photos(3), NewItem(3, "3.txt", error="unsupported_format")])
    store.start(job.id)
    first_at = clock.now + 1
    for lease in store.lease("r", 3, 60):
        clock.now += 1
        store.finish(lease, [])
    assert store.worked_at(job.id) == [first_at, first_at + 1, first_at + 2]
    assert store.worked_at(job.id, limit=2) == [first_at + 1, first_at + 2]
    assert store.worked_at("unknown") == []


def test_failed_items_alone_are_retried(store: Store, clock: Clock) -> None:
    job_id = running(store, 4)
    with pytest.raises(WrongState):
        store.retry_failed(job_id)
    finish_all(store, errors=[1, 2])
    assert store.retry_failed(job_id) == 2
    job = store.job(job_id)
    assert (job.state, job.ended_at, job.keep_until) == (JobState.RUNNING, None, None)
    assert (job.counts[ItemState.WAITING], job.counts[ItemState.DONE]) == (2, 2)
    (first, second) = store.lease("r", 9, 60)
    assert [(x.item.position, x.item.attempt, x.item.tries) for x in (first, second)] == [
        (1, 2, 1),
        (2, 2, 1),
    ]
    store.finish(first, ["r/1"])
    store.fail(second, "no_face", retryable=False)
    numbers = [(item.finished_no, item.position) for item in store.changes(job_id)]
    assert [position for _, position in numbers[-2:]] == [1, 2]
    assert [number for number, _ in numbers[-2:]] == [5, 6]
    clock.now += 100
    with pytest.raises(WrongState):
        store.retry_failed(job_id)


def test_a_cancelled_job_keeps_what_was_finished(store: Store, clock: Clock) -> None:
    job_id = running(store, 4)
    first, second, _ = store.lease("r", 3, 60)
    store.finish(first, ["r/0"])
    job = store.cancel(job_id)
    assert (job.state, job.keep_until) == (JobState.CANCELLED, clock.now + 100)
    assert (job.counts[ItemState.DONE], job.counts[ItemState.CANCELLED]) == (1, 3)
    assert job.total == 4
    assert not store.finish(second, ["late"])
    assert store.lease("r", 9, 60) == []
    assert store.cancel(job_id) == job
    with pytest.raises(WrongState):
        store.add_items(job_id, photos(1, start=9))


def test_a_paused_job_leases_nothing_and_may_finish(store: Store) -> None:
    job_id, other = running(store, 2), running(store, 2)
    (lease,) = store.lease("r", 1, 60)
    assert store.pause("storage_full") == 2
    assert store.pause("storage_full") == 0
    assert store.job(job_id).paused_for == "storage_full"
    assert store.lease("r", 9, 60) == []
    assert store.finish(lease, [])
    assert store.resume("by_hand") == 0
    assert store.resume("storage_full", job_id) == 1
    assert {x.item.job_id for x in store.lease("r", 9, 60)} == {job_id}
    assert store.job(other).state == JobState.PAUSED
    assert store.pause("by_hand", "unknown") == 0


def test_a_paused_job_whose_last_item_ends_is_done(store: Store) -> None:
    job_id = running(store, 1)
    (lease,) = store.lease("r", 1, 60)
    store.pause("by_hand", job_id)
    store.finish(lease, [])
    job = store.job(job_id)
    assert (job.state, job.paused_for) == (JobState.DONE, None)


def test_uploads_are_erased_when_their_item_needs_them_no_more(store: Store) -> None:
    job_id = running(store, 4)
    first, second, _ = store.lease("r", 3, 60)
    store.finish(first, [])
    store.fail(second, "no_face", retryable=False)
    (item,) = store.erasable_uploads()
    assert (item.position, item.upload_key) == (0, "k/0")
    store.forget_uploads([item])
    store.forget_uploads([item])
    assert store.erasable_uploads() == []
    assert store.job(job_id).upload_bytes == 30
    store.cancel(job_id)
    assert [item.position for item in store.erasable_uploads()] == [2, 3]
    assert [item.position for item in store.erasable_uploads(limit=1)] == [2]


def test_totals_are_of_all_that_is_kept(store: Store) -> None:
    assert store.totals() == Totals(0, 0, 0, 0)
    running(store, 3)
    finish_all(store)
    running(store, 5)
    assert store.totals() == Totals(2, 5, 80, 21)


def test_jobs_are_erased_when_their_time_is_over(store: Store, clock: Clock) -> None:
    abandoned, _ = store.create(ORDER, keep_s=100)
    working, ended = running(store, 1), running(store, 1)
    store.cancel(ended)
    assert store.expired() == []
    clock.now += 100
    assert [job.id for job in store.expired()] == [ended]
    clock.now += 3600
    assert {job.id for job in store.expired()} == {ended, abandoned.id}
    assert store.expire(working).state == JobState.CANCELLED
    assert {job.id for job in store.expired()} == {ended, abandoned.id, working}
    for job in store.expired():
        store.delete(job.id)
        store.delete(job.id)
        assert store.items(job.id) == []
        with pytest.raises(UnknownJob):
            store.job(job.id)
    assert store.totals().jobs == 0


def test_a_large_job_is_deleted_in_parts(store: Store) -> None:
    job, _ = store.create(ORDER, keep_s=1)
    store.add_items(job.id, photos(20_000))
    store.delete(job.id)
    assert store.jobs() == []
    assert store.items(job.id) == []


def test_the_newest_jobs_come_first(store: Store, clock: Clock) -> None:
    ids = []
    for name in ("a", "b", "a"):
        clock.now += 1
        ids.append(store.create(ORDER, keep_s=1, key_name=name)[0].id)
    assert [job.id for job in store.jobs()] == ids[::-1]
    assert [job.id for job in store.jobs(key_name="a", limit=1)] == ids[2:]


def test_a_webhook_is_owed_until_it_is_settled(store: Store, clock: Clock) -> None:
    job_id = running(store, 2, webhook_url="https://a/b")
    running(store, 1)
    assert store.claim_webhooks() == []
    finish_all(store, errors=[1])
    (claimed,) = store.claim_webhooks(claim_s=30)
    assert (claimed.id, claimed.webhook_tries, claimed.state) == (job_id, 1, JobState.DONE)
    assert store.claim_webhooks() == []
    clock.now += 30
    assert [job.webhook_tries for job in store.claim_webhooks()] == [2], "who claimed it died"
    store.settle_webhook(job_id, again_in_s=600)
    clock.now += 599
    assert store.claim_webhooks() == []
    clock.now += 1
    assert [job.webhook_tries for job in store.claim_webhooks()] == [3]
    store.settle_webhook(job_id)
    clock.now += 10_000
    assert store.claim_webhooks() == []


def test_a_job_that_ends_again_owes_its_webhook_again(store: Store) -> None:
    job_id = running(store, 1, webhook_url="https://a/b")
    finish_all(store, errors=[0])
    store.claim_webhooks()
    store.retry_failed(job_id)
    assert store.claim_webhooks() == []
    finish_all(store)
    assert [job.webhook_tries for job in store.claim_webhooks()] == [1]


@pytest.mark.parametrize("method", ["job", "start", "cancel", "retry_failed", "expire"])
def test_a_job_that_is_not_there_is_unknown(store: Store, method: str) -> None:
    with pytest.raises(UnknownJob):
        getattr(store, method)("f" * 32)
