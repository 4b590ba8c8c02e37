"""How jobs look in JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from string import Formatter
from typing import Any, Literal

from pydantic import BaseModel, Field

from deployments.jobs.progress import Progress
from deployments.jobs.records import GAVE_UP, Item, ItemState, JobState
from deployments.schemas import CheckInfo, TextInfo
from pipeline.errors import TEXTS, Text
from pipeline.values import Quality

_ITEM_TEXTS = {
    GAVE_UP: Text(
        "The photo was tried several times, and each time the service was lost over it.",
        "Retry the job; if it happens again, look at the service's log and memory.",
        "该照片已多次尝试，每次服务都中断。",
        "请重试任务；若再次发生，请检查服务日志与内存。",
    ),
}
_UNKNOWN = Text("It failed.", "Retry the job.", "处理失败。", "请重试任务。")


class CountsInfo(BaseModel):
    """Photos by state."""

    waiting: int = Field(description="Not begun.")
    leased: int = Field(description="Being made.")
    done: int
    failed: int
    cancelled: int


class JobInfo(BaseModel):
    """A job and how far it is."""

    id: str
    state: JobState = Field(
        description="receiving, running, paused, done (every photo is done or failed) or cancelled."
    )
    paused_for: str | None = Field(
        description="Why it is paused: client, until it is resumed, or a code of what it waits for."
    )
    total: int = Field(description="Photos, and files that are none.")
    counts: CountsInfo
    photos_per_s: float | None = Field(
        description="Of the latest photos while it runs, of all once it is done; null where "
        "nothing can be said yet."
    )
    seconds_left: float | None = Field(description="At this rate; null where it is not known.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    keep_until: datetime | None = Field(
        description="When results are erased; null until the job has ended."
    )
    cursor: int = Field(description="Where events go on from now: ?cursor= of .../events.")


class ItemInfo(BaseModel):
    """One photo of a job."""

    position: int
    file: str = Field(description="The name that it was sent with.")
    state: ItemState
    error: str | None = Field(description="Why it failed: a code as in problem documents.")
    text: TextInfo | None = Field(description="The same as a sentence.")
    hint: TextInfo | None = Field(description="What to do about it.")
    attempts: int
    results: int = Field(description="Pictures at .../items/{position}/result.")
    findings: list["FindingInfo"]
    finished_at: datetime | None


class FindingInfo(BaseModel):
    """One finished picture of a photo, and what is to be said about it."""

    document: str
    background: str
    media_type: str
    size_px: tuple[int, int]
    quality: Quality
    checks: list[CheckInfo]


class ItemsPage(BaseModel):
    items: list[ItemInfo]
    next_after: int | None = Field(description="?after= of the next page; null on the last one.")


class RetryInfo(BaseModel):
    retried: int = Field(description="Photos that are tried again.")
    job: JobInfo


class FinishedInfo(BaseModel):
    """A photo that was finished, in short."""

    position: int
    file: str
    state: ItemState
    error: str | None


class EventInfo(BaseModel):
    """A message of .../events, the same in both kinds of stream."""

    type: Literal["progress", "heartbeat", "end"]
    cursor: int = Field(description="What is to be given back as ?cursor= to go on from here.")
    job: JobInfo | None = Field(
        default=None, description="null in heartbeats, and once it is erased."
    )
    items: list[FinishedInfo] = Field(
        default=[], description="Photos that were done or failed since the message before."
    )


def job_info(progress: Progress) -> JobInfo:
    """The public view of a job."""
    job = progress.job
    return JobInfo(
        id=job.id,
        state=job.state,
        paused_for=job.paused_for,
        total=job.total,
        counts=CountsInfo(**{state.value: job.counts.get(state, 0) for state in ItemState}),
        photos_per_s=None if progress.photos_per_s is None else round(progress.photos_per_s, 3),
        seconds_left=None if progress.seconds_left is None else round(progress.seconds_left, 1),
        created_at=_time(job.created_at),
        started_at=_time(job.started_at) if job.started_at is not None else None,
        ended_at=_time(job.ended_at) if job.ended_at is not None else None,
        keep_until=_time(job.keep_until) if job.ended and job.keep_until is not None else None,
        cursor=job.finished_no,
    )


def item_info(item: Item) -> ItemInfo:
    """The public view of one photo."""
    said = error_text(item.error) if item.error else None
    return ItemInfo(
        position=item.position,
        file=item.name,
        state=item.state,
        error=item.error,
        text=TextInfo(en=said.title, zh=said.title_zh) if said else None,
        hint=TextInfo(en=said.hint, zh=said.hint_zh) if said else None,
        attempts=item.attempt,
        results=len(item.result_keys),
        findings=findings(item.checks),
        finished_at=_time(item.finished_at) if item.finished_at is not None else None,
    )


def finished_info(item: Item) -> FinishedInfo:
    """The short view of one photo."""
    return FinishedInfo(position=item.position, file=item.name, state=item.state, error=item.error)


def findings(checks: Sequence[Mapping[str, Any]]) -> list[FindingInfo]:
    """What the store keeps as an item's checks, one for each result, as ``findings.of`` made it."""
    return [FindingInfo.model_validate(each) for each in checks]


def error_text(code: str) -> Text:
    """What is said about an item's error. The store keeps the code alone, so numbers are dots."""
    text = TEXTS.get(code) or _ITEM_TEXTS.get(code, _UNKNOWN)
    return Text(*(_without_details(part) for part in text))


def _without_details(text: str) -> str:
    return "".join(
        literal + ("..." if name is not None else "")
        for literal, name, _, _ in Formatter().parse(text)
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)
