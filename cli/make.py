"""``idphoto make``: ID photos of a few photos."""

import argparse
from pathlib import Path

from cli import photos, wish
from cli.exits import Exit
from cli.outcome import Outcome, findings
from cli.photos import Studio
from cli.wish import Wish
from pipeline.encode import MEDIA_TYPES
from pipeline.values import IdPhoto

_FORMATS = {media_type: name for name, media_type in MEDIA_TYPES.items()}


def add_options(parser: argparse.ArgumentParser) -> None:
    photos.add_options(parser)
    photos.add_output(parser)
    wish.add_options(parser)


def run(options: argparse.Namespace) -> Exit:
    """One file for each photo, document and background in the output folder, named
    PHOTO_DOCUMENT_BACKGROUND; a file of that name is replaced.
    """
    wanted = wish.wish(options)
    if not options.server:
        wanted.order()
    photos.refuse_twins(options.photos)
    studio = photos.studio(options, wanted.quality)

    def work(path: Path, data: bytes) -> Outcome:
        return _made(studio, path, data, wanted, options.output)

    return photos.run(options, work, photos.told)


def _made(studio: Studio, path: Path, data: bytes, wanted: Wish, folder: Path) -> Outcome:
    made = studio.photos(data, wanted)
    results = []
    for photo in made:
        result = folder / f"{path.stem}_{_ending(photo)}"
        photos.write(result, photo.data)
        results.append(str(result))
    return Outcome(str(path), tuple(results), checks=findings(made))


def _ending(photo: IdPhoto) -> str:
    width, height = photo.size_px
    known = f"custom-{width}x{height}" if photo.document == "custom" else photo.document
    return wish.ending(known, photo.background, _FORMATS[photo.media_type])
