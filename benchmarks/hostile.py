"""Hostile files, one by one: what is answered, what it costs, and whether everybody is still there.

python -m benchmarks.hostile FOLDER [--expected CSV] [--quality best|fast] [--photo PATH]

Starts the service as it is shipped, on a Ray of its own, sends each file of the folder to
``POST /v1/photos``, and after each a good photo. The CSV has the columns ``file`` and ``expect``,
the latter with statuses such as ``400|422``. Ends with 1 where a file got a 5xx or a status that
is not expected, took longer than 2 s or 500 MB in a process, where the good photo got no 200, or a
replica died. Needs Linux.
"""

import argparse
import asyncio
import csv
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, photos
from benchmarks.census import REPLICA
from benchmarks.client import Client, Target, upload
from benchmarks.figures import cell, machine, table
from benchmarks.processes import ProcFs, Tree
from benchmarks.service import free_port, ours, running

HEADER = ("file", "answer", "ms", "CPU-ms", "MB", "wrong")
_LONGEST_S, _MOST_MB = 2.0, 500.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one file got and took."""

    file: str
    outcome: str
    took_s: float
    cpu_s: float
    """Of all processes of the service, Ray's idle work included."""
    grown_mb: float
    """Resident memory above what it was before, in the process that grew most."""
    lost: int
    """Replicas that died of it."""
    after: str
    """What the good photo got next."""

    def wrong(self, expected: Mapping[str, str]) -> str:
        """What is not as it must be; empty if nothing is."""
        status = self.outcome.partition(" ")[0]
        allowed = expected.get(self.file, "").split("|")
        said = (
            (not status.isdecimal() or status >= "500", "no answer that is allowed"),
            (allowed != [""] and status not in allowed, f"not {'|'.join(allowed)}"),
            (self.took_s > _LONGEST_S, "slow"),
            (self.grown_mb > _MOST_MB, "large"),
            (self.lost > 0, "a replica died"),
            (self.after != "200", f"then {self.after}"),
        )
        return ", ".join(text for found, text in said if found)


def expectations(path: Path | None) -> dict[str, str]:
    """The statuses of the CSV by the name of the file; empty without one."""
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {Path(row["file"]).name: row["expect"] for row in csv.DictReader(lines)}


class Replicas:
    """The processes of the service's replicas."""

    def __init__(self, tree: Tree) -> None:
        self._files = ProcFs()
        self._before = {
            (pid, process.started_ticks): self._files.resident_bytes(pid)
            for pid, process in tree.members().items()
            if self._files.command(pid).startswith(REPLICA)
        }
        for pid, _ in self._before:
            self._files.reset_peak(pid)

    def grown_mb(self) -> float:
        """The most that one of them has grown at any time since."""
        grown = [self._files.peak_bytes(pid) - was for (pid, _), was in self._before.items()]
        return max([0, *grown]) / 1e6

    def lost(self, tree: Tree) -> int:
        """How many of them are gone."""
        now = {(pid, process.started_ticks) for pid, process in tree.members().items()}
        return len(self._before.keys() - now)


async def costs(files: Sequence[Path], good: bytes, target: Target, pid: int) -> list[Cost]:
    """Each file and what it cost, in turn."""
    tree, found = Tree(pid), []
    good_upload = upload(target, good)
    async with Client(()) as client:
        for file in files:
            sent = upload(target, file.read_bytes())
            replicas = Replicas(tree)
            before_s, start_s = _cpu_s(tree), time.monotonic()
            outcome, _ = await client.post(sent)
            took_s, cpu_s = time.monotonic() - start_s, _cpu_s(tree) - before_s
            grown_mb = replicas.grown_mb()
            after, _ = await client.post(good_upload)
            lost = replicas.lost(tree)
            found.append(Cost(file.name, outcome, took_s, cpu_s, grown_mb, lost, after))
    return found


def _cpu_s(tree: Tree) -> float:
    return sum(process.cpu_s for process in tree.members().values())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hostile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--expected", type=Path, metavar="CSV")
    parser.add_argument("--quality", choices=("best", "fast"), default="best")
    parser.add_argument("--photo", type=Path, default=photos.PORTRAIT, help="the good one")
    options = parser.parse_args(arguments)
    files = sorted(path for path in options.folder.iterdir() if path.is_file())
    expected = expectations(options.expected)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with running(ours(port, Path(folder)), f"{url}/readyz") as pid:
            target = load.target(url, options.quality)
            found = asyncio.run(costs(files, options.photo.read_bytes(), target, pid))
    rows = [
        (
            *(one.file, one.outcome, cell(one.took_s * 1000, 0), cell(one.cpu_s * 1000, 0)),
            *(cell(one.grown_mb, 0), one.wrong(expected)),
        )
        for one in found
    ]
    wrong = sum(bool(one.wrong(expected)) for one in found)
    print(f"{machine()}; quality {options.quality}\n\n{table(HEADER, rows)}")
    print(
        f"\n{len(found)} files, {wrong} wrong; longest {max(one.took_s for one in found):.2f} s, "
        f"largest {max(one.grown_mb for one in found):.0f} MB"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
