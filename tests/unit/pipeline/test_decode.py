"""What is read: every kind of file gives the same upright picture, at the scale that was asked."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pipeline.decode import decode
from pipeline.values import Photo, Rgb
from tests.unit.pipeline.files import (
    STORED,
    Make,
    colour_key,
    cut_out,
    display_p3,
    followed_by,
    grey,
    grey_on_white,
    interlaced_png,
    jpeg_with_scans,
    on_white,
    palette_with_hole,
    pixels_as,
    png_in_chunks,
    portrait_png,
    saved,
    saver,
    turned,
    two_frames,
)

See = Callable[[Image.Image], Image.Image]

SIZE = WIDTH, HEIGHT = 400, 512


def read(file: bytes, long_side_px: int = 640) -> Photo:
    return decode(file, long_side_px=long_side_px, max_pixels=50_000_000)


def blocks(rgb: Rgb) -> npt.NDArray[np.float64]:
    """Mean colours of 8 x 8 parts of the picture: they tell which side is up."""
    return np.asarray(Image.fromarray(rgb).resize((8, 8), Image.Resampling.BOX), np.float64)


def same(image: Image.Image) -> Image.Image:
    return image


# Name -> how it is made, what is to be seen, by how much the mean of a part may differ.
KINDS: dict[str, tuple[Make, See, float]] = {
    "jpeg": (saver("JPEG"), same, 2),
    "progressive jpeg": (saver("JPEG", progressive=True), same, 2),
    "grey jpeg": (lambda image: saved(grey(image), "JPEG"), grey, 2),
    "cmyk jpeg": (lambda image: saved(image.convert("CMYK"), "JPEG"), same, 3),
    "mpo": (two_frames("MPO"), same, 2),
    "jpeg with 50 scans": (jpeg_with_scans(40), same, 10),
    "jpeg with a comment": (saver("JPEG", comment=b"c" * 60_000), same, 2),
    "jpeg with a broken profile": (saver("JPEG", icc_profile=b"garbage" * 50), same, 2),
    "jpeg with broken exif": (saver("JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"), same, 2),
    "jpeg with a zip after it": (followed_by(b"PK\3\4" + bytes(5000)), same, 2),
    # Phones append the film of a "motion photo"; compressed bytes look like any marker by chance.
    "jpeg with a film after it": (
        followed_by(np.random.default_rng(1).bytes(8_000_000)),
        same,
        2,
    ),
    "jpeg with scan markers after it": (
        followed_by(bytes(2) + b"\xff\xda\0\2" * 200),
        same,
        2,
    ),
    "png": (saver("PNG"), same, 0),
    "palette png": (lambda image: saved(image.quantize(256), "PNG"), same, 10),
    "palette png with a hole": (palette_with_hole, on_white, 10),
    "1 bit png": (lambda image: saved(image.convert("1"), "PNG"), grey, 3),
    "grey png": (lambda image: saved(grey(image), "PNG"), grey, 1),
    "grey png with a hole": (
        lambda image: saved(cut_out(image).convert("LA"), "PNG"),
        grey_on_white,
        1,
    ),
    "rgb png with a colour key": (colour_key, on_white, 1),
    "rgba png with a hole": (lambda image: saved(cut_out(image), "PNG"), on_white, 1),
    "16 bit grey png": (pixels_as("L"), grey, 1),
    "16 bit grey png with a hole": (
        lambda image: pixels_as("LA")(cut_out(image)),
        grey_on_white,
        1,
    ),
    "16 bit rgb png": (pixels_as("RGB"), same, 1),
    "16 bit rgba png with a hole": (lambda image: pixels_as("RGBA")(cut_out(image)), on_white, 1),
    "4 bit palette png": (lambda image: saved(image.quantize(16), "PNG"), same, 60),
    "interlaced png": (interlaced_png, same, 0),
    "png in many chunks": (png_in_chunks, same, 0),
    "animated png": (two_frames("PNG"), same, 0),
    "png with a text": (portrait_png((b"tEXt", b"Comment\0<script>")), same, 0),
    "png with a grey profile": (saver("PNG", icc_profile=b"GRAY" * 40), same, 0),
    "webp": (saver("WEBP"), same, 3),
    "lossless webp with a hole": (
        lambda image: saved(cut_out(image), "WEBP", lossless=True),
        on_white,
        1,
    ),
    "animated webp": (two_frames("WEBP"), same, 3),
    "heic": (saver("HEIF"), same, 3),
    "heic with a hole": (lambda image: saved(cut_out(image), "HEIF"), on_white, 4),
    "avif": (saver("AVIF"), same, 3),
    "avif with a hole": (lambda image: saved(cut_out(image), "AVIF"), on_white, 4),
    "display p3 jpeg": (display_p3("JPEG"), same, 3),
    "display p3 png": (display_p3("PNG"), same, 3),
    "display p3 heic": (display_p3("HEIF"), same, 4),
    **{f"jpeg exif {tag}": (turned(tag, "JPEG"), same, 2) for tag in (0, *STORED, 9)},
    **{f"png exif {tag}": (turned(tag, "PNG"), same, 0) for tag in (3, 6)},
    **{f"webp exif {tag}": (turned(tag, "WEBP"), same, 3) for tag in (5, 8)},
    **{f"mpo exif {tag}": (turned(tag, "MPO"), same, 2) for tag in (6, 7)},
    **{f"avif turned {tag}": (turned(tag, "AVIF"), same, 3) for tag in STORED},
    **{f"heic turned {tag}": (turned(tag, "HEIF"), same, 3) for tag in STORED},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_alike(kind: str, upright: Image.Image) -> None:
    make, see, tolerance = KINDS[kind]
    seen = see(upright).convert("RGB")
    photo = read(make(upright))
    assert photo.full_size_px == SIZE
    assert (photo.rgb.shape, photo.rgb.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert np.abs(blocks(photo.rgb) - blocks(np.asarray(seen))).max() <= tolerance


def test_a_profile_makes_a_difference(upright: Image.Image) -> None:
    """That of Display P3 is not passed over, or the test of it would mean nothing."""
    with Image.open(io.BytesIO(display_p3("PNG")(upright))) as image:
        raw = np.asarray(image)
    assert np.abs(blocks(raw) - blocks(np.asarray(upright))).max() > 6


def test_heic_without_a_box_for_turning_is_upright(upright: Image.Image) -> None:
    """The boxes of the container turn the picture; a left-over EXIF tag does not."""
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = read(saved(upright, "HEIF", exif=exif))
    assert photo.full_size_px == SIZE
    assert np.abs(blocks(photo.rgb) - blocks(np.asarray(upright))).max() <= 3


# --- The size that comes out ---------------------------------------------------------------------

ORIGINALS = [(2000, 1500), (1500, 2000), (1999, 1999), (3001, 700), (640, 480), (100, 90)]


@pytest.mark.parametrize("long_side_px", [100, 320, 640, 1000, 1279, 2000, 4000])
@pytest.mark.parametrize("size_px", ORIGINALS)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_the_long_side(format: str, size_px: tuple[int, int], long_side_px: int) -> None:
    file = saved(Image.linear_gradient("L").resize(size_px), format)
    photo = read(file, long_side_px)
    height, width = photo.rgb.shape[:2]
    assert photo.full_size_px == size_px
    assert max(width, height) >= min(long_side_px, max(size_px))
    assert max(width, height) < 2 * long_side_px
    assert max(width, height) <= max(size_px)
    assert width / height == pytest.approx(size_px[0] / size_px[1], rel=0.03)


@pytest.mark.parametrize(
    ("width", "long_side_px"), [(214, 108), (428, 108), (856, 108), (222, 112), (246, 124)]
)
def test_the_long_side_is_never_a_pixel_short(width: int, long_side_px: int) -> None:
    """Widths at which width * (long_side / width) rounds to less than long_side."""
    photo = read(saved(Image.new("L", (width, width // 2)), "JPEG"), long_side_px)
    assert photo.rgb.shape[1] >= long_side_px


@pytest.mark.parametrize("format", ["JPEG", "AVIF", "HEIF"])
def test_the_full_size_is_that_of_the_upright_picture(upright: Image.Image, format: str) -> None:
    photo = read(turned(6, format)(upright.resize((1200, 1600))), long_side_px=300)
    assert photo.full_size_px == (1200, 1600)
    height, width = photo.rgb.shape[:2]
    assert 300 <= height < 600
    assert width / height == pytest.approx(0.75, abs=0.01)
    assert np.abs(blocks(photo.rgb) - blocks(np.asarray(upright))).max() <= 5


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_reduced_picture_keeps_its_colours(upright: Image.Image, format: str) -> None:
    large = upright.resize((2400, 3072), Image.Resampling.NEAREST)
    photo = read(saved(large, format), long_side_px=256)
    assert np.abs(blocks(photo.rgb) - blocks(np.asarray(upright))).max() <= 4


def test_cmyk_and_profiles_pass_through_the_reduction(upright: Image.Image) -> None:
    large = upright.resize((1600, 2048), Image.Resampling.NEAREST)
    for file in (saved(large.convert("CMYK"), "JPEG"), display_p3("JPEG")(large)):
        photo = read(file, long_side_px=256)
        assert photo.rgb.shape == (256, 200, 3)
        assert np.abs(blocks(photo.rgb) - blocks(np.asarray(upright))).max() <= 5


@pytest.mark.parametrize("size_px", [(65_500, 48), (48, 65_500), (65_500, 60), (20_000, 48)])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_ribbons(format: str, size_px: tuple[int, int]) -> None:
    photo = read(saved(Image.new("L", size_px, 99), format))
    assert photo.full_size_px == size_px
    assert 640 <= max(photo.rgb.shape) < 1280
    assert min(photo.rgb.shape[:2]) >= 1
    assert (photo.rgb == 99).all()
