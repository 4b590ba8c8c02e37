"""What is refused, each kind of file with its class and code, before or while it is decoded."""

import math
import struct

import numpy as np
import pytest
from PIL import Image

from pipeline.decode import decode
from pipeline.errors import (
    IdPhotoError,
    PhotoTooLarge,
    UnreadablePhoto,
    UnsupportedFormat,
    UnusablePhoto,
)
from pipeline.values import Photo
from tests.unit.pipeline.files import (
    Make,
    base_media,
    box,
    fixed,
    interlaced_png,
    jpeg_with_scans,
    jpeg_with_size,
    png,
    png_of_the_first,
    png_with_wrong_checksum,
    portrait_png,
    saved,
    saver,
    the_first,
    zipped,
)

Refusal = tuple[type[IdPhotoError], str]


def after_the_start(body: bytes) -> Make:
    """A JPEG with this between its first marker and the next."""

    def make(image: Image.Image) -> bytes:
        file = saved(image, "JPEG")
        return file[:2] + body + file[2:]

    return make


SIZE = WIDTH, HEIGHT = 400, 512
LIMIT = 50_000_000


def read(file: bytes, long_side_px: int = 640, max_pixels: int = LIMIT) -> Photo:
    return decode(file, long_side_px=long_side_px, max_pixels=max_pixels)


BROKEN = UnreadablePhoto, "broken_image"
UNSUPPORTED = UnsupportedFormat, "unsupported_format"
MANY_PIXELS = PhotoTooLarge, "too_many_pixels"
MANY_SCANS = UnreadablePhoto, "too_many_scans"
SMALL = UnusablePhoto, "photo_too_small"

REFUSED: dict[str, tuple[Make, Refusal]] = {
    "nothing": (fixed(b""), (UnreadablePhoto, "empty_body")),
    # Other kinds of files
    "text": (fixed(b"This is no picture.\n" * 20), UNSUPPORTED),
    "svg": (fixed(b'<svg xmlns="http://www.w3.org/2000/svg"/>'), UNSUPPORTED),
    "zip": (fixed(b"PK\3\4" + bytes(100)), UNSUPPORTED),
    "mp4": (fixed(box(b"ftyp", b"isom", bytes(4), b"mp42") + bytes(500)), UNSUPPORTED),
    "one byte": (fixed(b"\xff"), UNSUPPORTED),
    "noise": (fixed(np.random.default_rng(2).bytes(5000)), UNSUPPORTED),
    **{
        name: (saver(name), UNSUPPORTED)
        for name in ("GIF", "TIFF", "BMP", "EPS", "PDF", "PPM", "ICO", "JPEG2000", "TGA")
    },
    "junk before a jpeg": (lambda image: b"junk" + saved(image, "JPEG"), UNSUPPORTED),
    # First bytes alone
    "jpeg marker": (fixed(b"\xff\xd8"), BROKEN),
    "jpeg marker and noise": (
        fixed(b"\xff\xd8\xff" + np.random.default_rng(3).bytes(5000)),
        BROKEN,
    ),
    "png signature": (fixed(b"\x89PNG\r\n\x1a\n"), BROKEN),
    "webp signature": (fixed(b"RIFF\0\0\0\0WEBP"), BROKEN),
    "heic brand": (fixed(box(b"ftyp", b"heic", bytes(4))), BROKEN),
    "avif brand": (fixed(box(b"ftyp", b"avif", bytes(4))), BROKEN),
    # Cut short: what is missing must not come out as a grey or black lower half
    **{
        f"{share:.0%} of a {format}": (the_first(share, format), BROKEN)
        for format in ("JPEG", "PNG", "WEBP", "HEIF", "AVIF")
        for share in (0.1, 0.5, 0.95)
    },
    **{
        f"{share:.0%} of a progressive JPEG": (the_first(share, "JPEG", progressive=True), BROKEN)
        for share in (0.1, 0.5, 0.95)
    },
    "png without pixels": (png_of_the_first(0), BROKEN),
    "png of one row": (png_of_the_first(1 / HEIGHT), BROKEN),
    "png of half the rows": (png_of_the_first(0.5), BROKEN),
    # Damaged
    "png with a wrong checksum of its header": (png_with_wrong_checksum(b"IHDR"), BROKEN),
    "png with a wrong checksum of its pixels": (png_with_wrong_checksum(b"IDAT"), BROKEN),
    "png without the end of its pixels": (
        lambda image: interlaced_png(image).replace(b"IDAT", b"iDAT"),
        BROKEN,
    ),
    "png with an unknown filter": (fixed(png((64, 64), 8, 0, (b"\x09" * 65) * 64)), BROKEN),
    "png of colour type 1": (fixed(png((64, 64), 8, 1, bytes(65 * 64))), BROKEN),
    "png 0 wide": (fixed(png((0, 400), 8, 2, bytes(400))), BROKEN),
    "png 0 high": (fixed(png((400, 0), 8, 2, b"")), BROKEN),
    "jpeg 0 wide": (jpeg_with_size(0, 400), BROKEN),
    "jpeg 0 high": (jpeg_with_size(400, 0), BROKEN),
    "jpeg without quantisation": (
        lambda image: saved(image, "JPEG").replace(b"\xff\xdb", b"\xff\xec"),
        BROKEN,
    ),
    # Bombs
    "png of 900 MP": (fixed(png((30_000, 30_000), 1, 0, bytes(3751))), MANY_PIXELS),
    "png of 2^62 pixels": (fixed(png((2**31 - 1, 2**31 - 1), 8, 2, b"")), MANY_PIXELS),
    "jpeg of 3600 MP": (jpeg_with_size(60_000, 60_000), MANY_PIXELS),
    "heic of 289 MP": (fixed(base_media(b"heic", 17_000, 17_000)), MANY_PIXELS),
    "avif of 289 MP": (fixed(base_media(b"avif", 17_000, 17_000)), MANY_PIXELS),
    "jpeg with 900 scans": (jpeg_with_scans(900), MANY_SCANS),
    # Bytes that a decoder passes over must not hide the scans behind them.
    "jpeg with 900 scans and fill bytes": (jpeg_with_scans(900, b"\xff\xff"), MANY_SCANS),
    "jpeg with 900 scans and restarts": (jpeg_with_scans(900, b"\xff\xd3"), MANY_SCANS),
    "jpeg with 900 scans and comments": (jpeg_with_scans(900, b"\xff\xfe\0\2"), MANY_SCANS),
    "jpeg with 900 scans and markers without a length": (
        jpeg_with_scans(900, b"\xff\x01"),
        MANY_SCANS,
    ),
    "large jpeg with 30 scans": (
        lambda image: jpeg_with_scans(20)(image.resize((6400, 4800))),
        MANY_SCANS,
    ),
    "jpeg of comments": (after_the_start(b"\xff\xfe\0\2" * 100_000), BROKEN),
    "jpeg of fill bytes": (after_the_start(b"\xff" * 1_000_000), BROKEN),
    "jpeg of zeros": (after_the_start(bytes(1_000_000)), BROKEN),
    "jpeg that ends before its scan": (after_the_start(b"\xff\xd9"), BROKEN),
    "jpeg of empty photoshop blocks": (
        after_the_start(b"\xff\xed\xea\x62" + b"8BIM\0\1\0\0\0\0\0\0" * 5000),
        BROKEN,
    ),
    "png of empty chunks": (portrait_png(*[(b"teSt", b"")] * 50_000), BROKEN),
    "heic of copies of one picture": (
        lambda image: saved(image, "HEIF").replace(b"pict" + bytes(4), b"pictiovl"),
        BROKEN,
    ),
    "avif film": (
        lambda image: saved(image, "AVIF", save_all=True, append_images=[image.rotate(9)]),
        UNSUPPORTED,
    ),
    "png with a text of 100 MB": (portrait_png((b"zTXt", zipped(100_000_000))), BROKEN),
    "png with a profile of 70 MB": (portrait_png((b"iCCP", zipped(70_000_000))), BROKEN),
    # Too small
    "1 x 1": (fixed(saved(Image.new("RGB", (1, 1)), "PNG")), SMALL),
    "65500 x 1": (fixed(saved(Image.new("L", (65_500, 1)), "JPEG")), SMALL),
    "47 x 500": (fixed(saved(Image.new("RGB", (47, 500)), "PNG")), SMALL),
    "500 x 47": (fixed(saved(Image.new("RGB", (500, 47)), "WEBP")), SMALL),
}


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_that_is_cut_short(
    upright: Image.Image, progressive: bool, share: float
) -> None:
    """It is decoded at an eighth, and the missing part is noticed all the same."""
    file = saved(upright.resize((3200, 4096)), "JPEG", progressive=progressive)
    with pytest.raises(UnreadablePhoto):
        read(file[: round(len(file) * share)], long_side_px=400)


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(kind: str, upright: Image.Image) -> None:
    make, (error, code) = REFUSED[kind]
    with pytest.raises(error) as caught:
        read(make(upright))
    assert caught.value.code == code
    assert all(caught.value.text)


