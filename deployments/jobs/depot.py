"""What the routes of jobs share in one Gateway replica: database, files, threads, places."""

import asyncio
import errno
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import platformdirs

from deployments.jobs.files import Files, StorageUnavailable
from deployments.jobs.records import Job
from deployments.jobs.store import Store, StoreUnavailable, UnknownJob
from deployments.settings import Jobs
from pipeline.errors import NotFound, Overloaded, StorageFull, Unavailable

log = logging.getLogger("ray.serve")
T = TypeVar("T")
# Beside the streams, for calls that are short.
_SPARE_THREADS = 4
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def folder(settings: Jobs) -> Path:
    """Where everything is kept that has no URL of its own; it need not exist yet."""
    return settings.folder or platformdirs.user_data_path("idphoto-serve") / "jobs"


def open_store(settings: Jobs) -> Store:
    """The database of the settings. Raises StoreUnavailable."""
    url = settings.database_url
    if url is None:
        folder(settings).mkdir(parents=True, exist_ok=True, mode=0o700)
        url = f"sqlite:///{folder(settings).resolve() / 'jobs.db'}"
    return Store(url, max_tries=settings.max_attempts)


def open_files(settings: Jobs) -> Files:
    """The storage of the settings."""
    root = settings.storage_url or str(folder(settings).resolve() / "files")
    return Files(root, **settings.storage_options)


class Depot:
    """Opens the database when it is first needed: without jobs nothing touches the disk, and a
    database that is gone stops no interactive photo.
    """

    def __init__(self, settings: Jobs) -> None:
        self.settings = settings
        self.folder = folder(settings)
        self.files = open_files(settings)
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._streams = 0
        self._threads = ThreadPoolExecutor(settings.max_streams + _SPARE_THREADS, "jobs")

    @property
    def store(self) -> Store:
        """Opened by the first call, which may take long. Raises StoreUnavailable."""
        with self._opening:
            if self._store is None:
                self._store = open_store(self.settings)
            return self._store

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """What ``work`` returns, called in a thread; its failures as errors of ours."""
        loop = asyncio.get_running_loop()
        with told():
            return await loop.run_in_executor(self._threads, work, *args)

    def job(self, job_id: str, key_name: str) -> Job:
        """The job, if it is this key's. Raises UnknownJob else."""
        job = self.store.job(job_id)
        if job.key_name != key_name:
            raise UnknownJob(job_id)
        return job

    @contextmanager
    def stream(self) -> Iterator[None]:
        """A place for something that takes long. Raises Overloaded (``too_many_streams``)."""
        release = self.take_stream()
        try:
            yield
        finally:
            release()

    def take_stream(self) -> Callable[[], None]:
        """As ``stream``, for those that call the returned function themselves at the end."""
        if self._streams >= self.settings.max_streams:
            raise Overloaded("too_many_streams")
        self._streams += 1
        taken = [None]

        def release() -> None:
            if taken:
                taken.pop()
                self._streams -= 1

        return release


@contextmanager
def told() -> Iterator[None]:
    """Failures of the database and the storage as errors that clients are told."""
    try:
        yield
    except UnknownJob:
        raise NotFound("unknown_job") from None
    except (StoreUnavailable, StorageUnavailable) as error:
        log.warning("jobs: %s: %s", type(error).__name__, error)
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_ROOM:
            raise StorageFull("storage_full") from error
        raise Unavailable("unavailable") from error
