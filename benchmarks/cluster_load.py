"""Clients of a simulated cluster: as many as wanted at each moment, and what became of them."""

import asyncio
import io
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from PIL import Image

from benchmarks.client import PAUSE_S, named, session
from benchmarks.cluster_cpu import Share, Watch
from benchmarks.figures import percentile
from benchmarks.recovery import Sent

_MOST_WAIT_S = 5.0


class Clients:
    """A closed loop whose number of clients changes. Each obeys Retry-After."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v1/photos"
        # Nobody looks at it: Cropping is simulated.
        file = io.BytesIO()
        Image.new("RGB", (64, 64)).save(file, "JPEG")
        self._photo = file.getvalue()
        self._tasks: list[asyncio.Task[None]] = []
        self._wanted = 0
        self.requests: list[Sent] = []

    async def __aenter__(self) -> "Clients":
        self._session = session()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.want(0)
        await asyncio.gather(*self._tasks)
        await self._session.close()

    def want(self, clients: int) -> None:
        """So many clients from now on; one that is too many leaves when it has its answer."""
        self._wanted = clients
        self._tasks = [task for task in self._tasks if not task.done()]
        for _ in range(clients - len(self._tasks)):
            self._tasks.append(asyncio.create_task(self._one(len(self._tasks))))

    async def _one(self, index: int) -> None:
        while index < self._wanted:
            sent, wait_s = await self._post()
            self.requests.append(sent)
            if not sent.lost and sent.outcome != "200":
                await asyncio.sleep(min(wait_s, _MOST_WAIT_S))

    async def _post(self) -> tuple[Sent, float]:
        began_s = time.monotonic()
        query = {"document": "cn-1-inch", "background": "blue"}
        headers = {"Content-Type": "image/jpeg"}
        wait = ""
        try:
            async with self._session.post(
                self._url, params=query, data=self._photo, headers=headers
            ) as answer:
                content = await answer.read()
                outcome = named(answer.status, answer.content_type, content)
                wait = answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            await asyncio.sleep(PAUSE_S)
            outcome = type(error).__name__
        sent = Sent("photo", began_s, time.monotonic(), outcome, bool(wait))
        return sent, float(wait) if wait.isdecimal() else 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """What was answered between two moments."""

    photos_per_s: float
    p50_ms: float | None
    p95_ms: float | None
    """Of photos that were finished in the time."""
    answers: dict[str, int]


def span(requests: Sequence[Sent], start_s: float, end_s: float) -> Span:
    """The figures of a part of a run; ``requests`` are in the order in which they ended."""
    ended = [sent.ended_s for sent in requests]
    inside = requests[bisect_left(ended, start_s) : bisect_left(ended, end_s)]
    waits_ms = [1000 * (sent.ended_s - sent.began_s) for sent in inside if sent.outcome == "200"]
    return Span(
        len(waits_ms) / (end_s - start_s),
        percentile(waits_ms, 50),
        percentile(waits_ms, 95),
        dict(Counter(sent.outcome for sent in inside)),
    )


def steady_s(rates: Sequence[tuple[float, float]], share: float = 0.9) -> float | None:
    """The moment from which on every rate is at least ``share`` of the mean of the last third;
    ``rates`` are (moment, photos a second) in order of time. None where the last one is below.
    """
    last = [rate for _, rate in rates[-max(1, len(rates) // 3) :]]
    wanted = share * sum(last) / len(last)
    found = None
    for moment_s, rate in reversed(rates):
        if rate < wanted:
            break
        found = moment_s
    return found


async def measured(
    url: str, clients: int, warm_up_s: float, seconds: float
) -> tuple[Span, dict[str, Share]]:
    """What so many clients get for so long, and who takes the cores meanwhile."""
    async with Clients(url) as load:
        load.want(clients)
        await asyncio.sleep(warm_up_s)
        watch, start_s = Watch(), time.monotonic()
        await asyncio.sleep(seconds)
        shares, end_s = watch.shares(), time.monotonic()
        return span(load.requests, start_s, end_s), shares
