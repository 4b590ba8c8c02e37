"""How fast a job goes, and how long it will take."""

from collections.abc import Sequence
from dataclasses import dataclass

from deployments.jobs.records import ItemState, Job, JobState

RECENT = 100
"""Photos that the rate is measured over: enough to be steady, few enough to follow a change."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A job, with what can be said about its pace."""

    job: Job
    photos_per_s: float | None
    seconds_left: float | None


def of(job: Job, recent: Sequence[float], now: float) -> Progress:
    """The progress of a job whose latest photos were finished at ``recent``, in order, at ``now``;
    both in UTC seconds.

    The rate of a running job is that of the recent photos up to now, so it sinks when nothing
    comes any more; that of a job that is done is the mean over its whole run.
    """
    if job.state is JobState.DONE:
        worked = job.counts[ItemState.DONE] + job.counts[ItemState.FAILED]
        return Progress(job, _rate(worked, job.started_at, job.ended_at), 0.0)
    if job.state is not JobState.RUNNING:
        return Progress(job, None, None)
    # The first one marks the begin.
    rate = _rate(len(recent) - 1, recent[0], now) if len(recent) > 1 else None
    left = job.counts[ItemState.WAITING] + job.counts[ItemState.LEASED]
    return Progress(job, rate, left / rate if rate else None)


def _rate(photos: int, begin: float | None, end: float | None) -> float | None:
    if begin is None or end is None or end <= begin or photos < 1:
        return None
    return photos / (end - begin)
