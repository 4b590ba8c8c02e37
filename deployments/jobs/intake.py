"""From a request to a job: its photos are in the storage, and its items in the database."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import IO

from starlette.requests import Request

from deployments.jobs import bundles, orders, overrides, spool, webhook
from deployments.jobs.bundles import Limits
from deployments.jobs.depot import Depot
from deployments.jobs.entries import Bundle, Entry, Override
from deployments.jobs.files import StorageUnavailable, upload_key
from deployments.jobs.records import Job, JobState, Json, NewItem
from deployments.jobs.store import StoreUnavailable, WrongState
from deployments.settings import Settings
from pipeline.container import sniff
from pipeline.errors import BadOrder, Conflict, IdPhotoError, PhotoTooLarge, StorageFull

# Photos that are written at once: a disk that is asked to be sure takes milliseconds for each.
_WRITERS = 4
_BATCH = 200
_MAX_KEY_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Head:
    """What counts of a request besides its body."""

    content_type: str
    query: Sequence[tuple[str, str]]
    key_name: str
    """The name of the API key, empty without keys."""
    idempotency_key: str | None


def head(request: Request, key_name: str) -> Head:
    """Raises BadOrder (``bad_parameter``) for an ``Idempotency-Key`` that cannot be one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _MAX_KEY_CHARACTERS and key.isprintable()):
        reason = f"it takes 1 to {_MAX_KEY_CHARACTERS} characters"
        raise BadOrder("bad_parameter", name="Idempotency-Key", reason=reason)
    content_type = request.headers.get("content-type", "")
    return Head(content_type, list(request.query_params.multi_items()), key_name, key)


class Intake:
    """Takes jobs in. The body goes to the disk as it arrives; then a thread takes it apart, photo
    by photo, into the storage. Nothing of it is held in memory.
    """

    def __init__(self, depot: Depot, settings: Settings) -> None:
        jobs = depot.settings
        self._depot = depot
        self._settings = jobs
        self._max_variants = settings.max_variants
        self._limits = Limits(
            jobs.max_items, jobs.max_job_bytes, settings.max_body_bytes, jobs.allowed_keys
        )

    async def receive(self, request: Request, key_name: str) -> tuple[Job, bool]:
        """The job, and whether it is a new one: a repeated ``Idempotency-Key`` finds the first.

        Raises what ``bundles.read`` and ``orders.check`` do, Conflict
        (``idempotency_key_reused``), StorageFull, Overloaded and Unavailable.
        """
        of_request = head(request, key_name)
        with self._depot.stream():
            declared = request.headers.get("content-length", "")
            expected = int(declared) if declared.isdecimal() else 0
            # Asked before the body is read, and again once it is known what is in it.
            if of_request.idempotency_key is None:
                await self._depot.run(self._require_room, expected)
            file = await spool.receive(
                request, self._depot.folder / "arriving", self._settings.max_job_bytes
            )
            # The thread closes the file: this task may be cancelled while it works.
            return await self._depot.run(self._take_apart, file, of_request)

    def _take_apart(self, file: IO[bytes], of_request: Head) -> tuple[Job, bool]:
        with file:
            query = of_request.query
            bundle = bundles.read(file, of_request.content_type, query, self._limits)
            form = orders.parse(bundle.fields)
            if not bundle.entries:
                raise BadOrder("missing_photos")
            if len(bundle.entries) > self._limits.max_items:
                raise PhotoTooLarge("too_many_items", limit=self._limits.max_items)
            matched = overrides.matched(bundle.overrides, bundle.entries)
            order = orders.as_json(form)
            orders.check(order, matched, self._max_variants)
            if form.webhook is not None:
                webhook.check_url(form.webhook, self._settings.allowed_webhook_hosts)
            order = {**order, orders.DIGEST: _digest(order, bundle, matched, form.webhook)}
            job, created = self._depot.store.create(
                order,
                keep_s=self._settings.keep_hours * 3600,
                key_name=of_request.key_name,
                idempotency_key=of_request.idempotency_key,
                webhook_url=form.webhook,
            )
            if not created and job.order.get(orders.DIGEST) != order[orders.DIGEST]:
                raise Conflict("idempotency_key_reused")
            # One that still receives was left unfinished, or is being sent twice at this moment:
            # both write the same photos to the same places.
            if not created and job.state is not JobState.RECEIVING:
                return job, False
            try:
                self._require_room(bundle.size)
                return self._fill(job, bundle.entries, matched), created
            except BaseException:
                # With a key the client comes back, and goes on where this one stopped.
                if created and of_request.idempotency_key is None:
                    with suppress(StoreUnavailable, StorageUnavailable):
                        self._depot.store.expire(job.id)
                raise

    def _require_room(self, more_bytes: int) -> None:
        totals = self._depot.store.totals()
        used = totals.upload_bytes + totals.result_bytes
        if used + more_bytes > self._settings.quota_gb * 1e9:
            raise StorageFull("storage_full")

    def _fill(self, job: Job, entries: Sequence[Entry], matched: Sequence[Override | None]) -> Job:
        store = self._depot.store

        def stored(position: int) -> NewItem:
            override = matched[position]
            return self._stored(job.id, position, entries[position], override)

        with ThreadPoolExecutor(_WRITERS) as writers:
            for start in range(0, len(entries), _BATCH):
                positions = range(start, min(start + _BATCH, len(entries)))
                try:
                    store.add_items(job.id, list(writers.map(stored, positions)))
                except WrongState:  # the same request, sent twice: the other one was faster
                    return store.job(job.id)
        return store.start(job.id)

    def _stored(
        self, job_id: str, position: int, entry: Entry, override: Override | None
    ) -> NewItem:
        by_photo: Json = override.by_photo if override else {}
        if entry.source is not None:
            return NewItem(position, entry.name, source=entry.source, overrides=by_photo)
        error, key, size = entry.error, upload_key(job_id, position), 0
        if entry.chunks is not None:
            try:
                chunks = entry.chunks()
                first = next(chunks, b"")
                sniff(first)
                size = self._depot.files.put(key, chain((first,), chunks))
                return NewItem(position, entry.name, key, size, overrides=by_photo)
            except IdPhotoError as refusal:
                error = refusal.code
        return NewItem(position, entry.name, overrides=by_photo, error=error)


def _digest(
    order: Json, bundle: Bundle, matched: Sequence[Override | None], webhook_url: str | None
) -> str:
    """What two requests have in common that ask for the same: order, photos, overrides."""
    told = hashlib.sha256(json.dumps([order, webhook_url], sort_keys=True).encode())
    for entry, override in zip(bundle.entries, matched, strict=True):
        by_photo = override.by_photo if override else {}
        line = [entry.name, entry.size, entry.mark, entry.source, entry.error, by_photo]
        told.update(json.dumps(line, sort_keys=True).encode())
    return told.hexdigest()
