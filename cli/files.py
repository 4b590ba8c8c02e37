"""Files on this machine."""

import os
import shutil
from pathlib import Path
from uuid import uuid4


def write(path: Path, data: bytes | Path, temporary: Path | None = None) -> None:
    """Writes the bytes, or a copy of a file, whole or not at all; makes a folder that is missing.

    ``temporary``: a folder of the same file system where it is written before it gets its name;
    else beside it. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = temporary or path.parent
    folder.mkdir(parents=True, exist_ok=True)
    unnamed = folder / f".{uuid4().hex}"
    try:
        if isinstance(data, Path):
            shutil.copyfile(data, unnamed)
        else:
            unnamed.write_bytes(data)
        unnamed.replace(path)
    except BaseException:
        unnamed.unlink(missing_ok=True)
        raise


def read(path: Path, limit_bytes: int) -> bytes:
    """The file, or the first byte beyond the limit as well where it is larger. Raises OSError.

    What is no ordinary file, such as a pipe that nobody writes to, is not opened.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{os.fspath(path)!r} is not a file")
    with path.open("rb") as stream:
        # A read of so many bytes makes room for all of them first.
        return stream.read(min(os.fstat(stream.fileno()).st_size, limit_bytes) + 1)
