"""Memory, file handles and threads of every process of a server, taken again and again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median

from benchmarks.processes import ProcFs, Tree

PROC = Path("/proc")
REPLICA = "ray::ServeReplica:"


@dataclass(frozen=True, slots=True)
class Sample:
    """One process, or the sum of some, at one moment."""

    at_s: float
    pss_bytes: int
    handles: int
    threads: int


@dataclass(slots=True)
class Census:
    """The samples of each process by (pid, start), and what it is called."""

    samples: dict[tuple[int, int], list[Sample]] = field(default_factory=dict)
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    totals: list[Sample] = field(default_factory=list)

    def take(self, tree: Tree, root: Path = PROC) -> None:
        """Samples every process of the tree that lives now; ``root`` is its proc file system.

        Raises PermissionError for another user's process.
        """
        files = ProcFs(root)
        now_s = time.monotonic()
        taken = []
        for pid, process in tree.members().items():
            key = pid, process.started_ticks
            pss_bytes = files.pss_bytes(pid)
            if not pss_bytes:  # gone, or not there yet
                continue
            sample = Sample(now_s, pss_bytes, _count(root, pid, "fd"), _count(root, pid, "task"))
            self.samples.setdefault(key, []).append(sample)
            # Ray's workers take their names only when they are given something to do.
            self.names[key] = title(pid, root)
            taken.append(sample)
        self.totals.append(
            Sample(
                now_s,
                sum(sample.pss_bytes for sample in taken),
                sum(sample.handles for sample in taken),
                sum(sample.threads for sample in taken),
            )
        )


@dataclass(frozen=True, slots=True)
class Trend:
    """How samples went; the first and last are medians of thirds of the time."""

    first_pss_mb: float
    last_pss_mb: float
    mb_per_10_min: float
    percent_per_10_min: float
    first_handles: float
    last_handles: float
    first_threads: float
    last_threads: float


def trend(samples: Sequence[Sample]) -> Trend | None:
    """How the samples went, which are in order of time; None of fewer than three."""
    if len(samples) < 3:
        return None
    third = max(1, len(samples) // 3)

    def ends(value: Callable[[Sample], float]) -> tuple[float, float]:
        return median(map(value, samples[:third])), median(map(value, samples[-third:]))

    mean_mb = fmean(sample.pss_bytes for sample in samples) / 1e6
    slope_mb = slope([(sample.at_s, sample.pss_bytes / 1e6) for sample in samples]) * 600
    first_mb, last_mb = ends(lambda sample: sample.pss_bytes / 1e6)
    return Trend(
        *(first_mb, last_mb, slope_mb, 100 * slope_mb / mean_mb),
        *ends(lambda sample: sample.handles),
        *ends(lambda sample: sample.threads),
    )


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The rise of y for each unit of x by least squares; 0 where all x are the same."""
    mean_x, mean_y = fmean(x for x, _ in points), fmean(y for _, y in points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def title(pid: int, root: Path = PROC) -> str:
    """A short name of the process: of a replica its deployment, of Ray's other actors their class,
    of the rest the program or script. Empty of one that has gone.
    """
    words = ProcFs(root).command(pid).split("\0")
    first = words[0].strip()
    if first.startswith(REPLICA):
        return first.removeprefix(REPLICA).split(":")[1].split(".")[0]
    if first.startswith("ray::"):
        return first.removeprefix("ray::").split(".")[0]
    program = Path(first).name
    scripts = (Path(word).name for word in words[1:] if word.endswith((".py", "/serve")))
    return next(scripts, program) if program.startswith("python") else program


def _count(root: Path, pid: int, folder: str) -> int:
    try:
        return sum(1 for _ in (root / str(pid) / folder).iterdir())
    except OSError:
        return 0
