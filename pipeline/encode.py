"""Finished pixels to the bytes of a file that carries its density and no other metadata."""

import io
from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.values import ImageFormat

MEDIA_TYPES: dict[ImageFormat, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
_JPEG_QUALITY = 95
# Below it blocks show in skin; above the most a larger file is no better.
_JPEG_LEAST, _JPEG_MOST = 50, 100
_WEBP_QUALITY = 95


def encode(
    pixels: npt.NDArray[np.uint8],
    format: ImageFormat,
    dpi: int,
    bytes_limit: tuple[int, int] | None = None,
) -> bytes:
    """The file of an HxW, HxWx3 or HxWx4 uint8 picture.

    JPEG and PNG carry ``dpi``. WebP has no field for it outside EXIF, which is not written.
    A JPEG's quality is chosen so that it has no fewer and no more bytes than ``bytes_limit``; where
    no quality that can be looked at gives such a file, the nearest one is returned.
    """
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    match format:
        case "jpeg":
            return _jpeg_within(image, dpi, bytes_limit)
        case "png":
            image.save(file, "PNG", dpi=(dpi, dpi))
        case "webp":
            image.save(file, "WEBP", quality=_WEBP_QUALITY)
    return file.getvalue()


def _jpeg_within(image: Image.Image, dpi: int, bytes_limit: tuple[int, int] | None) -> bytes:
    data = _jpeg(image, dpi, _JPEG_QUALITY)
    if bytes_limit is None or bytes_limit[0] <= len(data) <= bytes_limit[1]:
        return data
    fewest, most = bytes_limit
    if len(data) < fewest:
        better = range(_JPEG_QUALITY + 1, _JPEG_MOST + 1)
        index = bisect_left(better, fewest, key=lambda q: len(_jpeg(image, dpi, q)))
        finer = _jpeg(image, dpi, better[min(index, len(better) - 1)])
        if len(finer) <= most:
            return finer
        # Between two qualities there is none that fits.
        return _jpeg(image, dpi, better[index - 1]) if index else data
    worse = range(_JPEG_LEAST, _JPEG_QUALITY)
    index = bisect_right(worse, most, key=lambda q: len(_jpeg(image, dpi, q)))
    return _jpeg(image, dpi, worse[max(index - 1, 0)])


def _jpeg(image: Image.Image, dpi: int, quality: int) -> bytes:
    """Full colour resolution: a red or blue ground bleeds into hair when chroma is halved."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=0, optimize=True, dpi=(dpi, dpi))
    return file.getvalue()
