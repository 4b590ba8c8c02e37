"""The deployment that works on jobs: leases photos, sends them through the graph, keeps results."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import uuid4

import fsspec
from ray.serve.handle import DeploymentHandle

from deployments import metrics, note, tracing
from deployments.answers import SUFFIX
from deployments.chain import Chain
from deployments.jobs import findings, orders
from deployments.jobs.depot import open_files, open_store
from deployments.jobs.files import MissingFile, MissingJob, StorageUnavailable, result_key
from deployments.jobs.records import Item, Lease, Outcome
from deployments.jobs.store import Store, StoreUnavailable
from deployments.jobs.sweeper import STORAGE_UNAVAILABLE, Sweeper
from deployments.note import Note
from deployments.settings import Jobs, Settings
from pipeline.errors import DeadlinePassed, IdPhotoError, Overloaded, PhotoTooLarge, Unavailable
from pipeline.values import IdPhoto

log = logging.getLogger("ray.serve")
T = TypeVar("T")

_IDLE_S = 1.0
"""How soon a new job is noticed."""
_AGAIN_S = 5.0
_COUNT_S = 10.0
_SIGNS = 3
"""How often a lease is renewed in the time that it lasts."""
_PHOTO_S = 60.0
"""The deadline of a photo in the graph."""
_PASSING = (DeadlinePassed, Overloaded, Unavailable)


class Runner:
    """Keeps a few photos of jobs in the graph. Several may run, on any node that reaches database
    and storage: the store gives each photo to one of them, and again when that one is lost.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: Jobs,
        cropping: DeploymentHandle[Any],
        matting: DeploymentHandle[Any],
        compositing: DeploymentHandle[Any],
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        tracing.start(settings.tracing, "Runner")
        self._chain = Chain(cropping, matting, compositing, label=settings.label)
        self._photos = metrics.Photos()
        self._items = metrics.JobItems()
        self._files = open_files(jobs)
        self._store: Store | None = None
        self._name = uuid4().hex
        self._held: dict[asyncio.Task[None], Lease] = {}
        self._places = asyncio.Semaphore(jobs.window)
        self._erased: list[Item] = []
        self._life: asyncio.Task[None] | None = None

    async def check_health(self) -> None:
        """Begins the work, as Ray asks soon after the start and the loop runs by then; later raises
        what ended it, and the replica is replaced.
        """
        if self._life is None:
            self._life = asyncio.create_task(self._live())
        if self._life.done():
            self._life.result()

    async def __del__(self) -> None:
        """Hands back what is in work, so that no other runner waits for the leases' end."""
        if self._life is not None:
            self._life.cancel()
        if self._store is not None and self._held:
            await asyncio.to_thread(self._store.release, list(self._held.values()))

    async def _live(self) -> None:
        store = await self._opened()
        sweeper = Sweeper(store, self._files, self._jobs)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work(store))
            group.create_task(self._renew(store))
            group.create_task(self._sweep(sweeper))
            group.create_task(self._count(store))

    async def _opened(self) -> Store:
        while self._store is None:
            try:
                self._store = await asyncio.to_thread(open_store, self._jobs)
            except StoreUnavailable as error:
                log.warning("jobs wait for their database: %s", error)
                await asyncio.sleep(_AGAIN_S)
        return self._store

    async def _work(self, store: Store) -> None:
        """Leases a window ahead: one transaction for several photos, and none waits for it."""
        window = self._jobs.window
        while True:
            await self._forget(store)
            n = 2 * window - len(self._held)
            try:
                leases = await asyncio.to_thread(store.lease, self._name, n, self._jobs.lease_s)
            except StoreUnavailable as error:
                log.warning("jobs wait for their database: %s", error)
                await asyncio.sleep(_AGAIN_S)
                continue
            for lease in leases:
                task = asyncio.create_task(self._photo(store, lease))
                self._held[task] = lease
                task.add_done_callback(self._held.pop)
            if not leases:
                await asyncio.sleep(_IDLE_S)
            while len(self._held) > window:
                await asyncio.wait(self._held, return_when=asyncio.FIRST_COMPLETED)

    async def _renew(self, store: Store) -> None:
        """Shows that this runner lives: what it had when it died is soon given to another one."""
        while True:
            await asyncio.sleep(self._jobs.lease_s / _SIGNS)
            if self._held:
                # Of a lease that was lost all the same the commit tells.
                await self._told(store.renew, list(self._held.values()), self._jobs.lease_s)

    async def _forget(self, store: Store) -> None:
        erased, self._erased = self._erased, []
        if erased:
            # Where that fails, the sweeper finds them.
            await self._told(store.forget_uploads, erased)

    async def _photo(self, store: Store, lease: Lease) -> None:
        """Works on one photo and commits how that ended, or hands it back."""
        try:
            async with self._places:
                with tracing.span("job photo"):
                    outcome = await self._seen(lease)
        except StorageUnavailable as error:
            log.warning("jobs are paused, as their storage fails: %s", error)
            paused = lease.item.job_id if isinstance(error, MissingJob) else None
            await self._told(store.pause, STORAGE_UNAVAILABLE, paused)
            await self._told(store.release, [lease])
            return
        except _PASSING:
            # The graph is full or has lost a part of itself: that is not this photo's fault.
            await asyncio.sleep(_IDLE_S)
            await self._told(store.release, [lease])
            return
        kept = await self._told(store.commit, [outcome])
        if kept == [False]:
            await self._told(self._files.delete, outcome.result_keys)
        elif kept and lease.item.upload_key and outcome.error is None:
            await self._told(self._files.delete, [lease.item.upload_key])
            self._erased.append(lease.item)

    async def _seen(self, lease: Lease) -> Outcome:
        """As ``_outcome``, with a line in the log, a count, and what the trace is told."""
        start, noted = time.perf_counter(), Note("job")
        outcome = await self._outcome(lease, noted)
        noted.code = outcome.error or "ok"
        took_ms = (time.perf_counter() - start) * 1000
        head = f"photo {lease.item.position} of job {lease.item.job_id}"
        note.publish(noted, self._photos, head, took_ms)
        return outcome

    async def _outcome(self, lease: Lease, noted: Note) -> Outcome:
        """Raises StorageUnavailable, and what passes of itself. Fills in the note."""
        item = lease.item
        deadline_at = time.time() + _PHOTO_S
        try:
            if item.attempt > 1:
                # A runner that died may have kept its results and not told the store.
                await asyncio.to_thread(self._files.delete_results, item.job_id, item.position)
            data = await asyncio.to_thread(self._read, lease)
            order = orders.of_photo(lease.order, item.overrides, self._settings.max_variants)
            noted.document = metrics.document(order)
            photos = await self._chain.run("later", data, order, deadline_at, noted.timings)
            keys, size = await asyncio.to_thread(self._keep, lease, photos)
            return Outcome(lease, keys, size, findings.of(photos))
        except (StorageUnavailable, *_PASSING):
            raise
        except IdPhotoError as error:
            return Outcome(lease, error=error.code)
        except MissingFile:
            return Outcome(lease, error="photo_lost")
        except Exception:
            log.exception("photo %d of job %s failed", item.position, item.job_id)
            return Outcome(lease, error="internal_error", retryable=True)

    def _read(self, lease: Lease) -> bytes:
        item = lease.item
        if item.upload_key is not None:
            return self._files.get(item.upload_key)
        assert item.source is not None
        limit = self._settings.max_body_bytes
        try:
            with fsspec.open(item.source, "rb", **self._jobs.storage_options) as file:
                data = bytes(file.read(limit + 1))
        except FileNotFoundError as error:
            raise MissingFile(item.source) from error
        if len(data) > limit:
            raise PhotoTooLarge("body_too_large", limit_mb=round(limit / 1e6, 1))
        return data

    def _keep(self, lease: Lease, photos: Iterable[IdPhoto]) -> tuple[tuple[str, ...], int]:
        item, keys, size = lease.item, [], 0
        for variant, photo in enumerate(photos):
            suffix = SUFFIX[photo.media_type]
            keys.append(result_key(item.job_id, item.position, item.attempt, variant, suffix))
            size += self._files.put(keys[-1], [photo.data])
        return tuple(keys), size

    async def _told(self, work: Callable[..., T], *args: object) -> T | None:
        """What ``work`` returns, called in a thread; None where database or storage fail. Then the
        lease ends by itself, and the photo is worked on again.
        """
        try:
            return await asyncio.to_thread(work, *args)
        except (StoreUnavailable, StorageUnavailable) as error:
            log.warning("jobs: %s: %s", type(error).__name__, error)
            return None

    async def _count(self, store: Store) -> None:
        while True:
            if (counts := await self._told(store.item_counts)) is not None:
                self._items.are(counts)
            await asyncio.sleep(_COUNT_S)

    async def _sweep(self, sweeper: Sweeper) -> None:
        while True:
            await self._told(sweeper.sweep)
            await asyncio.sleep(self._jobs.sweep_s)
