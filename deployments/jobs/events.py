"""A job's progress as messages, read from the database: every Gateway replica can tell it, and a
listener can go on at another one.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from deployments.jobs import progress
from deployments.jobs.depot import Depot
from deployments.jobs.progress import Progress
from deployments.jobs.records import Item
from deployments.jobs.schemas import EventInfo, finished_info, job_info
from deployments.jobs.store import Store
from pipeline.errors import NotFound, StorageFull, Unavailable

MAX_ITEMS = 500
"""Photos in one message."""
# So many times the pace while the database is gone.
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Pace:
    poll_s: float = 0.5
    """At most one look into the database, and one message, in this time, but for full ones."""
    heartbeat_s: float = 15
    """After this time without a message comes a heartbeat: proxies cut what is silent."""


def look(store: Store, job_id: str) -> Progress:
    """The job and its pace. Raises UnknownJob."""
    job = store.job(job_id)
    recent = [] if job.ended else store.worked_at(job_id, progress.RECENT)
    return progress.of(job, recent, time.time())


async def messages(
    depot: Depot, job_id: str, cursor: int, pace: Pace | None = None
) -> AsyncIterator[EventInfo]:
    """What happened to the job after ``cursor``, then what happens, up to its end.

    The first message comes at once; each tells the photos that were finished since, at most
    ``MAX_ITEMS``, in the order in which they were. The last one is ``end``. While the database is
    gone there are heartbeats.
    """
    pace = pace or Pace()
    said: tuple[object, ...] | None = None
    said_at = time.monotonic()
    while True:
        try:
            found, items = await depot.run(_look_after, depot, job_id, cursor)
        except NotFound:
            yield EventInfo(type="end", cursor=cursor)
            return
        except (Unavailable, StorageFull):
            found, items = None, []
        if found is not None:
            job = found.job
            cursor = items[-1].finished_no or cursor if items else cursor
            state = (job.state, job.paused_for, job.total)
            if items or state != said:
                shown = [finished_info(item) for item in items]
                yield EventInfo(type="progress", cursor=cursor, job=job_info(found), items=shown)
                said, said_at = state, time.monotonic()
            if len(items) == MAX_ITEMS:
                continue
            # The job was looked at first: what it counts was all there to be read.
            if job.ended and cursor >= job.finished_no:
                yield EventInfo(type="end", cursor=cursor, job=job_info(found))
                return
        if time.monotonic() - said_at >= pace.heartbeat_s:
            yield EventInfo(type="heartbeat", cursor=cursor)
            said_at = time.monotonic()
        await asyncio.sleep(pace.poll_s if found is not None else _PATIENCE * pace.poll_s)


def _look_after(depot: Depot, job_id: str, cursor: int) -> tuple[Progress, list[Item]]:
    found = look(depot.store, job_id)
    return found, depot.store.changes(job_id, cursor, MAX_ITEMS)


def sse(message: EventInfo) -> bytes:
    """The message as a server-sent event, with the cursor as its id."""
    data = message.model_dump_json()
    return f"event: {message.type}\nid: {message.cursor}\ndata: {data}\n\n".encode()
