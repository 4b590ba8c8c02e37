"""Traces that a service leaves on a machine: files, open files, ports."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ELSEWHERE = (Path("/tmp"), Path("/var/tmp"), Path.home(), ROOT)
_IN_MEMORY = ("/dev/shm/", "/memfd:")
_LISTENING = "0A"
_LOCAL = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def files_with(needles: Sequence[bytes], folder: Path, since_s: float) -> Iterator[Path]:
    """Files below the folder, and wherever a program may write, that hold one of the needles and
    were changed since then, in seconds since the epoch.
    """
    seen = set()
    for place in (folder, *_ELSEWHERE):
        for parent, _, names in os.walk(place):
            for path in (Path(parent, name) for name in names):
                if path not in seen and _changed(path, since_s) and _holds(path, needles):
                    yield path
                seen.add(path)


def open_files_with(needles: Sequence[bytes]) -> Iterator[str]:
    """Open files on a disk that hold one of the needles, deleted ones too, of every process in this
    network namespace.
    """
    for process in processes():
        for descriptor, target in descriptors(process):
            if target.startswith(_IN_MEMORY) or not _is_file(descriptor):
                continue
            if _holds(descriptor, needles):
                yield f"{process.name}: {target}"


def listeners() -> list[tuple[int, str]]:
    """Ports that are open to other machines, with the command line of their process."""
    ports = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            address, port = local.split(":")
            if state == _LISTENING and address not in _LOCAL:
                ports[f"socket:[{rest[5]}]"] = int(port, 16)
    found = {}
    for process in processes():
        for _, target in descriptors(process):
            if target in ports:
                found[ports[target]] = (process / "cmdline").read_text().strip("\0")
    return [(port, found.get(port, "nobody")) for port in ports.values()]


def command_lines() -> Iterator[str]:
    """Program and arguments, with NUL between them, of every process in this network namespace."""
    for process in processes():
        with suppress(OSError):
            yield (process / "cmdline").read_text()


def processes() -> Iterator[Path]:
    """The folder in /proc of every process in this network namespace."""
    here = os.readlink("/proc/self/ns/net")
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and os.readlink(process / "ns/net") == here:
                yield process
        except OSError:
            pass  # it has ended, or is somebody else's


def descriptors(process: Path) -> Iterator[tuple[Path, str]]:
    """The open files and sockets of a process, and what they lead to."""
    try:
        found = list((process / "fd").iterdir())
    except OSError:
        return  # the process has ended
    for descriptor in found:
        # It may be closed meanwhile.
        with suppress(OSError):
            yield descriptor, os.readlink(descriptor)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _changed(path: Path, since_s: float) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_mtime >= since_s - 1


def _holds(path: Path, needles: Sequence[bytes], chunk_bytes: int = 1 << 22) -> bool:
    overlap = max(map(len, needles))
    with suppress(OSError), path.open("rb") as file:
        tail = b""
        while chunk := file.read(chunk_bytes):
            if any(needle in tail + chunk for needle in needles):
                return True
            tail = chunk[-overlap:]
    return False
