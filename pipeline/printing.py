"""A laid out sheet as pixels: photos on white paper, and what shows where to cut."""

from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from pipeline.sheet_values import Cut, Layout
from pipeline.values import (
    Rgb,
    SizeWH,
)

_MM_PER_INCH = 25.4
_WHITE = (255, 255, 255)
_MARK = (0, 0, 0)
# Seen beside white and dark photos, and hardly where a cut leaves some of it.
_HAIRLINE = (150, 150, 150)
_LINE_MM = 0.1
_MARK_MM = 3.0
# Marks keep away from photos, so that none is left on a photo that is cut a little too large.
_CLEAR_MM = 0.5

Box = tuple[int, int, int, int]


def draw(layout: Layout, photos: Sequence[Rgb], dpi: int, cut: Cut) -> Image.Image:
    """The sheet in sRGB. ``photos`` holds one picture for each kind, at that density; their pixels
    come back unchanged, marks and hairlines lie outside of them.
    """
    size_px = pixels(layout.size_mm, dpi)
    sheet = Image.new("RGB", size_px, _WHITE)
    pictures = [Image.fromarray(photo) for photo in photos]
    boxes = _boxes(layout, [picture.size for picture in pictures], size_px, dpi)
    pen = ImageDraw.Draw(sheet)
    line_px = max(1, round(_LINE_MM * dpi / _MM_PER_INCH))
    if cut == "marks":
        length_px, clear_px = (
            max(1, round(mm * dpi / _MM_PER_INCH)) for mm in (_MARK_MM, _CLEAR_MM)
        )
        for box in boxes:
            for mark in _marks(box, length_px, line_px):
                _fill(pen, mark, _MARK)
        for box in boxes:
            _fill(pen, _grown(box, clear_px), _WHITE)
    if cut == "hairlines":
        for box in boxes:
            _fill(pen, _grown(box, line_px), _HAIRLINE)
    for slot, box in zip(layout.slots, boxes, strict=True):
        sheet.paste(pictures[slot.kind], box[:2])
    return sheet


def pixels(size_mm: tuple[float, float], dpi: int) -> SizeWH:
    """A size in whole pixels."""
    return round(size_mm[0] * dpi / _MM_PER_INCH), round(size_mm[1] * dpi / _MM_PER_INCH)


def _boxes(layout: Layout, photos_px: Sequence[SizeWH], sheet_px: SizeWH, dpi: int) -> list[Box]:
    """The pixels of each slot's photo, which are all on the sheet.

    Photos that touch in millimetres touch in pixels: rounded each by itself, some would have a line
    of paper between them.
    """
    ends_px: tuple[dict[float, int], dict[float, int]] = ({}, {})
    boxes = []
    for slot in layout.slots:
        size_px, rounded = photos_px[slot.kind], pixels(slot.xy_mm, dpi)
        corner = []
        for axis in (0, 1):
            start = ends_px[axis].get(round(slot.xy_mm[axis], 6), rounded[axis])
            start = max(0, min(start, sheet_px[axis] - size_px[axis]))
            end_mm = round(slot.xy_mm[axis] + slot.size_mm[axis], 6)
            ends_px[axis][end_mm] = start + size_px[axis]
            corner.append(start)
        x, y = corner
        boxes.append((x, y, x + size_px[0], y + size_px[1]))
    return boxes


def _marks(box: Box, length_px: int, line_px: int) -> Iterator[Box]:
    """Two lines from each corner outwards, along the edges; they begin inside their photo's own
    edge, which they continue.
    """
    x0, y0, x1, y1 = box
    for x in (x0, x1 - line_px):
        yield x, y0 - length_px, x + line_px, y0
        yield x, y1, x + line_px, y1 + length_px
    for y in (y0, y1 - line_px):
        yield x0 - length_px, y, x0, y + line_px
        yield x1, y, x1 + length_px, y + line_px


def _grown(box: Box, by_px: int) -> Box:
    x0, y0, x1, y1 = box
    return x0 - by_px, y0 - by_px, x1 + by_px, y1 + by_px


def _fill(pen: ImageDraw.ImageDraw, box: Box, colour: tuple[int, int, int]) -> None:
    """Pillow's rectangles hold their last row and column."""
    x0, y0, x1, y1 = box
    pen.rectangle((x0, y0, x1 - 1, y1 - 1), colour)