def test_a_refusal_tells_the_size_and_the_limit() -> None:
    with pytest.raises(PhotoTooLarge) as caught:
        read(base_media(b"avif", 17_000, 16_000))
    assert caught.value.details == {"width": 17_000, "height": 16_000, "limit_mp": 25.0}
    with pytest.raises(UnusablePhoto) as small:
        read(saved(Image.new("RGB", (47, 500)), "PNG"))
    assert small.value.details == {"width": 47, "height": 500, "limit": 48}


@pytest.mark.parametrize(
    ("format", "price"), [("JPEG", 1), ("PNG", 1), ("WEBP", 2), ("HEIF", 2), ("AVIF", 2)]
)
def test_the_limit_of_pixels_is_exact(upright: Image.Image, format: str, price: int) -> None:
    file = saved(upright, format)
    most = math.prod(SIZE) * price
    assert read(file, max_pixels=most).full_size_px == SIZE
    with pytest.raises(PhotoTooLarge):
        read(file, max_pixels=most - 1)


def test_an_avif_that_tells_a_smaller_size_than_it_has(upright: Image.Image) -> None:
    """The decoder would decode all of it, and shrink it."""
    file = saved(upright, "AVIF")
    small = file.replace(struct.pack(">II", *SIZE), struct.pack(">II", 64, 64))
    assert small != file
    assert read(small).full_size_px == (64, 64)
    with pytest.raises(UnreadablePhoto):
        read(small, max_pixels=math.prod(SIZE) // 2)


@pytest.mark.parametrize("size_px", [(48, 48), (48, 500), (500, 48)])
def test_the_smallest_that_is_read(size_px: tuple[int, int]) -> None:
    assert read(saved(Image.new("RGB", size_px), "PNG")).full_size_px == size_px
