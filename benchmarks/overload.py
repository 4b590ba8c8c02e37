"""What becomes of photos where many more clients come than there are places.

python -m benchmarks.overload [--clients 400] [--fit 16] [--seconds 40] [--warm-up 10]
    [--quality best|fast] [--photos PATH ...] [--megapixels 1.5]

Starts the service as it is shipped, but with two Gateways, which have 32 places, on a Ray of its
own. Measures it with as many clients as fit, then with the crowd that obeys Retry-After, then with
one that does not, and with those that fit again, as the machine may have changed meanwhile. The
crowd is one process, whose CPU the service does not get: see the last columns. Where it may, as
root may, it goes before the service on the cores, as one on another machine would: else the time of
a refusal is mostly its own waiting for a core. Needs Linux.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import load, photos
from benchmarks.figures import cell, machine, ratio, table
from benchmarks.production import production
from benchmarks.service import free_port, running
from benchmarks.window import Figures, Load, measure

_NICE = -10
HEADER = (
    *("clients", "photos/s", "of those that fit %", "p99 ms", "429: p50 ms", "p99 ms", "answers"),
    *("CPU-s a photo", "PSS MB", "client cores", "other cores"),
)


def plan(options: argparse.Namespace) -> list[tuple[str, Load]]:
    """The runs in their order, named; the first and the last are those of the clients that fit."""
    loads = (
        (f"{options.fit}", options.fit, False),
        (f"{options.clients}, obey", options.clients, True),
        (f"{options.clients}, do not", options.clients, False),
        (f"{options.fit} again", options.fit, False),
    )
    return [
        (name, Load(options.seconds, options.warm_up, clients, obey=obey, quiet=True))
        for name, clients, obey in loads
    ]


def rows(names: Sequence[str], runs: Sequence[Figures]) -> Sequence[tuple[str, ...]]:
    """The cells below HEADER. Shares are of the mean of the first and the last run."""
    fitting = (runs[0].photos_per_s + runs[-1].photos_per_s) / 2
    return [(name, *_cells(run, fitting)) for name, run in zip(names, runs, strict=True)]


def _cells(run: Figures, fitting: float) -> tuple[str, ...]:
    share = ratio(run.photos_per_s, fitting)
    answers = ", ".join(f"{name}: {count}" for name, count in sorted(run.answers.items()))
    return (
        *(cell(run.photos_per_s), cell(None if share is None else 100 * share, 0)),
        *(cell(run.p99_ms, 0), cell(run.refused_p50_ms, 0), cell(run.refused_p99_ms, 0)),
        *(answers or "none", cell(run.cpu_s_per_photo, 3), cell(run.peak_pss_mb, 0)),
        *(cell(run.client_cores), cell(run.other_cores)),
    )


async def run(options: argparse.Namespace, folder: Path) -> str:
    """The report in Markdown. Raises RuntimeError where the service does not start."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(production(port, folder), f"{url}/readyz") as pid:
        _, uploads = await load.sendable(options, url)
        priority = _go_first()
        runs = [await measure(uploads, each, pid) for _, each in plan(options)]
    names = [name for name, _ in plan(options)]
    said = f"{options.seconds:g} s each after {options.warm_up:g} s; quality {options.quality}"
    return f"{machine()}; {said}; {priority}\n\n{table(HEADER, rows(names, runs))}"


def _go_first() -> str:
    """What became of it, in words."""
    try:
        # Of this thread, which is the crowd; the service is started already.
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except PermissionError:
        return "the crowd waits for the cores as the service does"
    return "the crowd goes first"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overload",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clients", type=int, default=400, help="the crowd")
    parser.add_argument("--fit", type=int, default=16, help="clients that all find a place")
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--warm-up", type=float, default=10, help="seconds that do not count")
    parser.add_argument("--quality", choices=("best", "fast"), default="best")
    photos.add_options(parser)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(run(options, Path(folder))))


if __name__ == "__main__":
    main()
