"""A zip that is sent while it is made: each file is held, the archive never."""

import io
import time
from zipfile import ZIP_STORED, ZipFile, ZipInfo

_FILE_MODE = 0o100644 << 16


class _Window(io.RawIOBase):
    """A file that is kept from the last ``take`` on. Within that it can be written anew, as zipfile
    does with the header of a file that it has written: so every header holds the size and checksum,
    and programs can unpack the archive while it arrives.
    """

    def __init__(self) -> None:
        self._base = 0
        self._kept = io.BytesIO()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._base + self._kept.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset < self._base:
            raise io.UnsupportedOperation("what was taken cannot be written anew")
        return self._base + self._kept.seek(offset - self._base)

    def write(self, data: object) -> int:
        return self._kept.write(data)  # type: ignore[arg-type]

    def take(self) -> bytes:
        """All that was written since the last call."""
        data = self._kept.getvalue()
        self._base += len(data)
        self._kept = io.BytesIO()
        return data


class ZipStream:
    """Files go in whole, pieces of the archive come out; nothing is compressed.

    :param made_at: time that the files get, in seconds since 1970.
    """

    def __init__(self, made_at: float) -> None:
        self._window = _Window()
        self._archive = ZipFile(self._window, "w", ZIP_STORED)
        # Zip knows no year before 1980.
        self._date = max(time.gmtime(made_at)[:6], (1980, 1, 1, 0, 0, 0))

    def file(self, name: str, data: bytes) -> bytes:
        """The piece of the archive with this file."""
        info = ZipInfo(name, self._date)
        info.external_attr = _FILE_MODE
        self._archive.writestr(info, data)
        return self._window.take()

    def end(self) -> bytes:
        """The last piece: the directory."""
        self._archive.close()
        return self._window.take()
