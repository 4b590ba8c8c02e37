"""Whether the service stays as it is under a load that it can bear: memory, latency, handles.

python -m benchmarks.soak [--seconds 1800] [--warm-up 300] [--share 0.8] [--rate 3 | --clients 64]
    [--quality best|fast] [--photos PATH ...] [--megapixels 1.5]

Starts the service as it is shipped, but with two Gateways, on a Ray of its own, measures how many
photos a second it can do, and then sends a share of that, however long answers take (an open loop).
With ``--clients`` it is loaded in full instead, by so many that honour Retry-After.
The trends begin after the warm-up, which is part of ``--seconds``. Needs Linux.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks import load, photos
from benchmarks.census import Census, Trend, trend
from benchmarks.client import Answer, Client, Upload
from benchmarks.figures import cell, machine, percentile, table
from benchmarks.processes import Tree
from benchmarks.production import production
from benchmarks.schedule import poisson
from benchmarks.service import free_port, running
from benchmarks.window import Load, measure

_PERIOD_S = 10.0
_CAPACITY = Load(seconds=30, warm_up_s=20, clients=16)
HEADER = (
    *("process", "PSS MB: first third", "last third", "MB / 10 min", "% / 10 min"),
    *("handles: first", "last", "threads: first", "last"),
)


async def soak(
    options: argparse.Namespace, uploads: Sequence[Upload], pid: int, rate: float | None
) -> tuple[list[Answer], Census, float]:
    """The answers, the samples after the warm-up, and the moment at which it was over."""
    tree, census = Tree(pid), Census()
    start_s = time.monotonic()
    warm_s, end_s = start_s + options.warm_up, start_s + options.seconds
    async with Client(uploads, obey=rate is None) as client:
        if rate is None:
            going = client.closed_loop(options.clients, end_s)
        else:
            due = (start_s + offset for offset in poisson(rate, options.seconds))
            going = client.open_loop(due, end_s)
        sending = asyncio.create_task(going)
        next_s = warm_s
        while next_s < end_s:
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
            await asyncio.to_thread(census.take, tree)
            next_s += _PERIOD_S
        await sending
    return client.answers, census, warm_s


def drift(answers: Sequence[Answer], start_s: float, end_s: float) -> Sequence[tuple[str, ...]]:
    """A row for each third of the time: photos, p50 and p99 in ms, and answers by outcome, of what
    was due in it.
    """
    third_s = (end_s - start_s) / 3
    rows = []
    for number, name in enumerate(("first", "middle", "last")):
        begin_s = start_s + number * third_s
        due = [answer for answer in answers if begin_s <= answer.due_s < begin_s + third_s]
        waits_ms = [(answer.ended_s - answer.due_s) * 1000 for answer in due if answer.ok]
        outcomes = Counter(answer.outcome for answer in due)
        told = ", ".join(f"{outcome}: {count}" for outcome, count in sorted(outcomes.items()))
        middle, worst = percentile(waits_ms, 50), percentile(waits_ms, 99)
        rows.append((name, str(len(waits_ms)), cell(middle, 0), cell(worst, 0), told or "none"))
    return rows


def trends(census: Census) -> Sequence[tuple[str, ...]]:
    """A row below HEADER for all together and for each process that was there all the time, the
    largest first.
    """
    rows = []
    if whole := trend(census.totals):
        rows.append(("all", whole))
    lasting = [
        (census.names[key], found)
        for key, samples in census.samples.items()
        if len(samples) == len(census.totals) and (found := trend(samples))
    ]
    rows += sorted(lasting, key=lambda row: -row[1].last_pss_mb)
    return [(name, *_cells(found)) for name, found in rows]


def _cells(found: Trend) -> tuple[str, ...]:
    return (
        *(cell(found.first_pss_mb, 1), cell(found.last_pss_mb, 1)),
        *(cell(found.mb_per_10_min, 1), cell(found.percent_per_10_min, 2)),
        *(cell(found.first_handles, 0), cell(found.last_handles, 0)),
        *(cell(found.first_threads, 0), cell(found.last_threads, 0)),
    )


async def run(options: argparse.Namespace, folder: Path) -> str:
    """The report in Markdown. Raises RuntimeError where the service does not start."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(production(port, folder), f"{url}/readyz") as pid:
        _, uploads = await load.sendable(options, url)
        rate = options.rate
        if not (rate or options.clients):
            capacity = (await measure(uploads, _CAPACITY, pid)).photos_per_s
            print(f"capacity {capacity:.2f} photos/s at {_CAPACITY.clients} clients", flush=True)
            rate = options.share * capacity
        answers, census, warm_s = await soak(options, uploads, pid, rate)
    passing = sum(len(samples) < len(census.totals) for samples in census.samples.values())
    end_s = warm_s + options.seconds - options.warm_up
    loaded = f"{rate:.2f} photos/s" if rate else f"{options.clients} clients"
    lines = [
        f"{machine()}; {loaded} for {options.seconds:g} s, of which the first "
        f"{options.warm_up:g} s do not count; quality {options.quality}",
        "",
        table(("third", "photos", "p50 ms", "p99 ms", "answers"), drift(answers, warm_s, end_s)),
        "",
        table(HEADER, trends(census)),
        f"Processes that came or went meanwhile: {passing}",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--warm-up", type=float, default=300)
    parser.add_argument("--share", type=float, default=0.8, help="of the measured capacity")
    loads = parser.add_mutually_exclusive_group()
    loads.add_argument("--rate", type=float, help="photos a second; measures no capacity then")
    loads.add_argument("--clients", type=int, help="of a closed loop")
    parser.add_argument("--quality", choices=("best", "fast"), default="best")
    photos.add_options(parser)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(run(options, Path(folder))))


if __name__ == "__main__":
    main()
