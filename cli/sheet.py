"""``idphoto sheet``: photos of one person on paper, for print at true size."""

import argparse
from pathlib import Path
from typing import get_args

from cli import finish, photos, wish
from cli.exits import Exit
from cli.outcome import Outcome, finding
from cli.photos import Studio
from cli.sheet_wish import SheetWish
from pipeline.sheet import Orientation
from pipeline.sheet_values import Cut, SheetFormat
from pipeline.values import Quality

_SUFFIXES: dict[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/pdf": "pdf",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    photos.add_options(parser)
    photos.add_output(parser)
    wish.add_documents(parser)
    usual = SheetWish(())
    parser.add_argument(
        "--paper", default=usual.paper, help="3r, 4r, 5r, a6, a5, a4, letter or 100x150; default 4r"
    )
    parser.add_argument("--orientation", choices=get_args(Orientation), default=usual.orientation)
    parser.add_argument(
        "--count",
        type=int,
        action="append",
        default=[],
        metavar="N",
        help="photos of each kind; once, or for each of them in turn; default: the paper is filled",
    )
    parser.add_argument("--gap-mm", type=float, default=usual.gap_mm, metavar="MM")
    parser.add_argument("--margin-mm", type=float, default=usual.margin_mm, metavar="MM")
    parser.add_argument("--cut", choices=get_args(Cut), default=usual.cut)
    parser.add_argument("--format", choices=get_args(SheetFormat), default=usual.format)
    parser.add_argument("--quality", choices=get_args(Quality), default=usual.quality)
    parser.add_argument("--dpi", type=int, default=usual.dpi, help="300 to 600")
    parser.add_argument("--max-kb", type=int, metavar="KB", help="most kB of the file")
    parser.add_argument(
        "--progressive", action="store_true", help="a JPEG that appears coarse first"
    )
    parser.add_argument(
        "--as-is", action="store_true", help="the photo is finished: print it, change nothing"
    )
    finish.add_options(parser)


def run(options: argparse.Namespace) -> Exit:
    """One sheet for each photo in the output folder, named PHOTO_sheet_PAPER; a file of that name
    is replaced.
    """
    wanted = SheetWish(
        tuple(options.document),
        tuple(options.background),
        options.size_mm,
        options.paper,
        options.orientation,
        tuple(options.count),
        options.gap_mm,
        options.margin_mm,
        options.cut,
        options.format,
        options.quality,
        options.dpi,
        options.max_kb,
        options.progressive,
        options.as_is,
        finish.finish(options),
    )
    if not options.server:
        wanted.order()
    photos.refuse_twins(options.photos)
    studio = photos.studio(options, wanted.quality)

    def work(path: Path, data: bytes) -> Outcome:
        return _made(studio, path, data, wanted, options.output)

    return photos.run(options, work, photos.told)


def _made(studio: Studio, path: Path, data: bytes, wanted: SheetWish, folder: Path) -> Outcome:
    made = studio.sheet(data, wanted)
    result = folder / f"{path.stem}_sheet_{made.paper}.{_SUFFIXES[made.media_type]}"
    photos.write(result, made.data)
    found = tuple(
        finding(photo.document, photo.background, check)
        for photo in made.photos
        for check in photo.checks
    )
    return Outcome(str(path), (str(result),), checks=found)
