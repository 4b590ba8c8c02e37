"""A request's body on the disk: in a file without a name, which is gone when its process is."""

import asyncio
import errno
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from starlette.requests import Request

from pipeline.errors import PhotoTooLarge, StorageFull

CHUNK_BYTES = 1 << 18
# Ray's proxy sends on what it has, however fast we read, and keeps it in memory meanwhile. So the
# body is written in large pieces, which is faster than it can arrive.
_WRITE_BYTES = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def receive(request: Request, folder: Path, max_bytes: int) -> IO[bytes]:
    """The body, whole, in a file that the caller closes.

    Raises PhotoTooLarge (``job_too_large``), as soon as it is known, and StorageFull.
    """
    too_large = PhotoTooLarge("job_too_large", limit_mb=round(max_bytes / 1e6, 1))
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise too_large
    file = await asyncio.to_thread(_unnamed, folder)
    try:
        waiting: list[bytes] = []
        waiting_bytes = received = 0
        async for chunk in request.stream():
            waiting.append(chunk)
            waiting_bytes += len(chunk)
            received += len(chunk)
            if received > max_bytes:
                raise too_large
            if waiting_bytes >= _WRITE_BYTES:
                await asyncio.to_thread(_write, file, waiting)
                waiting, waiting_bytes = [], 0
        await asyncio.to_thread(_write, file, waiting)
    except BaseException:
        file.close()
        raise
    return file


def _unnamed(folder: Path) -> IO[bytes]:
    with _full_disk_told():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return tempfile.TemporaryFile(dir=folder, buffering=0)


def _write(file: IO[bytes], chunks: list[bytes]) -> None:
    left = memoryview(b"".join(chunks))
    with _full_disk_told():
        while left:
            left = left[file.write(left) :]


@contextmanager
def _full_disk_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull("storage_full") from error
        raise


class Slice(io.RawIOBase):
    """A part of a file, read without moving the file's own position. Several slices of one file may
    be read in several threads.
    """

    def __init__(self, file: IO[bytes], start: int = 0, size: int | None = None) -> None:
        # Not its number, which another file has once this one is closed.
        self._file = file
        self._start = start
        self.size = os.fstat(file.fileno()).st_size - start if size is None else size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("before the start")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        data = os.pread(self._file.fileno(), wanted, self._start + self._at)
        self._at += len(data)
        return data

    def chunks(self) -> Iterator[bytes]:
        """The whole slice, from its start, piece by piece."""
        self.seek(0)
        while chunk := self.read(CHUNK_BYTES):
            yield chunk
