"""Finished pixels to the bytes of a file that carries its density and no other metadata but what it
is given.
"""

import io
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pipeline.values import Chroma, Encoding, ImageFormat

MEDIA_TYPES: dict[ImageFormat, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
_QUALITY = 95
# Below it blocks show in skin; above the most a larger file is no better.
_LEAST, _MOST = 50, 100
_SUBSAMPLING: dict[Chroma, int] = {"4:4:4": 0, "4:2:0": 2}

File = tuple[bytes, Encoding]


def encode(
    pixels: npt.NDArray[np.uint8] | Image.Image,
    format: ImageFormat,
    dpi: int,
    bytes_limit: tuple[int, int] | None = None,
    *,
    progressive: bool = False,
    xmp: bytes | None = None,
) -> File:
    """The file of an HxW, HxWx3 or HxWx4 uint8 picture, and how it was written.

    JPEG and PNG carry ``dpi``. WebP has no field for it outside EXIF, which is not written.
    The quality of JPEG and WebP is chosen so that the file has no fewer and no more bytes than
    ``bytes_limit``: the best one that does, with colours at full resolution if there is one. Where
    no quality that can be looked at gives such a file, the nearest one is returned. ``xmp``, a
    packet in UTF-8, is written into the file.
    """
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    match format:
        case "jpeg":

            def full(quality: int) -> File:
                return _jpeg(image, dpi, quality, "4:4:4", progressive, xmp)

            def half(quality: int) -> File:
                return _jpeg(image, dpi, quality, "4:2:0", progressive, xmp)

            return _within((full, half), bytes_limit)
        case "png":
            return _png(image, dpi, xmp)
        case "webp":
            return _within((lambda quality: _webp(image, dpi, quality, xmp),), bytes_limit)


def fits(data: bytes, bytes_limit: tuple[int, int] | None) -> bool:
    """Whether the file has no fewer and no more bytes than it may have."""
    return bytes_limit is None or bytes_limit[0] <= len(data) <= bytes_limit[1]


def _within(ways: Sequence[Callable[[int], File]], bytes_limit: tuple[int, int] | None) -> File:
    """Of the ways to write a file at a quality, the first that gives one within the limit; else the
    smallest file where all are too large, and else the largest that is not.
    """
    usual = ways[0](_QUALITY)
    if bytes_limit is None or fits(usual[0], bytes_limit):
        return usual
    found = [_nearest(way, usual[0], bytes_limit) for way in ways[:1]]
    if not fits(found[0][0], bytes_limit):
        found += [_nearest(way, None, bytes_limit) for way in ways[1:]]
    for file in found:
        if fits(file[0], bytes_limit):
            return file
    small = [file for file in found if len(file[0]) <= bytes_limit[1]]
    if small:
        return max(small, key=lambda file: len(file[0]))
    return min(found, key=lambda file: len(file[0]))


def _nearest(way: Callable[[int], File], usual: bytes | None, bytes_limit: tuple[int, int]) -> File:
    """The file of the best quality that is not above the limit; the coarsest where all are.

    Of qualities above the usual one, which no eye needs, the least that reaches the limit.
    """
    fewest, most = bytes_limit
    known: dict[int, File] = {}

    def size(quality: int) -> int:
        if quality not in known:
            known[quality] = way(quality)
        return len(known[quality][0])

    usual_bytes = size(_QUALITY) if usual is None else len(usual)
    if usual_bytes < fewest:
        better = range(_QUALITY, _MOST + 1)
        index = min(bisect_left(better, fewest, key=size), len(better) - 1)
        # Between two qualities there may be none that fits.
        quality = better[index] if size(better[index]) <= most else better[index - 1]
    else:
        worse = range(_LEAST, _QUALITY + 1)
        quality = worse[max(bisect_right(worse, most, key=size) - 1, 0)]
    size(quality)
    return known[quality]


def _jpeg(
    image: Image.Image, dpi: int, quality: int, chroma: Chroma, progressive: bool, xmp: bytes | None
) -> File:
    """Colours at full resolution where that is possible: a red or blue ground bleeds into hair when
    it is halved.
    """
    file = io.BytesIO()
    named = {"subsampling": _SUBSAMPLING[chroma], "dpi": (dpi, dpi), "xmp": xmp}
    try:
        image.save(file, "JPEG", quality=quality, optimize=True, progressive=progressive, **named)
    except OSError:
        # Noise: one or two bytes a pixel are not enough, which is all the room that Pillow makes
        # where the file cannot be written in one go.
        progressive, file = False, io.BytesIO()
        image.save(file, "JPEG", quality=quality, **named)
    return file.getvalue(), Encoding(dpi, quality, chroma, progressive)


def _webp(image: Image.Image, dpi: int, quality: int, xmp: bytes | None) -> File:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=quality, xmp=xmp or b"")
    return file.getvalue(), Encoding(dpi, quality, "4:2:0")


def _png(image: Image.Image, dpi: int, xmp: bytes | None) -> File:
    file, info = io.BytesIO(), PngInfo()
    if xmp is not None:
        # The keyword that Adobe's XMP Specification, part 3, has for PNG.
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    image.save(file, "PNG", dpi=(dpi, dpi), pnginfo=info)
    return file.getvalue(), Encoding(dpi)
