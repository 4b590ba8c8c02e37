"""What a tree of processes costs, as Linux tells it under /proc: CPU-seconds, memory, and how busy
the machine is with anything else.

Read here and not through psutil: that has no notion of a Ray session, and all else is five files.
"""

import os
import re
import threading
import time
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

_KERNEL_PID = 2
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# As Ray names a cluster in the command lines and log files of its daemons.
_SESSION = re.compile(r"session_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d+_\d+")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/PID/stat."""

    pid: int
    parent: int
    cpu_s: float
    """User and system time of its threads since it started."""
    started_ticks: int
    """With the pid it tells a process from a later one of the same pid."""


class ProcFs:
    """The files of a proc file system. A process that has gone is not an error but absent."""

    def __init__(self, root: Path = Path("/proc")) -> None:
        self._root = root

    @property
    def there(self) -> bool:
        """False on other systems than Linux; then there are no processes and no times."""
        return (self._root / "stat").exists()

    def processes(self) -> dict[int, Process]:
        """Every process by its pid."""
        found: dict[int, Process] = {}
        for folder in self._root.iterdir() if self.there else ():
            if folder.name.isdecimal() and (text := _read(folder / "stat")):
                process = parse_stat(text)
                found[process.pid] = process
        return found

    def sessions(self, pid: int) -> set[str]:
        """The Ray sessions that the command line or an open file of the process names."""
        found = set(_SESSION.findall(_read(self._root / str(pid) / "cmdline")))
        try:
            for link in (self._root / str(pid) / "fd").iterdir():
                found.update(_SESSION.findall(os.readlink(link)))
        except OSError:  # gone, or a file closed while we looked
            pass
        return found

    def names_session(self, pid: int, sessions: Collection[str]) -> bool:
        """Whether the command line of the process names one of the Ray sessions."""
        command = self.command(pid)
        return any(session in command for session in sessions)

    def command(self, pid: int) -> str:
        """The command line, its words between NULs; empty if gone."""
        return _read(self._root / str(pid) / "cmdline")

    def resident_bytes(self, pid: int) -> int:
        """What the process has in memory now. 0 if gone."""
        return self._bytes(pid, "status", "VmRSS")

    def peak_bytes(self, pid: int) -> int:
        """The most that it has had in memory, since ``reset_peak`` if that was. 0 if gone."""
        return self._bytes(pid, "status", "VmHWM")

    def reset_peak(self, pid: int) -> None:
        """Makes the peak what the process has now, as proc_pid_clear_refs(5) has it.

        Raises PermissionError for another user's process, and OSError for one that has gone.
        """
        (self._root / str(pid) / "clear_refs").write_text("5")

    def _bytes(self, pid: int, file: str, name: str) -> int:
        lines = _read(self._root / str(pid) / file).splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    def pss_bytes(self, pid: int) -> int:
        """Proportional set size: what is shared is divided among those who share it. 0 if gone.

        Raises PermissionError for another user's process.
        """
        return self._bytes(pid, "smaps_rollup", "Pss")

    def busy_s(self) -> float:
        """CPU-seconds that all cores were not idle since the machine started, time that another
        virtual machine took from them included. Raises ValueError where they are not told.
        """
        first = _read(self._root / "stat").partition("\n")[0]
        user, nice, system, _idle, _wait, interrupts, soft, stolen = map(int, first.split()[1:9])
        return (user + nice + system + interrupts + soft + stolen) / _TICKS_PER_S


def parse_stat(text: str) -> Process:
    """The process of a /proc/PID/stat; its name, in brackets, may hold spaces and brackets."""
    pid = int(text.partition(" ")[0])
    fields = text.rpartition(")")[2].split()
    cpu_ticks = int(fields[11]) + int(fields[12])
    return Process(pid, int(fields[1]), cpu_ticks / _TICKS_PER_S, int(fields[19]))


def descendants(processes: dict[int, Process], roots: set[int]) -> set[int]:
    """The roots that live and all that they started, at any depth."""
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = [root for root in roots if root in processes]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return found


class Tree:
    """A server's processes: what its first process started, and whatever belongs to the Ray
    sessions of those, for Ray's daemons may have lost their parent.
    """

    def __init__(self, pid: int, files: ProcFs | None = None) -> None:
        """``pid`` is the first process, as that of ``idphoto serve``; this one never counts."""
        self._pid = pid
        self._files = files or ProcFs()
        self._sessions: set[str] = set()
        self._looked_at: set[int] = set()

    def members(self) -> dict[int, Process]:
        """The processes of the tree that live now."""
        processes = self._files.processes()
        tree = descendants(processes, {self._pid})
        for pid in tree - self._looked_at:
            self._sessions |= self._files.sessions(pid)
        self._looked_at |= tree
        strays = {
            process.pid
            for process in processes.values()
            if process.pid not in tree
            and _KERNEL_PID not in (process.pid, process.parent)
            and self._files.names_session(process.pid, self._sessions)
        }
        tree |= descendants(processes, strays)
        return {pid: processes[pid] for pid in tree - {os.getpid()} if pid in processes}


@dataclass(frozen=True, slots=True)
class Reading:
    """Clocks at one moment; differences of two readings are what counts."""

    at_s: float
    server_cpu_s: float
    own_cpu_s: float
    busy_s: float
    peak_pss_bytes: int
    """Of the tree since the reading before."""


def _memory(files: ProcFs, pids: Collection[int]) -> tuple[int, float]:
    """Proportional set size of the processes together, and the CPU-seconds of this one."""
    return sum(map(files.pss_bytes, pids)), time.process_time()


def _stand_behind() -> None:
    """Whoever started this process may go before others on the cores, which it does not need."""
    os.setpriority(os.PRIO_PROCESS, 0, max(0, os.getpriority(os.PRIO_PROCESS, 0)))


class Meter:
    """Watches a tree from a thread of its own, so that short-lived processes count as well; and its
    memory from another process, as Linux goes through every page meanwhile.
    """

    def __init__(
        self, pid: int, period_s: float = 3, files: ProcFs | None = None, *, quiet: bool = False
    ) -> None:
        """``quiet``: looks at nothing but when it is asked. On a machine whose cores are all busy
        a look at the memory keeps everybody waiting for up to a second, and one at the processes
        whoever measures times in this one for a tenth.
        """
        self._files = files or ProcFs()
        self._tree = Tree(pid, self._files)
        self._period_s = period_s
        self._cpu_s: dict[tuple[int, int], float] = {}
        self._pss_bytes = self._peak = 0
        self._aside = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_stand_behind
        )
        self._aside_cpu_s = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = None if quiet else threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Meter":
        """Raises LookupError where there is no such process."""
        if not self._sample_cpu():
            raise LookupError("there is no process of that pid")
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._thread:
            self._thread.join()
        self._aside.shutdown()

    def read(self) -> Reading:
        """The clocks now."""
        self._sample_cpu()
        with self._lock:
            server_cpu_s = sum(self._cpu_s.values())
            own_cpu_s = time.process_time() + self._aside_cpu_s
            peak, self._peak = self._peak, self._pss_bytes
        busy_s = self._files.busy_s()
        return Reading(time.monotonic(), server_cpu_s, own_cpu_s, busy_s, peak)

    def look(self) -> None:
        """Looks at the memory of the tree."""
        # Outside the lock: a busy process may keep us waiting for its page tables.
        work = self._aside.submit(_memory, self._files, list(self._sample_cpu()))
        pss_bytes, aside_cpu_s = work.result()
        with self._lock:
            self._aside_cpu_s = aside_cpu_s
            self._pss_bytes = pss_bytes
            self._peak = max(self._peak, pss_bytes)

    def _watch(self) -> None:
        while True:
            self.look()
            if self._stopped.wait(self._period_s):
                return

    def _sample_cpu(self) -> dict[int, Process]:
        with self._lock:
            members = self._tree.members()
            # A process that has ended keeps the last time that it was seen with.
            for process in members.values():
                self._cpu_s[process.pid, process.started_ticks] = process.cpu_s
            return members


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
