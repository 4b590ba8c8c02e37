"""Trees of processes, read from a made-up /proc."""

import os
import time
from pathlib import Path

import pytest

from benchmarks.processes import Meter, Process, ProcFs, Tree, descendants, parse_stat

TICKS = os.sysconf("SC_CLK_TCK")
SESSION = "session_2026-01-02_03-04-05_678901_42"


def stat(pid: int, parent: int, ticks: int = 0, name: str = "python") -> str:
    zeros = "0 " * 9
    return f"{pid} ({name}) S {parent} {zeros}{ticks} {ticks} 0 0 20 0 1 0 {1000 + pid} 0 0\n"


class Machine:
    """A /proc in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "stat").write_text("cpu  100 10 50 9000 77 5 5 30 0 0\ncpu0 1 1 1\n")
        self.files = ProcFs(root)

    def add(self, pid: int, parent: int, ticks: int = 0, command: str = "x", pss: int = 0) -> None:
        folder = self.root / str(pid)
        folder.mkdir(exist_ok=True)
        (folder / "stat").write_text(stat(pid, parent, ticks))
        (folder / "cmdline").write_text(command.replace(" ", "\0"))
        (folder / "smaps_rollup").write_text(f"Rss: 9999 kB\nPss: {pss} kB\nPss_Anon: 5 kB\n")
        (folder / "fd").mkdir(exist_ok=True)

    def opens(self, pid: int, path: str) -> None:
        (self.root / str(pid) / "fd" / "7").symlink_to(path)

    def remove(self, pid: int) -> None:
        (self.root / str(pid) / "stat").unlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("name", ["python", "a b", "tricky) S 1 2 (", "ray::Serve:X"])
def test_stat_is_read_whatever_the_name(name: str) -> None:
    assert parse_stat(stat(12, 3, 50, name)) == Process(12, 3, 100 / TICKS, 1012)


def test_descendants_are_found_at_any_depth() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    processes = {pid: Process(pid, parent, 0, 0) for pid, parent in parents.items()}
    assert descendants(processes, {10}) == {10, 11, 12}
    assert descendants(processes, {11, 20, 99}) == {11, 12, 20, 21}


def test_tree_holds_rays_orphans_by_their_session(machine: Machine) -> None:
    machine.add(1, 0)
    machine.add(10, 1, command="serve run app")
    machine.opens(10, f"/tmp/ray/{SESSION}/logs/driver.log")
    machine.add(20, 1, command=f"raylet --session={SESSION}")
    machine.add(21, 20, command="ray::ServeReplica")
    machine.add(30, 1, command="raylet --session=session_2026-09-09_09-09-09_000000_99")
    machine.add(31, 30)
    assert set(Tree(10, machine.files).members()) == {10, 20, 21}


def test_tree_finds_the_session_in_a_childs_command_line(machine: Machine) -> None:
    machine.add(10, 1)
    machine.add(11, 10, command=f"gcs_server --log-dir=/tmp/ray/{SESSION}/logs")
    machine.add(20, 1, command=f"dashboard --session-dir=/tmp/ray/{SESSION}")
    assert set(Tree(10, machine.files).members()) == {10, 11, 20}


def test_tree_leaves_this_process_out(machine: Machine) -> None:
    machine.add(10, 1)
    machine.add(os.getpid(), 10)
    assert set(Tree(10, machine.files).members()) == {10}


def test_busy_time_holds_stolen_time_but_neither_idle_nor_waiting(machine: Machine) -> None:
    assert machine.files.busy_s() == pytest.approx((100 + 10 + 50 + 5 + 5 + 30) / TICKS)


def test_memory_of_a_process_that_has_gone_is_none(machine: Machine) -> None:
    machine.add(10, 1, pss=300)
    assert machine.files.pss_bytes(10) == 300 * 1024
    assert machine.files.pss_bytes(11) == 0


def test_meter_keeps_the_time_of_processes_that_have_ended(machine: Machine) -> None:
    machine.add(10, 1, ticks=100)
    machine.add(11, 10, ticks=50)
    with Meter(10, period_s=1000, files=machine.files) as meter:
        before = meter.read()
        machine.add(10, 1, ticks=110)
        machine.remove(11)
        after = meter.read()
    assert before.server_cpu_s == pytest.approx(300 / TICKS)
    assert after.server_cpu_s - before.server_cpu_s == pytest.approx(20 / TICKS)


def test_meter_tells_the_memory_of_the_whole_tree(machine: Machine) -> None:
    machine.add(10, 1, pss=300)
    machine.add(11, 10, pss=50)
    machine.add(20, 1, pss=4000)
    with Meter(10, period_s=0.001, files=machine.files) as meter:
        end_s = time.monotonic() + 5
        while (peak := meter.read().peak_pss_bytes) == 0 and time.monotonic() < end_s:
            time.sleep(0.001)
    assert peak == 350 * 1024


def test_a_quiet_meter_looks_at_the_memory_when_it_is_told_to(machine: Machine) -> None:
    machine.add(10, 1, pss=300)
    with Meter(10, period_s=0.001, files=machine.files, quiet=True) as meter:
        time.sleep(0.05)
        assert meter.read().peak_pss_bytes == 0
        meter.look()
        assert [meter.read().peak_pss_bytes for _ in range(2)] == [300 * 1024] * 2


def test_where_there_is_no_proc_there_are_no_processes(tmp_path: Path) -> None:
    files = ProcFs(tmp_path / "none")
    assert not files.there
    assert files.processes() == {}


def test_meter_refuses_a_process_that_is_not_there(machine: Machine) -> None:
    with pytest.raises(LookupError), Meter(10, files=machine.files):
        pass


def test_this_machine_is_read_as_well() -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("not Linux")
    files = ProcFs()
    assert files.processes()[os.getpid()].parent == os.getppid()
    assert files.pss_bytes(os.getpid()) > 1_000_000
