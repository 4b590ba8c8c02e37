"""The photos of a zip that nobody vouches for, read one after the other and never as a whole.

Everything that can be known from the archive's directory is checked before a byte is unpacked.
"""

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from deployments.jobs import names
from deployments.jobs.entries import Entry
from deployments.jobs.spool import CHUNK_BYTES, Slice
from pipeline.errors import PhotoTooLarge, UnreadablePhoto, UnreadableRequest

# Photos are compressed already. A member below this size may shrink as much as it likes.
MAX_RATIO = 100
_RATIO_FROM_BYTES = 1_000_000
# Of the directory, for each member: a long name, times, rights.
_DIRECTORY_BYTES = 640
_DIRECTORY_SIGNATURE = b"PK\1\2"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
# Two letters in a row that GB 2312 has, where other code pages have box-drawing lines.
_CHINESE = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]")


class _Guarded(Slice):
    """A file that refuses to hand out the directory of more members than ``most``.

    ``zipfile`` reads the directory in one go and makes an object of each member in it.
    """

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        too_many = PhotoTooLarge("too_many_items", limit=self.most)
        if size is not None and size > max(CHUNK_BYTES, self.most * _DIRECTORY_BYTES):
            raise too_many
        data = super().read(size)
        if data.count(_DIRECTORY_SIGNATURE) > self.most:
            raise too_many
        return data


def entries(
    file: IO[bytes],
    start: int,
    size: int,
    *,
    max_items: int,
    max_bytes: int,
    max_member_bytes: int,
) -> list[Entry]:
    """Everything that the zip in this part of the file holds, directories and all, as it is listed.

    What is no photo by its listing (directories, links, more than ``max_member_bytes``) is an entry
    with an error. Raises UnreadableRequest (``broken_archive``, ``unsafe_archive``,
    ``encrypted_archive``) and PhotoTooLarge (``too_many_items``, ``job_too_large``,
    ``archive_bomb``).
    """
    guarded = _Guarded(file, start, size)
    guarded.most = max_items
    try:
        archive = ZipFile(cast(IO[bytes], guarded))
    # Broken directories raise whatever the parser trips over.
    except (BadZipFile, ValueError, OSError, NotImplementedError, OverflowError) as error:
        raise UnreadableRequest("broken_archive") from error
    members = archive.infolist()
    _check(members, size, max_bytes)
    return [_entry(archive, member, max_member_bytes) for member in members]


def _check(members: list[ZipInfo], size: int, max_bytes: int) -> None:
    for member in members:
        # zipfile ends the name at a NUL; the original tells.
        if not names.is_safe(member.orig_filename):
            name = names.shown(member.orig_filename)
            raise UnreadableRequest("unsafe_archive", name=name)
        if member.flag_bits & _ENCRYPTED:
            raise UnreadableRequest("encrypted_archive")
        _check_ratio(member.file_size, member.compress_size)
    unpacked = sum(member.file_size for member in members)
    # Of the archive as a whole, too: members may share their bytes.
    _check_ratio(unpacked, size)
    if unpacked > max_bytes:
        raise PhotoTooLarge("job_too_large", limit_mb=round(max_bytes / 1e6, 1))


def _check_ratio(unpacked: int, packed: int) -> None:
    if unpacked > _RATIO_FROM_BYTES and unpacked > MAX_RATIO * packed:
        raise PhotoTooLarge("archive_bomb", limit=MAX_RATIO)


def _entry(archive: ZipFile, member: ZipInfo, max_member_bytes: int) -> Entry:
    name = _name(member)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.is_dir() or kind not in (0, stat.S_IFREG):
        return Entry(name, error="unsupported_format")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return Entry(name, error="unsupported_format")
    if member.file_size > max_member_bytes:
        return Entry(name, error="body_too_large")
    mark = f"{member.CRC:08x}"
    return Entry(name, member.file_size, mark, partial(_chunks, archive, member))


def _name(member: ZipInfo) -> str:
    """The member's name. Without the flag for UTF-8 zipfile reads code page 437; archives made on a
    Chinese Windows have GBK there, some others UTF-8 all the same.
    """
    if member.flag_bits & _UTF8 or member.filename.isascii():
        return member.filename
    raw = member.filename.encode("cp437")
    for encoding in ("utf-8", *(("gb18030",) if _CHINESE.search(raw) else ())):
        try:
            name = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if names.is_safe(name):
            return name
    return member.filename


def _chunks(archive: ZipFile, member: ZipInfo) -> Iterator[bytes]:
    """The member's bytes, at most as many as the directory says. A wrong checksum is found at their
    end.
    """
    try:
        with archive.open(member) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except (BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise UnreadablePhoto("broken_image") from error
    except (NotImplementedError, RuntimeError) as error:
        raise UnreadablePhoto("broken_image") from error
