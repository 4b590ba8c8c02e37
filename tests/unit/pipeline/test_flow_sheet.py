"""From a portrait to a sheet."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from PIL import Image

from pipeline import colours, documents, orders, papers
from pipeline.errors import BadOrder
from pipeline.flow import finish_sheet
from pipeline.sheet_values import PrintSheet
from pipeline.values import Doubt
from tests.unit.pipeline.orders import Answer, FindFaces, prepared

Make = Callable[..., PrintSheet]


@pytest.fixture(scope="module")
def make(data: Path, find_faces: FindFaces, answer: Answer) -> Make:
    def one(*ids: str, paper: str = "4r", **named: Any) -> PrintSheet:
        order = orders.sheet_order(ids, paper=papers.find(paper), quality="fast", **named)
        portrait = prepared((data / "astronaut.png").read_bytes(), find_faces, order.photos)
        sheet = finish_sheet(portrait, answer(portrait), order)
        assert not isinstance(sheet, Doubt)
        return sheet

    return one


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(("format", "media_type"), [("jpeg", "image/jpeg"), ("png", "image/png")])
@pytest.mark.parametrize("dpi", [300, 600])
def test_a_sheet_has_its_paper_s_millimetres(
    make: Make, format: str, media_type: str, dpi: int
) -> None:
    sheet = make("cn-1-inch", backgrounds=["blue"], format=format, dpi=dpi)
    assert (sheet.media_type, sheet.size_mm, sheet.paper) == (media_type, (102, 152), "4r")
    image = opened(sheet.data)
    assert image.size == sheet.size_px == (round(102 / 25.4 * dpi), round(152 / 25.4 * dpi))
    assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)
    for side_px, side_mm in zip(image.size, sheet.size_mm, strict=True):
        assert side_px / image.info["dpi"][0] * 25.4 == pytest.approx(side_mm, abs=0.05)
    ((photo),) = sheet.photos
    assert (photo.document, photo.background, photo.count) == ("cn-1-inch", "blue", 12)
    assert photo.checks


def test_the_photos_are_made_at_the_sheet_s_density(make: Make) -> None:
    """And not enlarged: the 1-inch at 600 dpi is finer than that at 300."""
    coarse, fine = (
        make("cn-1-inch", format="png", counts=[1], cut="none", dpi=dpi) for dpi in (300, 600)
    )
    small, large = opened(coarse.data), opened(fine.data)
    enlarged = small.resize(large.size, Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(enlarged).astype(int) - np.asarray(large)).max() > 40


def test_a_pdf_holds_the_sheet_as_it_is(make: Make) -> None:
    sheet, jpeg = (make("us-passport", paper="a4", format=kind) for kind in ("pdf", "jpeg"))
    assert (sheet.media_type, sheet.size_mm) == ("application/pdf", (210, 297))
    with pikepdf.open(io.BytesIO(sheet.data)) as pdf:
        (page,) = pdf.pages
        size_mm = [float(edge) * 25.4 / 72 for edge in page.mediabox][2:]
        assert size_mm == pytest.approx((210, 297), abs=0.01)
        (picture,) = page.Resources.XObject.values()
        assert picture.read_raw_bytes() == jpeg.data


def test_colours_and_sizes_share_a_sheet(make: Make) -> None:
    ids, names = ("cn-1-inch", "cn-2-inch"), ("red", "blue")
    sheet = make(*ids, backgrounds=names, format="png", counts=[2], cut="none")
    told = [(photo.document, photo.background, photo.count) for photo in sheet.photos]
    assert told == [(id, name, 2) for id in ids for name in names]
    pixels = np.asarray(opened(sheet.data))
    for name in names:
        # The upper corners of four photos, at least.
        assert np.all(pixels == colours.parse(name).rgb, axis=-1).sum() > 20_000


def test_fewer_bytes_at_less_quality(make: Make) -> None:
    free = make("cn-1-inch", backgrounds=["blue"])
    kb = len(free.data) // 2500
    for format in ("jpeg", "pdf"):
        sheet = make("cn-1-inch", backgrounds=["blue"], format=format, max_kb=kb)
        assert len(sheet.data) <= kb * 1000
        assert sheet.size_px == free.size_px
        assert sheet.encoding.quality is not None and sheet.encoding.quality < 95
    with pytest.raises(BadOrder, match="may have 9000"):
        make("cn-1-inch", max_kb=9)


def test_a_document_with_fixed_pixels_is_printed_in_its_millimetres(make: Make) -> None:
    sheet = make("cn-id-card", format="png", cut="hairlines", counts=[1])
    assert sheet.photos[0].size_mm == documents.find("cn-id-card").size_mm == (26, 32)
