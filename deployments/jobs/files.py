"""Uploads and results as files under one root: a local folder, or a bucket by URL."""

import errno
import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

try:
    from botocore.exceptions import BotoCoreError, ClientError

    _FAILURES: tuple[type[Exception], ...] = (OSError, BotoCoreError, ClientError)
except ImportError:  # the extra s3 is not installed
    _FAILURES = (OSError,)

_PART_BYTES = 8 << 20
"""What is read from, or written to, a bucket in one request."""
_UPLOAD = "upload"
_UNFINISHED = ".unfinished"
_MARK = ".idphoto-jobs"
"""A file that shows that the root is the one that we knew: an empty mount point has none."""
_RACES = 20
"""How often a folder is erased in which others still write, or a file put where others erase."""
_CHANGED = (errno.ENOTEMPTY, errno.ENOENT, errno.EISDIR)
"""How erasing a folder fails where others write in it or erase."""
T = TypeVar("T")
_JOB_ID = re.compile("[0-9a-f]{32}")


class StorageUnavailable(Exception):
    """The storage cannot be reached, is full, or refuses us; later it may not."""


class MissingFile(Exception):
    """There is no file of this key, though the storage is there."""


class MissingJob(StorageUnavailable):
    """Nothing of the job is there, though something should be: as of a disk that is not mounted."""


def upload_key(job_id: str, position: int) -> str:
    """Where an upload is kept."""
    return f"{_item_key(job_id, position)}/{_UPLOAD}"


def result_key(job_id: str, position: int, attempt: int, variant: int, suffix: str) -> str:
    """Where a result is kept; two attempts never write to the same key. ``suffix``: jpg, png..."""
    return f"{_item_key(job_id, position)}/{attempt}-{variant}.{suffix}"


def _item_key(job_id: str, position: int) -> str:
    return f"{job_id}/{position:08}"


