"""Files of no fewer and no more bytes than were asked for, from portrait to file."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline import orders
from pipeline.errors import BadOrder
from pipeline.values import IdPhoto, Rgb
from tests.unit.pipeline.orders import Answer, FindFaces, finished, png, prepared

Make = Callable[..., IdPhoto]


@pytest.fixture(scope="module")
def make(data: Path, find_faces: FindFaces, answer: Answer) -> Make:
    def one(*ids: str, file: bytes | None = None, **named: Any) -> IdPhoto:
        order = orders.photo_order(ids, quality="fast", **named)
        portrait = prepared(file or (data / "astronaut.png").read_bytes(), find_faces, order)
        (photo,) = finished(portrait, answer(portrait), order)
        return photo

    return one


@pytest.fixture(scope="module")
def fine(load_rgb: Callable[[str], Rgb]) -> bytes:
    """A photo with three times the pixels and detail down to the last one."""
    image = Image.fromarray(load_rgb("astronaut.png"))
    large = np.asarray(image.resize((1536, 1536), Image.Resampling.LANCZOS)).astype(int)
    noise = np.random.default_rng(1).normal(0, 6, large.shape[:2])[..., None]
    return png(Image.fromarray(np.clip(large + noise, 0, 255).astype(np.uint8)))


def told(photo: IdPhoto) -> None:
    """What is said about the file is what is in it."""
    assert photo.encoding is not None
    with Image.open(io.BytesIO(photo.data)) as image:
        image.load()
        assert image.size == photo.size_px
        if image.format != "WEBP":
            dpi = photo.encoding.dpi
            assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)
        if image.format == "JPEG":
            # The file ends where its picture does.
            assert photo.data.endswith(b"\xff\xd9") and photo.data.count(b"\xff\xd9") == 1


@pytest.mark.parametrize(
    ("ids", "named", "least", "most", "size_px"),
    [
        ((), {"size_px": (354.0, 472.0), "max_kb": 40}, 30_000, 40_000, (354, 472)),
        (("cn-chsi",), {"min_kb": 100}, 102_400, 500_000, (480, 640)),
        (("us-passport",), {"max_kb": 60}, 40_000, 60_000, (600, 600)),
        (("us-passport",), {"max_kb": 60, "format": "webp"}, 20_000, 60_000, (600, 600)),
        (("cn-1-inch",), {"min_kb": 60}, 61_440, 100_000, (295, 413)),
    ],
)
def test_quality_is_enough(
    make: Make,
    ids: tuple[str, ...],
    named: dict[str, Any],
    least: int,
    most: int,
    size_px: tuple[int, int],
) -> None:
    photo = make(*ids, **named)
    assert least <= len(photo.data) <= most
    assert photo.size_px == size_px
    told(photo)


def test_the_chinese_visa_at_its_least_bytes(make: Make) -> None:
    photo = make("cn-visa-digital", max_kb=40)
    assert 40_000 <= len(photo.data) <= 40_960
    wide, high = photo.size_px
    assert 354 <= wide <= 420 and 472 <= high <= 560
    told(photo)


@pytest.mark.parametrize(("format", "kb"), [("jpeg", 12), ("webp", 6), ("png", 100)])
def test_a_free_size_gives_up_pixels_last(make: Make, format: str, kb: int) -> None:
    photo = make(size_mm=(35.0, 45.0), max_kb=kb, format=format)
    assert len(photo.data) <= kb * 1000
    assert photo.size_px < (413, 531)
    assert photo.encoding is not None and 150 <= photo.encoding.dpi < 300
    wide_mm, high_mm = (side / photo.encoding.dpi * 25.4 for side in photo.size_px)
    assert (wide_mm, high_mm) == pytest.approx((35, 45), abs=0.1)
    told(photo)


def test_a_free_size_takes_the_pixels_that_the_photo_has(make: Make, fine: bytes) -> None:
    best = make(size_mm=(35.0, 45.0), dpi=300, min_kb=1, file=fine)
    photo = make(size_mm=(35.0, 45.0), min_kb=210, file=fine)
    assert len(photo.data) >= 210 * 1024
    assert photo.size_px > best.size_px
    (enlargement,) = [check.value for check in photo.checks if check.code == "enlargement"]
    assert enlargement is not None and enlargement <= 1
    told(photo)


@pytest.mark.parametrize(
    ("ids", "named", "code"),
    [
        (("cn-1-inch",), {"max_kb": 3}, "too_many_bytes"),
        (("cn-1-inch",), {"max_kb": 60, "format": "png"}, "too_many_bytes"),
        ((), {"size_mm": (35.0, 45.0), "max_kb": 2}, "too_many_bytes"),
        ((), {"size_mm": (35.0, 45.0), "dpi": 300, "max_kb": 12}, "too_many_bytes"),
        (("cn-1-inch",), {"min_kb": 200}, "too_few_bytes"),
        # Its pixels are free, but the photo has no more of them: enlarging is padding, too.
        ((), {"size_mm": (35.0, 45.0), "min_kb": 400}, "too_few_bytes"),
    ],
)
def test_what_cannot_be_met_is_refused(
    make: Make, ids: tuple[str, ...], named: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadOrder) as caught:
        make(*ids, **named)
    assert caught.value.code == code
    assert all(caught.value.text)


def test_a_document_s_own_limit_refuses_nothing(make: Make) -> None:
    """Nobody asked for it; the check says so."""
    photo = make("cn-chsi", format="png")
    (check,) = [check for check in photo.checks if check.code == "file_size"]
    assert check.result == ("pass" if len(photo.data) <= 500_000 else "fail")
