"""What is kept about jobs and their photos, as frozen values.

Times are UTC seconds since 1970 of the store's clock. A job runs through

    receiving -> running <-> paused -> done      and from anywhere -> cancelled
                    ^---- retry of the failed ----'

and each of its items, one a photo, through

    waiting <-> leased -> done | failed          and before its end -> cancelled
       ^---- retry -----------------'
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""What ``json.dumps`` takes: strings as keys, and values that JSON knows."""


class JobState(StrEnum):
    RECEIVING = "receiving"
    """Items are added; none is worked on."""
    RUNNING = "running"
    PAUSED = "paused"
    """No item is leased; ``Job.paused_for`` says why. Leased ones may still be finished."""
    DONE = "done"
    """Every item is done or failed."""
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


GAVE_UP = "gave_up"
"""Error code of an item whose runner was lost each time that it was tried."""


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    """32 hexadecimal digits that cannot be guessed."""
    created_at: float
    state: JobState
    counts: Mapping[ItemState, int]
    """Items by state; every state is a key."""
    order: Json
    key_name: str
    """Whose job it is: the name of the API key, or "" without keys."""
    started_at: float | None = None
    ended_at: float | None = None
    """When it was done or cancelled; None again after a retry."""
    paused_for: str | None = None
    """The reason while paused, a code."""
    keep_until: float | None = None
    """When it may be erased, results included; None while it is running or paused."""
    finished_no: int = 0
    """The highest ``Item.finished_no`` given so far."""
    upload_bytes: int = 0
    """Of the uploads that are still kept."""
    result_bytes: int = 0
    webhook_url: str | None = None
    webhook_tries: int = 0
    """Calls of the webhook that were started since the job last ended."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> bool:
        return self.state in (JobState.DONE, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class NewItem:
    """A photo that a job receives."""

    position: int
    """From 0, unique within the job; chosen by the receiver, as the upload's key holds it."""
    name: str
    """As the client calls the file; shown, never used as a path or key."""
    upload_key: str | None = None
    """Where ``files`` keeps the upload; erased when the item is done."""
    upload_bytes: int = 0
    source: str | None = None
    """URL of the photo in a store of the operator's, instead of an upload; never erased."""
    overrides: Json = field(default_factory=dict)
    """What differs from the job's order for this photo."""
    error: str | None = None
    """A code: what was received is no photo. The item is failed from the start."""


@dataclass(frozen=True, slots=True)
class Item:
    job_id: str
    position: int
    name: str
    state: ItemState
    attempt: int
    """How often it was leased, ever; with job and position it names one lease."""
    tries: int
    """Leases that count towards giving up: not those handed back, nor those before a retry."""
    upload_key: str | None
    upload_bytes: int
    source: str | None
    overrides: Json
    error: str | None = None
    """Code of the last failure; None once done."""
    checks: Sequence[Json] = ()
    result_keys: tuple[str, ...] = ()
    result_bytes: int = 0
    finished_no: int | None = None
    """Counts the job's finished items, done or failed, from 1 in the order of their commits."""
    finished_at: float | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to finish an item, held by one runner until it expires and is taken over."""

    item: Item
    """``item.attempt`` is the fencing token."""
    order: Json
    """The job's order, without the item's overrides."""
    runner: str
    until: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the work on a lease ended: with results, or with an error."""

    lease: Lease
    result_keys: tuple[str, ...] = ()
    result_bytes: int = 0
    checks: Sequence[Json] = ()
    error: str | None = None
    """A code; None: the item is done."""
    retryable: bool = False
    """The error may pass: the item is tried again while it has tries left."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over everything that is kept, for quotas."""

    jobs: int
    unfinished_items: int
    upload_bytes: int
    result_bytes: int
