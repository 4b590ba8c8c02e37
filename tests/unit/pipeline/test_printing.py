"""Sheets as pixels and as files, read back."""

import io
from itertools import product

import numpy as np
import numpy.typing as npt
import pikepdf
import pytest
from PIL import Image

from pipeline import papers, pdf
from pipeline.encode import encode
from pipeline.printing import draw, pixels
from pipeline.sheet import lay_out
from pipeline.sheet_values import Cut, Layout
from pipeline.values import (
    Rgb,
)

MM_PER_INCH = 25.4
ONE_INCH, US = (25.0, 35.0), (51.0, 51.0)
RED, GREEN = (250, 10, 20), (10, 240, 30)


def painted(size_mm: tuple[float, float], dpi: int, colour: tuple[int, int, int] = RED) -> Rgb:
    width, height = pixels(size_mm, dpi)
    return np.full((height, width, 3), colour, np.uint8)


def sheet_of(layout: Layout, photos: list[Rgb], dpi: int, cut: Cut) -> npt.NDArray[np.uint8]:
    return np.asarray(draw(layout, photos, dpi, cut))


def boxes(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """The full rectangles of a mask, in rows."""
    left = mask.copy()
    found = []
    while left.any():
        y = int(np.argmax(left.any(axis=1)))
        x = int(np.argmax(left[y]))
        wide = int(np.argmin(np.append(left[y, x:], False)))
        high = int(np.argmin(np.append(left[y:, x], False)))
        assert left[y : y + high, x : x + wide].all()
        left[y : y + high, x : x + wide] = False
        found.append((x, y, x + wide, y + high))
    return found


@pytest.mark.parametrize("cut", ["none", "marks", "hairlines"])
@pytest.mark.parametrize("dpi", [300, 350, 600])
@pytest.mark.parametrize(("paper", "size_mm", "number"), [("4r", ONE_INCH, 12), ("a5", US, 6)])
def test_every_photo_is_whole_and_where_the_layout_says(
    paper: str, size_mm: tuple[float, float], number: int, dpi: int, cut: Cut
) -> None:
    layout = lay_out(papers.find(paper).size_mm, [size_mm])
    sheet = sheet_of(layout, [painted(size_mm, dpi)], dpi, cut)
    assert sheet.shape[1::-1] == pixels(layout.size_mm, dpi)
    found = boxes(np.all(sheet == RED, axis=-1))
    assert len(found) == number
    half_px_mm = MM_PER_INCH / dpi / 2
    for slot, (x0, y0, x1, y1) in zip(layout.slots, found, strict=True):
        placed = np.array([x0, y0, x1 - x0, y1 - y0]) * MM_PER_INCH / dpi
        assert np.abs(placed - [*slot.xy_mm, *slot.size_mm]).max() <= half_px_mm + 1e-9


@pytest.mark.parametrize("gap_mm", [0.0, 0.3, 2.0, 6.0])
@pytest.mark.parametrize("cut", ["marks", "hairlines"])
def test_what_shows_where_to_cut_lies_outside_the_photos(cut: Cut, gap_mm: float) -> None:
    layout = lay_out((102, 152), [ONE_INCH], gap_mm=gap_mm, margin_mm=5)
    photo = painted(ONE_INCH, 300)
    bare, drawn = (sheet_of(layout, [photo], 300, how) for how in ("none", cut))
    red = np.all(bare == RED, axis=-1)
    assert np.array_equal(drawn[red], bare[red])
    lines = np.any(drawn != bare, axis=-1)
    assert lines.any()
    # Each edge of each photo is continued, or accompanied, by a line outside of the block.
    columns, rows = np.flatnonzero(lines.any(axis=0)), np.flatnonzero(lines.any(axis=1))
    for x0, y0, x1, y1 in boxes(red) if gap_mm else []:
        for x in (x0, x1):
            assert np.abs(columns - x).min() <= 1
        for y in (y0, y1):
            assert np.abs(rows - y).min() <= 1


def test_marks_keep_away_from_photos() -> None:
    layout = lay_out((102, 152), [ONE_INCH])
    drawn = sheet_of(layout, [painted(ONE_INCH, 300)], 300, "marks")
    for x0, y0, x1, y1 in boxes(np.all(drawn == RED, axis=-1)):
        around = drawn[y0 - 5 : y1 + 5, x0 - 5 : x1 + 5]
        assert not np.all(around == 0, axis=-1).any()


@pytest.mark.parametrize("dpi", [300, 317, 600])
@pytest.mark.parametrize("size_mm", [ONE_INCH, (33.0, 48.0), (26.0, 32.0)])
def test_photos_that_touch_leave_no_paper_between_them(
    size_mm: tuple[float, float], dpi: int
) -> None:
    layout = lay_out((210, 297), [size_mm], gap_mm=0, margin_mm=5)
    red = np.all(sheet_of(layout, [painted(size_mm, dpi)], dpi, "none") == RED, axis=-1)
    assert len(boxes(red)) == 1


def test_several_sizes_and_colours() -> None:
    layout = lay_out((102, 152), [ONE_INCH, US], [2, 1])
    drawn = sheet_of(layout, [painted(ONE_INCH, 300), painted(US, 300, GREEN)], 300, "marks")
    assert len(boxes(np.all(drawn == RED, axis=-1))) == 2
    ((x0, y0, x1, y1),) = boxes(np.all(drawn == GREEN, axis=-1))
    assert (x1 - x0, y1 - y0) == (602, 602)


@pytest.mark.parametrize(
    ("paper", "dpi"), list(product(["3r", "4r", "5r", "a6", "a5", "a4", "letter"], [300, 600]))
)
def test_a_pdf_page_is_as_large_as_the_paper(paper: str, dpi: int) -> None:
    layout = lay_out(papers.find(paper).size_mm, [ONE_INCH])
    sheet = draw(layout, [painted(ONE_INCH, dpi)], dpi, "marks")
    jpeg, _ = encode(sheet, "jpeg", dpi)
    data = pdf.page(jpeg, sheet.size, dpi, layout.size_mm)
    assert data == pdf.page(jpeg, sheet.size, dpi, layout.size_mm)
    assert len(data) - len(jpeg) < pdf.OVERHEAD_BYTES
    with pikepdf.open(io.BytesIO(data)) as opened:
        (page,) = opened.pages
        box = [float(edge) for edge in page.mediabox]
        size_mm = [edge * MM_PER_INCH / 72 for edge in box[2:]]
        assert box[:2] == [0, 0]
        assert size_mm == pytest.approx(layout.size_mm, abs=0.001)
        (picture,) = page.Resources.XObject.values()
        assert picture.read_raw_bytes() == jpeg
        drawn = page.Contents.read_bytes().split()
        assert drawn[0] == b"q"
        wide, _, _, high, left, bottom = (float(part) for part in drawn[1:7])
        assert (wide * dpi / 72, high * dpi / 72) == pytest.approx(sheet.size, abs=0.01)
        assert (left, bottom + high) == pytest.approx((0, box[3]), abs=0.001)


def test_pixels_that_are_not_on_paper_are_the_only_ones_that_are_lost() -> None:
    """102 mm are 1204.7 pixels: the picture is a quarter of a pixel wider than the page."""
    with Image.open(io.BytesIO(encode(painted((102, 152), 300), "jpeg", 300)[0])) as image:
        assert (image.size, image.info["dpi"]) == ((1205, 1795), (300, 300))
