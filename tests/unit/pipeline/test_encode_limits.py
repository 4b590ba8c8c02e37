"""Files that must have no fewer and no more than so many bytes."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from pipeline import documents
from pipeline.encode import encode
from pipeline.values import Document, Order, Rgb
from tests.unit.pipeline.orders import Answer, FindFaces, finished, prepared

LIMITED = tuple(found for found in documents.all_documents() if found.bytes_limit)
PORTRAITS = ("astronaut.png", "tiny-white-blouse.jpg", "tiny-dark-skin-white-bg.jpg")


@pytest.fixture(scope="module")
def picture(load_rgb: Callable[[str], Rgb]) -> Rgb:
    return load_rgb("astronaut.png")


def tables(data: bytes) -> dict[int, list[int]]:
    """The quantisation tables, by which the qualities of two files compare."""
    with Image.open(io.BytesIO(data)) as image:
        found: dict[int, list[int]] = image.quantization  # type: ignore[attr-defined]
    return found


def coarseness(data: bytes) -> int:
    return sum(map(sum, tables(data).values()))


def at_quality(rgb: npt.NDArray[np.uint8], quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(
        file, "JPEG", quality=quality, subsampling=0, optimize=True, dpi=(300, 300)
    )
    return file.getvalue()


@pytest.mark.parametrize("limit", [None, (0, 10**7), (1000, 500_000)])
def test_a_file_inside_its_limits_is_left_as_it_is(
    picture: Rgb, limit: tuple[int, int] | None
) -> None:
    assert encode(picture, "jpeg", 300, limit) == encode(picture, "jpeg", 300)


@pytest.mark.parametrize("edge", ["fewest", "most"])
def test_the_limits_themselves_are_inside(picture: Rgb, edge: str) -> None:
    free, _ = encode(picture, "jpeg", 300)
    limit = (len(free), 10**7) if edge == "fewest" else (0, len(free))
    assert encode(picture, "jpeg", 300, limit)[0] == free


@pytest.mark.parametrize("most", [100_000, 80_000, 60_000, 45_000, 35_000])
def test_a_file_that_is_too_large_becomes_as_good_as_it_may_be(picture: Rgb, most: int) -> None:
    assert len(encode(picture, "jpeg", 300)[0]) > most
    data, _ = encode(picture, "jpeg", 300, (0, most))
    assert len(data) <= most
    sizes = {quality: len(at_quality(picture, quality)) for quality in range(50, 96)}
    best = max(quality for quality, size in sizes.items() if size <= most)
    assert len(data) == sizes[best]


@pytest.mark.parametrize("share", [1.01, 1.1, 1.3, 1.8])
def test_a_file_that_is_too_small_becomes_finer_as_far_as_it_must(
    picture: Rgb, share: float
) -> None:
    fewest = round(len(encode(picture, "jpeg", 300)[0]) * share)
    data, _ = encode(picture, "jpeg", 300, (fewest, 10**7))
    sizes = {quality: len(at_quality(picture, quality)) for quality in range(95, 101)}
    least = min(quality for quality, size in sizes.items() if size >= fewest)
    assert len(data) == sizes[least] >= fewest


def test_limits_that_no_quality_meets(picture: Rgb) -> None:
    """The nearest file is returned: of_file says that it is none that is accepted."""
    smallest, written = encode(picture, "jpeg", 300, (0, 100))
    assert (written.quality, written.chroma) == (50, "4:2:0")
    assert len(smallest) < len(at_quality(picture, 50))
    largest, _ = encode(picture, "jpeg", 300, (10**7, 2 * 10**7))
    assert len(largest) == len(at_quality(picture, 100))
    assert coarseness(largest) < coarseness(encode(picture, "jpeg", 300)[0]) < coarseness(smallest)


@pytest.mark.parametrize("quality", [60, 80, 94, 95, 97, 99])
def test_limits_between_two_qualities(picture: Rgb, quality: int) -> None:
    """Where one quality is too small and the next too large, rather too small than too large."""
    small, large = (len(at_quality(picture, quality + step)) for step in (0, 1))
    for limit in ((small + 2, small + 3), (large - 3, large - 2)):
        assert len(encode(picture, "jpeg", 300, limit)[0]) <= limit[1]


def test_png_has_no_quality_to_choose(picture: Rgb) -> None:
    assert encode(picture, "png", 300, (0, 100)) == encode(picture, "png", 300)


@pytest.mark.parametrize("most", [40_000, 30_000, 20_000])
def test_webp_has(picture: Rgb, most: int) -> None:
    data, written = encode(picture, "webp", 300, (0, most))
    assert len(data) <= most < len(encode(picture, "webp", 300)[0])
    assert written.quality is not None and 50 <= written.quality < 95


def test_colour_loses_its_resolution_only_where_quality_is_not_enough(picture: Rgb) -> None:
    """And what is said about the file is true."""
    full, half = len(at_quality(picture, 50)), len(encode(picture, "jpeg", 300, (0, 100))[0])
    for most, chroma, factors in (
        (full, "4:4:4", [(1, 1)] * 3),
        (full - 1, "4:2:0", [(2, 2), (1, 1), (1, 1)]),
        (half, "4:2:0", [(2, 2), (1, 1), (1, 1)]),
    ):
        data, written = encode(picture, "jpeg", 300, (0, most))
        assert (len(data) <= most, written.chroma) == (True, chroma)
        with Image.open(io.BytesIO(data)) as image:
            assert isinstance(image, JpegImageFile)
            assert [component[1:3] for component in image.layer] == factors


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("limit", [None, (0, 40_000), (150_000, 10**7)])
def test_a_progressive_file_is_one(
    picture: Rgb, progressive: bool, limit: tuple[int, int] | None
) -> None:
    data, written = encode(picture, "jpeg", 300, limit, progressive=progressive)
    with Image.open(io.BytesIO(data)) as image:
        assert bool(image.info.get("progressive")) == progressive == written.progressive
    assert data.endswith(b"\xff\xd9"), "padded"


@pytest.fixture(scope="module", params=PORTRAITS)
def files(
    request: pytest.FixtureRequest, data: Path, find_faces: FindFaces, answer: Answer
) -> dict[str, bytes]:
    """The finished files of every document that limits their size."""
    order = Order(LIMITED, (), "jpeg", quality="fast")
    portrait = prepared((data / request.param).read_bytes(), find_faces, order)
    return {photo.document: photo.data for photo in finished(portrait, answer(portrait), order)}


@pytest.mark.parametrize("document", LIMITED, ids=lambda document: document.id)
def test_every_document_gets_a_file_that_it_takes(
    document: Document, files: dict[str, bytes]
) -> None:
    assert document.bytes_limit is not None
    fewest, most = document.bytes_limit
    assert fewest <= len(files[document.id]) <= most
