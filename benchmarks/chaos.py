"""What becomes of photos while the service is broken on purpose.

python -m benchmarks.chaos [--clients 100] [--seconds 300] [--kill-every 5] [--hostile FOLDER]
    [--hostile-share 0.1] [--leaving-share 0.05] [--calm 20] [--quality best|fast]
    [--photos PATH ...] [--log FOLDER] [--seed 1]

Starts the service as it is shipped, but with two Gateways, on a Ray of its own, and kills -9 a
replica of a random deployment every few seconds, the controller once, and deploys anew once, with
another setting, in the middle. Every client asks for a photo with a face, size and background of
its own, and holds the answer against that of the unbroken service. Ends with 1 where a photo was
lost or wrong, or an answer came that a client cannot live with. Needs Linux.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import photos, recovery
from benchmarks.crowd import Crowd, Mix
from benchmarks.faults import Havoc
from benchmarks.figures import cell, machine, table
from benchmarks.production import production
from benchmarks.recovery import Account, Fault, Sent
from benchmarks.service import free_port, running

DOCUMENT, BACKGROUND = "cn-1-inch", "blue"
_RAMP_S = 5


@dataclass(frozen=True, slots=True)
class Run:
    """All that a run has seen."""

    requests: Sequence[Sent]
    faults: Sequence[Fault]
    usual_rate: float
    """Photos a second before anything was broken."""
    until_s: float
    after: Sequence[Sent]
    """Every client's photo, one by one, when all was over."""

    @property
    def account(self) -> Account:
        return recovery.account(self.requests)

    @property
    def recoveries(self) -> dict[str, list[float | None]]:
        return recovery.recoveries(
            _finished(self.requests), self.faults, self.usual_rate, self.until_s
        )

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, wrong or otherwise than a client can live with."""
        sums = self.account
        good = all(sent.outcome == "200" and not sent.fault for sent in self.after)
        return good and not (sums.lost or sums.wrong or sums.forbidden)


async def run(options: argparse.Namespace, folder: Path) -> Run:
    """Starts the service, breaks it, and stops it. Raises RuntimeError where it does not start."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(production(port, folder, dashboard=True), f"{url}/readyz") as pid:
        async with Crowd(url, options.quality, options.seed) as crowd:
            errands = await crowd.errands(photos.chosen(options), options.clients)
            hostile = [
                crowd.upload(path.read_bytes(), DOCUMENT, BACKGROUND)
                for path in (sorted(options.hostile.iterdir()) if options.hostile else ())
            ]
            clients = [errands[i % len(errands)] for i in range(options.clients)]
            mix = Mix(hostile, options.hostile_share, options.leaving_share)
            calm_s = time.monotonic() + _RAMP_S
            until_s = calm_s + options.calm + options.seconds
            sending = asyncio.create_task(crowd.run(clients, mix, until_s))
            havoc = Havoc(pid, port, folder, options.seed)
            await asyncio.sleep(_RAMP_S + options.calm)
            broken_s = time.monotonic()
            await havoc.run(options.seconds, options.kill_every)
            await sending
            usual = recovery.rate(_finished(crowd.requests), calm_s, broken_s)
            after = [await crowd.afterwards(errand) for errand in errands]
    return Run(crowd.requests, havoc.faults, usual, until_s, after)


def _finished(requests: Sequence[Sent]) -> list[float]:
    return sorted(
        sent.ended_s for sent in requests if sent.kind == "photo" and sent.outcome == "200"
    )


def report(seen: Run) -> str:
    """The figures in Markdown."""
    sums = seen.account
    rows = [
        (kind, outcome, str(count))
        for (kind, outcome), count in sorted(sums.outcomes.items(), key=lambda item: item[0])
    ]
    after = [sent.fault or sent.outcome for sent in seen.after]
    lines = [
        f"sent: {_counts(sums.sent)}; lost: {sums.lost}; wrong: {_counts(sums.wrong)}; "
        f"not allowed: {_counts({' '.join(key): n for key, n in sums.forbidden.items()})}",
        f"lost or not allowed, by what was broken in the two seconds before: "
        f"{_counts(recovery.blamed(seen.requests, seen.faults))}",
        f"photos answered with 200: p50 {cell(sums.p50_ms, 0)} ms, p99 {cell(sums.p99_ms, 0)} ms; "
        f"usual rate {seen.usual_rate:.1f}/s",
        f"afterwards, one by one: {_counts({word: after.count(word) for word in after})}",
        "",
        table(("kind", "outcome", "count"), rows),
        "",
        table(("broken", "times", "recovery s: median", "worst", "not back"), _recovered(seen)),
    ]
    return "\n".join(lines)


def _recovered(seen: Run) -> Sequence[tuple[str, ...]]:
    rows = []
    for name, took in sorted(seen.recoveries.items()):
        known = [seconds for seconds in took if seconds is not None]
        worst, middle = (max(known), median(known)) if known else (None, None)
        never = str(len(took) - len(known))
        rows.append((name, str(len(took)), cell(middle, 1), cell(worst, 1), never))
    return rows


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--kill-every", type=float, default=5, metavar="SECONDS")
    parser.add_argument("--hostile", type=Path, metavar="FOLDER", help="files to be sent as well")
    parser.add_argument("--hostile-share", type=float, default=0.1)
    parser.add_argument("--leaving-share", type=float, default=0.05)
    parser.add_argument("--calm", type=float, default=20, help="seconds before anything is broken")
    parser.add_argument("--quality", choices=("best", "fast"), default="best")
    parser.add_argument("--log", type=Path, metavar="FOLDER", help="keeps the server's log there")
    parser.add_argument("--seed", type=int, default=1)
    photos.add_options(parser)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.log or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        seen = asyncio.run(run(options, folder))
    print(f"{machine()}; {options.clients} clients, {options.seconds:g} s, {options.quality}")
    print(report(seen))
    sys.exit(0 if seen.sound else 1)


if __name__ == "__main__":
    main()
