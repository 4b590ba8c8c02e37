"""The photos that the benchmarks send: files, or one portrait enlarged in memory."""

import argparse
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

TESTS = Path(__file__).parents[1] / "tests" / "data"
PORTRAIT = TESTS / "astronaut.png"
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic")


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--photos`` and ``--megapixels``, for ``chosen``."""
    parser.add_argument(
        "--photos",
        nargs="+",
        type=Path,
        default=[TESTS],
        metavar="PATH",
        help="folders and files; default tests/data",
    )
    parser.add_argument(
        "--megapixels",
        type=float,
        help="send tests/data/astronaut.png, enlarged in memory to this size, instead",
    )


def chosen(options: argparse.Namespace) -> dict[str, bytes]:
    """The photos by name. Raises FileNotFoundError."""
    if options.megapixels:
        return {f"{options.megapixels:g} MP": enlarged(options.megapixels)}
    return read(options.photos)


def described(options: argparse.Namespace, photos: Mapping[str, bytes]) -> str:
    """What the photos are, in words."""
    mean_mb = sum(map(len, photos.values())) / max(1, len(photos)) / 1e6
    if options.megapixels:
        size = f"{options.megapixels:g} MP"
        return f"{PORTRAIT.name} enlarged to {size} in memory, {mean_mb:.2f} MB"
    return f"{len(photos)} photo files, {mean_mb:.2f} MB on average"


def read(paths: Sequence[Path]) -> dict[str, bytes]:
    """The photos of the folders and files, by name. Raises FileNotFoundError where none is."""
    found: dict[str, bytes] = {}
    for path in paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        wanted = (file for file in files if file == path or file.suffix.lower() in _SUFFIXES)
        found |= {file.name: file.read_bytes() for file in wanted}
    if not found:
        raise FileNotFoundError(f"no photo in {', '.join(map(str, paths))}")
    return found


def enlarged(megapixels: float) -> bytes:
    """The portrait as a JPEG of this size: the cost of decoding is real, the detail is not."""
    image = Image.open(PORTRAIT).convert("RGB")
    side = round((megapixels * 1e6) ** 0.5)
    file = io.BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
    return file.getvalue()
