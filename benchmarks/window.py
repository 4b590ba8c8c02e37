"""One measurement: a load on a server, and what it answered and cost between two moments."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.client import Answer, Client, Upload
from benchmarks.figures import cell, percentile
from benchmarks.processes import Meter, ProcFs, Reading
from benchmarks.schedule import SCHEDULES

HEADER = (
    *("photos/s", "p50 ms", "p95 ms", "p99 ms", "answers", "CPU-s a photo", "peak PSS MB"),
    *("client cores", "other cores"),
)


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, and for how long."""

    seconds: float
    warm_up_s: float
    clients: int = 1
    """Of the closed loop."""
    rate: float | None = None
    """Photos a second; given, it makes an open loop."""
    arrivals: str = "poisson"
    """A name of ``SCHEDULES``."""
    obey: bool = False
    """Whether Retry-After is honoured."""
    quiet: bool = False
    """Whether the server is looked at only before and after the time measured, so as not to disturb
    it; its memory before.
    """

    @property
    def name(self) -> str:
        return f"{self.rate:g}/s" if self.rate else str(self.clients)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of it. None is what was not measured."""

    photos_per_s: float
    """Finished photos; refusals and failures do not count."""
    p50_ms: float | None
    """Of finished photos that were due in the time measured, whenever they were finished."""
    p95_ms: float | None
    p99_ms: float | None
    answers: Mapping[str, int]
    """How many ended how, in the time measured."""
    cpu_s_per_photo: float | None
    """Of all processes of the server."""
    peak_pss_mb: float | None
    client_cores: float
    """CPU-seconds a second of this process."""
    other_cores: float | None
    """The same of everything on the machine that is neither the server nor this process."""
    refused_p50_ms: float | None = None
    """Of answers with 429, each from when it was sent."""
    refused_p99_ms: float | None = None

    def row(self) -> tuple[str, ...]:
        """The cells below ``HEADER``."""
        answers = ", ".join(f"{name}: {count}" for name, count in sorted(self.answers.items()))
        latencies = (cell(ms, 0) for ms in (self.p50_ms, self.p95_ms, self.p99_ms))
        return (
            *(
                cell(self.photos_per_s),
                *latencies,
                answers or "none",
                cell(self.cpu_s_per_photo, 4),
            ),
            *(cell(self.peak_pss_mb, 0), cell(self.client_cores), cell(self.other_cores)),
        )


async def measure(uploads: Sequence[Upload], load: Load, pid: int | None) -> Figures:
    """Loads the server, warms it up, and measures; ``pid`` is its first process, if known.

    Raises LookupError where there is no such process.
    """
    with ExitStack() as stack:
        meter = None
        if pid and ProcFs().there:
            meter = stack.enter_context(Meter(pid, quiet=load.quiet))
        async with Client(uploads, load.obey) as client:
            start_s = time.monotonic()
            end_s = start_s + load.warm_up_s + load.seconds
            if load.rate:
                offsets = SCHEDULES[load.arrivals](load.rate, load.warm_up_s + load.seconds)
                sending = client.open_loop((start_s + offset for offset in offsets), end_s)
            else:
                sending = client.closed_loop(load.clients, end_s)
            task = asyncio.ensure_future(sending)
            await asyncio.sleep(load.warm_up_s)
            if meter and load.quiet:
                await asyncio.to_thread(meter.look)
            before = await _read(meter)
            await asyncio.sleep(end_s - time.monotonic())
            after = await _read(meter)
            await task
    return summed(client.answers, before, after, known=meter is not None)


async def idle_cores(pid: int, seconds: float) -> float | None:
    """CPU-seconds a second of a server that nobody asks. Raises LookupError as above."""
    if not ProcFs().there:
        return None
    with Meter(pid) as meter:
        before = await _read(meter)
        await asyncio.sleep(seconds)
        after = await _read(meter)
    return (after.server_cpu_s - before.server_cpu_s) / (after.at_s - before.at_s)


async def _read(meter: Meter | None) -> Reading:
    if meter is None:
        return Reading(time.monotonic(), 0, time.process_time(), 0, 0)
    return await asyncio.to_thread(meter.read)


def summed(answers: Sequence[Answer], before: Reading, after: Reading, *, known: bool) -> Figures:
    """The figures between two readings; ``known`` tells whether they hold the server's part."""
    seconds = after.at_s - before.at_s
    ended = [answer for answer in answers if before.at_s <= answer.ended_s < after.at_s]
    done = sum(answer.ok for answer in ended)
    # A photo that was due counts even if it came after the end: else a server that stalls would
    # look quick.
    waits_ms = [
        (answer.ended_s - answer.due_s) * 1000
        for answer in answers
        if answer.ok and before.at_s <= answer.due_s < after.at_s
    ]
    refusals_ms = [answer.took_s * 1000 for answer in ended if answer.outcome.startswith("429")]
    server_s = after.server_cpu_s - before.server_cpu_s
    own_s = after.own_cpu_s - before.own_cpu_s
    others_s = after.busy_s - before.busy_s - server_s - own_s
    return Figures(
        photos_per_s=done / seconds,
        p50_ms=percentile(waits_ms, 50),
        p95_ms=percentile(waits_ms, 95),
        p99_ms=percentile(waits_ms, 99),
        answers=Counter(answer.outcome for answer in ended),
        cpu_s_per_photo=server_s / done if known and done else None,
        peak_pss_mb=after.peak_pss_bytes / 1e6 if known else None,
        client_cores=own_s / seconds,
        other_cores=max(0.0, others_s / seconds) if known else None,
        refused_p50_ms=percentile(refusals_ms, 50),
        refused_p99_ms=percentile(refusals_ms, 99),
    )
