"""Zips as nobody wants them, and ordinary ones."""

import io
import struct
import zipfile
from collections.abc import Iterable

from PIL import Image


def photo(shade: int = 120, *, size: int = 64) -> bytes:
    """A small JPEG of one grey."""
    file = io.BytesIO()
    Image.new("RGB", (size, size), (shade % 256, shade // 256 % 256, 60)).save(file, "JPEG")
    return file.getvalue()


def zipped(files: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = 0) -> bytes:
    """An ordinary archive, stored unless told otherwise."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


def renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with another name of the same length, which zipfile would not write."""
    assert len(old) == len(new) and archive.count(old) >= 2
    return archive.replace(old, new)


def encrypted(archive: bytes) -> bytes:
    """The archive with the flag of a password at each member."""
    patched = bytearray(archive)
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = patched.find(signature)
        while at >= 0:
            patched[at + offset] |= 1
            at = patched.find(signature, at + 4)
    return bytes(patched)


def with_wrong_crc(archive: bytes) -> bytes:
    """The archive with the checksum of its first member changed in the directory."""
    patched = bytearray(archive)
    at = patched.find(b"PK\1\2")
    patched[at + 16] ^= 0xFF
    return bytes(patched)


def with_a_directory_of(count: int) -> bytes:
    """No members, but a directory of so many: 46 bytes each, and gigabytes as objects."""
    entry = b"PK\1\2" + bytes(42)
    directory = entry * count
    return directory + struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), 0, 0
    )


def link(name: str) -> zipfile.ZipInfo:
    """A member that is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    return info
