import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from pipeline.encode import MEDIA_TYPES, encode
from pipeline.values import ImageFormat

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def picture() -> Pixels:
    """A soft pattern on blue, with a red block of hard edges; 90 x 120."""
    y, x = np.mgrid[:120, :90]
    rgb = np.stack([x + y, 255 - 2 * x, 2 * y], axis=-1).astype(np.uint8)
    rgb[40:80, 31:60] = (255, 0, 0)
    return rgb


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("dpi", [72, 96, 300, 350, 457, 600, 1200])
@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_the_density_is_in_the_file(picture: Pixels, format: ImageFormat, dpi: int) -> None:
    density = opened(encode(picture, format, dpi)[0]).info["dpi"]
    # PNG counts in whole pixels per metre.
    assert density == pytest.approx((dpi, dpi), abs=0.02)


@pytest.mark.parametrize(
    ("format", "pillow_name", "media_type"),
    [
        ("jpeg", "JPEG", "image/jpeg"),
        ("png", "PNG", "image/png"),
        ("webp", "WEBP", "image/webp"),
    ],
)
def test_format_and_nothing_but_pixels(
    picture: Pixels, format: ImageFormat, pillow_name: str, media_type: str
) -> None:
    image = opened(encode(picture, format, 300)[0])
    assert (image.format, image.size, image.mode) == (pillow_name, (90, 120), "RGB")
    assert MEDIA_TYPES[format] == media_type
    assert not image.getexif()
    assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & image.info.keys()
    assert not getattr(image, "text", {})
    assert getattr(image, "n_frames", 1) == 1


@pytest.mark.parametrize(("format", "most"), [("jpeg", 1.5), ("png", 0), ("webp", 4)])
def test_the_pixels_come_back(picture: Pixels, format: ImageFormat, most: float) -> None:
    pixels = np.asarray(opened(encode(picture, format, 300)[0])).astype(int)
    assert np.abs(pixels - picture).mean() <= most


@pytest.mark.parametrize("format", ["png", "webp"])
def test_transparency_is_kept(picture: Pixels, format: ImageFormat) -> None:
    alpha = np.tile(np.linspace(0, 255, 90).astype(np.uint8), (120, 1))
    image = opened(encode(np.dstack([picture, alpha]), format, 300)[0])
    assert image.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(image)[..., 3], alpha)


@pytest.mark.parametrize(("format", "mode"), [("jpeg", "L"), ("png", "L"), ("webp", "RGB")])
def test_a_mask_is_grey(format: ImageFormat, mode: str) -> None:
    mask = np.tile(np.linspace(0, 255, 90).astype(np.uint8), (120, 1))
    image = opened(encode(mask, format, 72)[0])
    assert (image.size, image.mode) == ((90, 120), mode)
    assert np.abs(np.asarray(image.convert("L")).astype(int) - mask).max() <= 4


def test_jpeg_keeps_the_full_resolution_of_colour(picture: Pixels) -> None:
    image = opened(encode(picture, "jpeg", 300)[0])
    assert isinstance(image, JpegImageFile)
    # Of each component: its id, its sampling factors across and down, its quantisation table.
    assert [component[1:3] for component in image.layer] == [(1, 1)] * 3


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_read_only_pixels_will_do(picture: Pixels, format: ImageFormat) -> None:
    frozen = picture.copy()
    frozen.setflags(write=False)
    assert encode(frozen, format, 300) == encode(picture, format, 300)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("limit", [None, (0, 90_000), (1_000_000, 2_000_000)])
def test_noise_is_written_too(limit: tuple[int, int] | None, progressive: bool) -> None:
    """It takes more bytes a pixel than Pillow makes room for."""
    noise = np.random.default_rng(3).integers(0, 255, (300, 200, 3), np.uint8)
    data, _ = encode(noise, "jpeg", 300, limit, progressive=progressive)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (200, 300)
        image.load()
