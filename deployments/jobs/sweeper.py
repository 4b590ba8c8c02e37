"""Keeps little: erases what is no longer needed, calls the webhooks that are owed, and lets paused
jobs go on.
"""

import logging
from uuid import uuid4

from deployments.jobs.files import Files, StorageUnavailable, upload_key
from deployments.jobs.records import Job
from deployments.jobs.store import Store
from deployments.jobs.webhook import Webhooks
from deployments.settings import Jobs

log = logging.getLogger("ray.serve")

STORAGE_UNAVAILABLE = "storage_unavailable"
"""Why jobs are paused: the disk is full, or the storage gone."""
_UNFINISHED_S = 24 * 3600


class Sweeper:
    """Several may sweep at once, on any node; each thing is done at least once."""

    def __init__(self, store: Store, files: Files, jobs: Jobs) -> None:
        self._store = store
        self._files = files
        self._webhooks = None
        if jobs.allowed_webhook_hosts and jobs.webhook_secret:
            secret = jobs.webhook_secret.get_secret_value()
            self._webhooks = Webhooks(store, jobs.allowed_webhook_hosts, secret)

    def sweep(self) -> None:
        """One round, to be called every ``sweep_s``. Raises StoreUnavailable and
        StorageUnavailable; what was left undone is done by a later round.
        """
        if self._webhooks is not None:
            self._webhooks.call_due()
        for job in self._store.expired():
            self._erase(job)
        while uploads := self._store.erasable_uploads():
            self._files.delete(item.upload_key for item in uploads if item.upload_key)
            self._store.forget_uploads(uploads)
        self._files.delete_unfinished(_UNFINISHED_S)
        self._resume()

    def _erase(self, job: Job) -> None:
        self._files.delete_job(job.id)
        self._store.delete(job.id)

    def _resume(self) -> None:
        """Lets the jobs go on that waited for the storage, once a file can be kept there."""
        if not self._store.totals().unfinished_items:
            return
        key = upload_key(uuid4().hex, 0)
        try:
            self._files.put(key, [bytes(1 << 20)])
        except StorageUnavailable:
            return
        self._files.delete_job(key.partition("/")[0])
        if resumed := self._store.resume(STORAGE_UNAVAILABLE):
            log.info("%d jobs go on: their storage works again", resumed)
