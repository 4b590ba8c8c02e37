"""A contact sheet: what the pipeline makes of every portrait in a folder, in three colours.

python -m benchmarks.contact FOLDER OUT [--documents IDS] [--colours NAMES] [--tiles N]

A tile is one photo in one document, in each colour side by side. All photos come in the first
document, then all in the next, until the sheet holds N tiles; a picture that is refused is named.
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
from PIL import Image

from benchmarks.studio import SIDES, Studio
from pipeline import colours, documents, flow
from pipeline.errors import UnusablePhoto
from pipeline.values import Document, Order

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_MAX_PIXELS = 50_000_000
_GAP_PX, _COLUMNS, _QUALITY = 8, 4, 88


def tiles(
    studio: Studio, paths: Sequence[Path], wanted: Sequence[Document], names: Sequence[str]
) -> Iterator[tuple[str, list[Image.Image]]]:
    """Title and finished photos, one in each colour, documents first."""
    backgrounds = tuple(colours.parse(name) for name in names)
    refused: set[Path] = set()
    for document in wanted:
        order = Order((document,), backgrounds, "png")
        for path in paths:
            if path in refused:
                continue
            try:
                yield f"{path.stem} {document.id}", _made(studio, path.read_bytes(), order)
            except UnusablePhoto as error:
                refused.add(path)
                print(f"{path.name}: {error.code}")


def _made(studio: Studio, data: bytes, order: Order) -> list[Image.Image]:
    portrait = flow.prepare_photo(
        data, order, studio.finder.find, sides=SIDES, max_pixels=_MAX_PIXELS
    )
    alphas = {role: studio.nets[role].matte(seen) for role, seen in portrait.frames.items()}
    photos = flow.finish_photo(portrait, alphas, order)
    if not isinstance(photos, tuple):
        raise RuntimeError("no expert was named, and one is asked for")
    return [Image.open(io.BytesIO(photo.data)).convert("RGB") for photo in photos]


def sheet(made: Sequence[Sequence[Image.Image]], height_px: int) -> Image.Image:
    """The tiles in rows on light grey, every photo of the same height, columns of equal width."""
    small = [[_scaled(photo, height_px) for photo in tile] for tile in made]
    cell_px = max(sum(photo.width for photo in tile) for tile in small) + _GAP_PX
    rows = -(-len(small) // _COLUMNS)
    size_px = _COLUMNS * cell_px + _GAP_PX, rows * (height_px + _GAP_PX) + _GAP_PX
    whole = Image.new("RGB", size_px, (210, 210, 210))
    for index, tile in enumerate(small):
        row, column = divmod(index, _COLUMNS)
        x = _GAP_PX + column * cell_px + (cell_px - _GAP_PX - sum(p.width for p in tile)) // 2
        for photo in tile:
            whole.paste(photo, (x, _GAP_PX + row * (height_px + _GAP_PX)))
            x += photo.width
    return whole


def _scaled(photo: Image.Image, height_px: int) -> Image.Image:
    width_px = round(photo.width * height_px / photo.height)
    return photo.resize((width_px, height_px), Image.Resampling.LANCZOS)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contact", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, help="a JPEG file")
    parser.add_argument("--documents", default="cn-1-inch,us-passport,schengen-visa")
    parser.add_argument("--colours", default="white,blue,red")
    parser.add_argument("--tiles", type=int, default=24)
    parser.add_argument("--height", type=int, default=160, help="of a photo, in pixels")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(options.threads)
    paths = sorted(p for p in options.folder.iterdir() if p.suffix.lower() in PICTURES)
    wanted = [documents.find(name) for name in options.documents.split(",")]
    made = []
    for title, photos in tiles(Studio(options.threads), paths, wanted, options.colours.split(",")):
        made.append(photos)
        print(title)
        if len(made) == options.tiles:
            break
    sheet(made, options.height).save(options.out, "JPEG", quality=_QUALITY, optimize=True)


if __name__ == "__main__":
    main()
