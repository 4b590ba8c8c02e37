"""Which photos are to be made: what the source holds, less what the target has already."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa

from cli.batch.storage import Bucket, Folder, Storage
from cli.batch.work import Job
from cli.exits import Exit, Failure

SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif", ".avif"))
UNUSABLE_NAME = "unusable_name"
_CHUNK = 10_000
# Names alone are held for all photos; as Arrow strings they take little more than their letters.
_NAMES = pa.large_string()


@dataclass(frozen=True)
class Plan:
    """The photos by their paths below the source."""

    pending: pa.Array
    written: pa.Array
    """All of whose files are in the target already."""
    unusable: tuple[str, ...]
    """Names that no file of the target can be made of, in letters that can be shown."""
    others: int
    """Files that are not named as pictures are."""


def plan(
    source: Storage, target: Storage, job: Job, *, overwrite: bool = False, any_name: bool = False
) -> Plan:
    """Looks through the source. ``any_name``: files without a picture's suffix as well.

    Raises OSError, and Failure where results would become photos.
    """
    inside = _inside(source, target)
    has = (lambda _: False) if overwrite else target.index()
    pending, written = _Names(), _Names()
    unusable: list[str] = []
    others = 0
    for name, _ in source.listed():
        path = PurePosixPath(name)
        hidden = any(part.startswith(".") and part != ".." for part in path.parts)
        if hidden or (inside and name.startswith(inside)):
            continue
        if not any_name and path.suffix.lower() not in SUFFIXES:
            others += 1
        elif not _usable(name):
            unusable.append(name.encode("utf-8", "backslashreplace").decode())
        elif all(map(has, job.keys(name))):
            written.add(name)
        else:
            pending.add(name)
    return Plan(pending.all(), written.all(), tuple(unusable), others)


def blocks(pending: pa.Array, workers: int, most: int = 256) -> Iterator[pa.Table]:
    """Tables of ``place`` and ``source`` for the workers: large ones first, and small ones at the
    end, so that all workers end at the same time.
    """
    done, rounds = 0, 8 * workers
    while done < len(pending):
        size = max(1, min(most, (len(pending) - done) // rounds))
        part = pending.slice(done, size)
        places = pa.array(range(done, done + len(part)), pa.int64())
        yield pa.table({"place": places, "source": part.cast(pa.string())})
        done += len(part)


class _Names:
    def __init__(self) -> None:
        self._chunks: list[pa.Array] = []
        self._last: list[str] = []

    def add(self, name: str) -> None:
        self._last.append(name)
        if len(self._last) == _CHUNK:
            self._chunks.append(pa.array(self._last, _NAMES))
            self._last = []

    def all(self) -> pa.Array:
        return pa.concat_arrays([*self._chunks, pa.array(self._last, _NAMES)])


def _usable(name: str) -> bool:
    """Whether the name stays below the target and can be written down: a bucket's key may be any
    text.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    parts = name.split("/")
    return "\0" not in name and not {"", ".", ".."} & set(parts)


def _inside(source: Storage, target: Storage) -> str:
    """The target's path below the source, with a slash; empty where it is elsewhere."""
    match source, target:
        case (Folder(a), Folder(b)):
            here, there = a.resolve().as_posix() + "/", b.resolve().as_posix() + "/"
        case (Bucket(here), Bucket(there)):
            here, there = here + "/", there + "/"
        case _:
            return ""
    if here == there:
        raise Failure(Exit.USAGE, "The results need a folder of their own.")
    return there.removeprefix(here) if there.startswith(here) else ""