class Files:
    """Files below ``root``, a folder or a URL such as ``s3://bucket/prefix``.

    Methods may be called from any thread and raise ``StorageUnavailable`` when the storage fails.
    Making one touches nothing. Keys are made by the functions above, never of what users sent.

    :param options: for fsspec's file system, such as ``endpoint_url`` for S3.
    """

    def __init__(self, root: str, **options: Any) -> None:
        # No lists from memory: other nodes write, too.
        options = {"use_listings_cache": False, "skip_instance_cache": True, **options}
        self._fs, self._root = fsspec.core.url_to_fs(root, **options)
        self._local = isinstance(self._fs, LocalFileSystem)
        self._marked = False
        self._marking = threading.Lock()

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Keeps the chunks' bytes under ``key``; returns how many. Readers see the whole file or
        none, also when this is killed; on a disk it is there after a power cut, too. What
        ``chunks`` raises passes through, and nothing is kept.
        """
        self._mark()
        return (self._put_local if self._local else self._put_remote)(self._path(key), chunks)

    def get(self, key: str) -> bytes:
        """The file's bytes. Raises ``MissingFile``, or ``MissingJob``."""
        try:
            return self._of_file(key, lambda path: bytes(self._fs.cat_file(path)))
        except MissingFile:
            job_id = key.partition("/")[0]
            if self._of_file(job_id, self._fs.exists):
                raise
            raise MissingJob(f"nothing of job {job_id} is there") from None

    def read(self, key: str, chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
        """The file in chunks; raises ``MissingFile`` at the call, not at the first chunk."""
        file = self._of_file(key, lambda path: self._fs.open(path, "rb", block_size=_PART_BYTES))
        return _chunks(file, chunk_bytes)

    def exists(self, key: str) -> bool:
        try:
            self.size(key)
        except MissingFile:
            return False
        return True

    def size(self, key: str) -> int:
        """Bytes of the file. Raises ``MissingFile``."""
        return self._of_file(key, lambda path: int(self._fs.info(path)["size"]))

    def delete(self, keys: Iterable[str]) -> None:
        """Erases the files that are there."""
        for key in keys:
            with suppress(MissingFile):
                self._of_file(key, self._fs.rm_file)

    def delete_results(self, job_id: str, position: int) -> None:
        """Erases the results of every attempt at a photo, so that none of them may count yet."""
        with suppress(MissingFile):
            key = _item_key(job_id, position)
            names = self._of_file(key, lambda path: self._fs.ls(path, detail=False))
            files = (str(name).rpartition("/")[2] for name in names)
            self.delete(f"{key}/{file}" for file in files if file != _UPLOAD)

    def delete_job(self, job_id: str) -> None:
        """Erases every file of the job."""
        if not _JOB_ID.fullmatch(job_id):
            raise ValueError("not the id of a job")
        with suppress(MissingFile):
            self._of_file(job_id, self._delete_folder)

    def _delete_folder(self, path: str) -> None:
        for left in reversed(range(_RACES)):
            try:
                self._fs.rm(path, recursive=True)
                break
            except OSError as error:
                # A runner that had begun a photo puts a file there, or erases one, at this moment.
                if not left or error.errno not in _CHANGED or not self._fs.exists(path):
                    raise

    def job_ids(self) -> list[str]:
        """Jobs that have files, to find those that no store knows."""
        self._mark()
        with _failures():
            names = [str(path).rpartition("/")[2] for path in self._fs.ls(self._root, detail=False)]
        return sorted(name for name in names if _JOB_ID.fullmatch(name))

    def used_bytes(self) -> int:
        """Bytes of all files, by looking at each: slow; ``Store.totals`` is quick."""
        with _failures():
            return sum(
                int(self._fs.du(self._path(job_id), withdirs=False)) for job_id in self.job_ids()
            )

    def delete_unfinished(self, older_than_s: float) -> int:
        """Erases what killed ``put`` calls left behind; returns how many files. Buckets have rules
        for that: set one that aborts incomplete multipart uploads.
        """
        if not self._local:
            return 0
        erased = 0
        with _failures():
            for path in Path(self._path(_UNFINISHED)).glob("*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < time.time() - older_than_s:
                        path.unlink()
                        erased += 1
        return erased

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _put_local(self, path: str, chunks: Iterable[bytes]) -> int:
        # fsspec's own temporary files may lie on another disk, where a move is a copy.
        target = Path(path)
        temporary = Path(self._path(_UNFINISHED)) / uuid4().hex
        size = 0
        try:
            with _failures():
                file = open(temporary, "wb")  # noqa: SIM115
            with _closing(file):
                for chunk in chunks:
                    with _failures():
                        file.write(chunk)
                    size += len(chunk)
                with _failures():
                    file.flush()
                    os.fsync(file.fileno())
            with _failures():
                self._move(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        return size

    def _move(self, temporary: Path, target: Path) -> None:
        for left in reversed(range(_RACES)):
            try:
                self._make_folder(target.parent)
                os.replace(temporary, target)
                break
            except FileNotFoundError:
                # The job is erased at this moment, with its folders.
                if not left or not temporary.exists():
                    raise
        with suppress(FileNotFoundError):
            _sync_folder(target.parent)

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir(exist_ok=True)
            _sync_folder(folder.parent)

    def _put_remote(self, path: str, chunks: Iterable[bytes]) -> int:
        chunks = iter(chunks)
        head = bytearray()
        while len(head) < _PART_BYTES and (chunk := next(chunks, None)) is not None:
            head += chunk
        if len(head) < _PART_BYTES:
            with _failures():  # one request instead of three, and as atomic
                self._fs.pipe_file(path, bytes(head))
            return len(head)
        size = 0
        with _failures():
            file = self._fs.open(path, "wb", autocommit=False, block_size=_PART_BYTES)
        try:
            for chunk in itertools.chain([bytes(head)], chunks):
                with _failures():
                    file.write(chunk)
                size += len(chunk)
            with _failures():
                file.close()
                file.commit()
        except BaseException:
            with suppress(*_FAILURES):
                file.discard()
            # Else the collector closes it, and uploads what there is.
            file.closed = True
            raise
        return size

    def _of_file(self, key: str, ask: Callable[[str], T]) -> T:
        self._mark()
        with _failures():
            try:
                return ask(self._path(key))
            except FileNotFoundError:
                if self._fs.exists(self._path(_MARK)):
                    raise MissingFile(key) from None
                raise

    def _mark(self) -> None:
        """Marks a new root as ours; a root that we knew must still have its mark."""
        with self._marking, _failures():
            if not self._marked:
                if self._local:
                    os.makedirs(self._path(_UNFINISHED), exist_ok=True)
                self._fs.pipe_file(self._path(_MARK), b"")
                self._marked = True
            elif self._local and not os.path.exists(self._path(_MARK)):
                raise FileNotFoundError(f"{self._root} is gone")


def _chunks(file: Any, chunk_bytes: int) -> Iterator[bytes]:
    with _closing(file):
        while True:
            with _failures():
                chunk = file.read(chunk_bytes)
            if not chunk:
                return
            yield chunk


@contextmanager
def _closing(file: Any) -> Iterator[None]:
    try:
        yield
    finally:
        # What a full disk did not take is written again at the close, in vain.
        with suppress(*_FAILURES):
            file.close()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise StorageUnavailable(f"{type(error).__name__}: {error}".partition("\n")[0]) from error
