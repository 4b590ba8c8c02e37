"""Tries ways to run a net on the CPU, once for each kind of CPU, in a process of its own: what the
tried sessions take, three times a replica's own memory, goes with it.
"""

import hashlib
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

from models.catalog import Net, Precision, find
from models.prepare import prepare
from models.runtimes import Runtime, open_run
from models.session import SessionOptions
from models.weights import locked, sha256

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
    """CPU seconds of one frame in each way. Raises RuntimeError where one cannot be run.

    What was measured is kept in the trial's folder, if that can be written, so that a replica that
    takes the place of a lost one starts some seconds sooner.
    """
    record = _record(trial, ways)
    with suppress(OSError, ValueError):
        return _read(record)
    with ExitStack() as stack:
        try:
            # Other replicas start at the same moment: one of them measures.
            stack.enter_context(locked(record))
        except OSError:
            return _measured_s(trial, ways)
        with suppress(OSError, ValueError):
            return _read(record)
        seconds = _measured_s(trial, ways)
        with suppress(OSError):
            record.write_text(json.dumps(seconds), encoding="utf-8")
        return seconds


def _record(trial: Trial, ways: Sequence[Way]) -> Path:
    """Where the seconds are kept: another CPU, net, program or number of threads has another."""
    programs = [onnxruntime.__version__]
    if any(way.runtime == "openvino" for way in ways):
        programs.append(version("openvino"))
    facts = [_cpu(), sha256(trial.source), trial.threads, list(ways), programs]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
    return trial.folder / "prepared" / f"{trial.net}-{key}-trial.json"


def _cpu() -> str:
    """The kind of CPU, by its name and what it can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    # Those of ARM have Features, and no name.
    wanted = ("model name", "flags", "Features")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))


def _read(record: Path) -> list[float]:
    """Raises OSError and ValueError, the latter for a record whose writing was cut off."""
    seconds: list[float] = json.loads(record.read_text(encoding="utf-8"))
    return seconds


def _measured_s(trial: Trial, ways: Sequence[Way]) -> list[float]:
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
