"""Finished pixels to the bytes of a file that carries its density and no other metadata."""

import io

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
_WEBP_QUALITY = 95


def encode(pixels: npt.NDArray[np.uint8], format: ImageFormat, dpi: int) -> bytes:
    """The file of an HxW, HxWx3 or HxWx4 uint8 picture.

    JPEG and PNG carry ``dpi``. WebP has no field for it outside EXIF, which is not written.
    JPEG keeps full colour resolution: a red or blue ground bleeds into hair when chroma is halved.
    """
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    match format:
        case "jpeg":
            image.save(
                file, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True, dpi=(dpi, dpi)
            )
        case "png":
            image.save(file, "PNG", dpi=(dpi, dpi))
        case "webp":
            image.save(file, "WEBP", quality=_WEBP_QUALITY)
    return file.getvalue()
