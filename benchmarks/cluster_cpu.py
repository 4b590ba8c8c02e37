"""Whose CPU time it was: of the Gateways, the controller, Ray's daemons."""

import os
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.census import title
from benchmarks.processes import ProcFs, Tree


@dataclass(frozen=True, slots=True)
class Share:
    """One kind of process between two moments."""

    cores: float
    """CPU-seconds a second of all of them."""
    busiest: float
    """Of that one which had most: at 1 a process of one thread is full."""
    processes: int


class Watch:
    """Reads the clocks of what this process has started."""

    def __init__(self) -> None:
        self._tree = Tree(os.getpid())
        self._last = self._read()

    def _read(self) -> tuple[float, float, dict[tuple[int, int], float]]:
        members = self._tree.members().values()
        clocks = {(each.pid, each.started_ticks): each.cpu_s for each in members}
        return time.monotonic(), time.process_time(), clocks

    def shares(self) -> dict[str, Share]:
        """By name, since the last time; "client" is this process. What has ended does not count."""
        start_s, own_s, before = self._last
        self._last = end_s, own_end_s, after = self._read()
        seconds = end_s - start_s
        cores: dict[str, list[float]] = {"client": [(own_end_s - own_s) / seconds]}
        for key, cpu_s in after.items():
            name = title(key[0]) or "gone"
            cores.setdefault(name, []).append((cpu_s - before.get(key, 0.0)) / seconds)
        return {name: Share(sum(each), max(each), len(each)) for name, each in cores.items()}

    def pss_mb(self) -> dict[str, float]:
        """Memory now, by name."""
        files, found = ProcFs(), Counter[str]()
        for pid in self._tree.members():
            found[title(pid) or "gone"] += files.pss_bytes(pid)
        return {name: round(size / 1e6, 1) for name, size in found.items()}
