"""Where photos come from and go to: a local folder, or a bucket by its URL."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import fsspec
import numpy as np

from cli import files

STATE = ".idphoto"
"""The folder of the target in which a run keeps what it needs to be taken up again."""
UNFINISHED = f"{STATE}/unfinished"
"""Where a folder's files are before they have their names."""
_DIGEST_BYTES = 16


class Entry(NamedTuple):
    """A file by its path below the root, with slashes."""

    name: str
    size_bytes: int


class Storage(Protocol):
    """Files by their path below a root, with slashes. Every method raises OSError."""

    reads_ahead: int
    """So many files are read while one photo is worked on: more where each takes its time."""

    def listed(self, below: str = "") -> Iterator[Entry]:
        """Every file below a folder, one after the other; none where the folder is missing."""

    def read(self, name: str, limit_bytes: int) -> bytes:
        """The file, or one byte more than the limit where it is larger."""

    def write(self, name: str, data: bytes) -> None:
        """The file whole, or not at all."""

    def put(self, name: str, file: Path) -> None:
        """A copy of a local file, whole or not at all."""

    def delete(self, name: str) -> None: ...

    def has(self, name: str) -> bool:
        """Whether the file is there; what was left empty by a machine that failed is not."""

    def index(self) -> Callable[[str], bool]:
        """``has`` for a great many names."""


@dataclass(frozen=True)
class Folder:
    """A folder of this machine, or one that all machines of a cluster see at the same path."""

    root: Path
    reads_ahead = 2

    def listed(self, below: str = "") -> Iterator[Entry]:
        for folder, _, names in os.walk(self.root / below, onerror=_unless_missing):
            place = Path(folder).relative_to(self.root)
            for name in sorted(names):
                try:
                    size_bytes = os.stat(os.path.join(folder, name)).st_size
                except OSError:
                    size_bytes = 0  # Whoever reads it says what is wrong with it.
                yield Entry((place / name).as_posix(), size_bytes)

    def read(self, name: str, limit_bytes: int) -> bytes:
        return files.read(self.root / name, limit_bytes)

    def write(self, name: str, data: bytes) -> None:
        files.write(self.root / name, data, self._unfinished)

    def put(self, name: str, file: Path) -> None:
        files.write(self.root / name, file, self._unfinished)

    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        try:
            return os.stat(self.root / name).st_size > 0
        except OSError:
            return False

    def index(self) -> Callable[[str], bool]:
        return self.has

    @property
    def _unfinished(self) -> Path:
        return self.root / UNFINISHED


@dataclass(frozen=True)
class Bucket:
    """A bucket, or a part of one, by a URL that fsspec knows; a put shows the whole file at once.

    Credentials and endpoint come from the environment, as its library documents.
    """

    url: str
    reads_ahead = 8

    @cached_property
    def _place(self) -> tuple[Any, str]:
        """The file system and the root in it; made anew in each process."""
        # What is listed once must not hide what others write.
        system, root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        return system, root.rstrip("/")

    def __reduce__(self) -> tuple[object, ...]:
        return Bucket, (self.url,)

    def listed(self, below: str = "") -> Iterator[Entry]:
        system, root = self._place
        prefix = f"{root}/{below}".rstrip("/") + "/"
        pages = _s3_pages if hasattr(system, "call_s3") else _pages
        for path, size_bytes in pages(system, prefix):
            yield Entry(path.removeprefix(root + "/"), size_bytes)

    def read(self, name: str, limit_bytes: int) -> bytes:
        system, root = self._place
        path = f"{root}/{name}"
        if system.size(path) > limit_bytes:
            return bytes(system.cat_file(path, start=0, end=limit_bytes + 1))
        return bytes(system.cat_file(path))

    def write(self, name: str, data: bytes) -> None:
        system, root = self._place
        system.pipe_file(f"{root}/{name}", data)

    def put(self, name: str, file: Path) -> None:
        system, root = self._place
        system.put_file(str(file), f"{root}/{name}")

    def delete(self, name: str) -> None:
        system, root = self._place
        system.rm_file(f"{root}/{name}")

    def has(self, name: str) -> bool:
        system, root = self._place
        try:
            return int(system.info(f"{root}/{name}")["size"]) > 0
        except FileNotFoundError:
            return False

    def index(self) -> Callable[[str], bool]:
        # One listing, of which a digest a name is kept: a question for each name would take longer
        # than the photos, and the names of millions more memory than there may be.
        found = (_digest(entry.name) for entry in self.listed() if entry.size_bytes)
        known = np.sort(np.fromiter(found, np.dtype((np.bytes_, _DIGEST_BYTES))))

        def has(name: str) -> bool:
            digest = np.frombuffer(_digest(name), known.dtype)[0]
            place = int(np.searchsorted(known, digest))
            return place < len(known) and bool(known[place] == digest)

        return has


def open_storage(place: str) -> Storage:
    """The storage of a path or URL; a local folder need not exist."""
    if place.startswith("file://"):
        place = place.removeprefix("file://")
    return Bucket(place.rstrip("/")) if "://" in place else Folder(Path(place).absolute())


def _unless_missing(error: OSError) -> None:
    """A folder that may not be read would be left out otherwise, and nobody told."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _s3_pages(system: Any, prefix: str) -> Iterator[tuple[str, int]]:
    """By pages of a thousand: fsspec itself would hold the whole listing at once."""
    bucket, _, key = prefix.partition("/")
    more: dict[str, str] = {}
    while True:
        page = system.call_s3("list_objects_v2", Bucket=bucket, Prefix=key, **more)
        for found in page.get("Contents", ()):
            if not found["Key"].endswith("/"):
                yield f"{bucket}/{found['Key']}", int(found["Size"])
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def _pages(system: Any, prefix: str) -> Iterator[tuple[str, int]]:
    for _, _, found in system.walk(prefix.rstrip("/"), detail=True):
        for about in found.values():
            yield about["name"], int(about["size"] or 0)


def _digest(name: str) -> bytes:
    data = name.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
