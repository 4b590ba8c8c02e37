"""``idphoto make``: ID photos of a few photos."""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cli import files, photos, wish
from cli.exits import Exit, Failure
from cli.outcome import Outcome, Refusal, findings, internal, refused
from cli.photos import Studio
from cli.wish import Wish
from pipeline.encode import MEDIA_TYPES
from pipeline.values import IdPhoto

_FORMATS = {media_type: name for name, media_type in MEDIA_TYPES.items()}


def add_options(parser: argparse.ArgumentParser) -> None:
    photos.add_options(parser)
    wish.add_options(parser)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("."), metavar="FOLDER", help="default: here"
    )


def run(options: argparse.Namespace) -> Exit:
    """One file for each photo, document and background in the output folder, named
    PHOTO_DOCUMENT_BACKGROUND; a file of that name is replaced.
    """
    wanted = wish.wish(options)
    if not options.server:
        wanted.order()
    _refuse_twins(options.photos)
    studio = photos.studio(options, wanted)
    return photos.run(options, lambda path: _made(studio, path, wanted, options.output), told)


def told(outcome: Outcome) -> str:
    """A line for each file, or one that says why there is none."""
    if outcome.code:
        return f"{outcome.source}: {outcome.code}: {outcome.error} {outcome.hint}".rstrip()
    warnings = f"  ({', '.join(outcome.warnings)})" if outcome.warnings else ""
    return "\n".join(f"{result}{warnings}" for result in outcome.results)


def _made(studio: Studio, path: Path, wanted: Wish, folder: Path) -> Outcome:
    start = time.perf_counter()
    try:
        made = studio.photos(photos.read(path), wanted)
    except Refusal as why:
        return refused(str(path), why, time.perf_counter() - start)
    except Failure:
        raise
    except Exception as error:
        return refused(str(path), internal(error), time.perf_counter() - start)
    results = []
    for photo in made:
        result = folder / f"{path.stem}_{_ending(photo)}"
        try:
            files.write(result, photo.data)
        except OSError as error:
            raise Failure(Exit.STORAGE, f"{result} cannot be written: {error}") from None
        results.append(str(result))
    seconds = time.perf_counter() - start
    return Outcome(str(path), tuple(results), checks=findings(made), seconds=seconds)


def _ending(photo: IdPhoto) -> str:
    width, height = photo.size_px
    known = f"custom-{width}x{height}" if photo.document == "custom" else photo.document
    return wish.ending(known, photo.background, _FORMATS[photo.media_type])


def _refuse_twins(paths: Sequence[Path]) -> None:
    """Raises Failure where the files of two photos would have one name."""
    twins = [stem for stem, count in Counter(path.stem for path in paths).items() if count > 1]
    if twins:
        raise Failure(Exit.USAGE, f"Several photos are called {twins[0]}: make them one by one.")
