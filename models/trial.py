"""Tries ways to run a net on the CPU, in a process of its own: what the tried sessions take, three
times a replica's own memory, goes with it.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.catalog import Net, Precision, find
from models.prepare import prepare
from models.runtimes import Runtime, open_run
from models.session import SessionOptions

_ROUNDS = 3


class Way(NamedTuple):
    """One way to run a net."""

    runtime: Runtime
    precision: Precision

    def __str__(self) -> str:
        return f"{self.precision} by {self.runtime}"


class Trial(NamedTuple):
    """What is tried, and with how many threads."""

    net: str
    """The net's name in the catalogue; it must be a matting net."""
    source: Path
    """Its weights."""
    folder: Path
    """Where the prepared files go, or are."""
    threads: int


def measured_s(trial: Trial, ways: Sequence[Way]) -> list[float]:
    """CPU seconds of one frame in each way. Raises RuntimeError where one cannot be run."""
    words = [trial.net, str(trial.source), str(trial.folder), str(trial.threads)]
    tried = subprocess.run(
        [sys.executable, "-m", "models.trial", *words, json.dumps(ways)],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if tried.returncode:
        reason = tried.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"{trial.net} could not be tried on this CPU: {reason}")
    # Runtimes may have had something to say as well.
    seconds: list[float] = json.loads(tried.stdout.strip().rpartition("\n")[2])
    return seconds


def medians_s(works: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median CPU time of each work in seconds, taken in turn after one run that does not count.

    CPU time, because other replicas start at the same moment and share the cores.
    """
    times: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 1):
        for work, taken in zip(works, times, strict=True):
            start = time.process_time()
            work()
            if turn:
                taken.append(time.process_time() - start)
    return [statistics.median(taken) for taken in times]


def _work(net: Net, trial: Trial, way: Way) -> Callable[[], object]:
    assert net.interface is not None
    side = net.interface.size_px
    frame = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)
    model = prepare(net, trial.source, trial.folder, way.precision)
    options = SessionOptions(device="cpu", threads=trial.threads, precision=way.precision)
    run = open_run(model, way.runtime, options)
    return lambda: run(frame)


def main(arguments: Sequence[str]) -> None:
    """Prints the seconds of the ways that the last argument holds, as JSON; see ``measured_s``."""
    name, source, folder, threads, ways = arguments
    trial = Trial(name, Path(source), Path(folder), int(threads))
    works = [_work(find(name), trial, Way(*way)) for way in json.loads(ways)]
    print(json.dumps(medians_s(works, _ROUNDS)))


if __name__ == "__main__":
    main(sys.argv[1:])
