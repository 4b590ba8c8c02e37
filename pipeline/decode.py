"""From the bytes of an upload to an upright sRGB picture, at the smallest scale that serves.

Everything that can be known from the header is checked before a pixel is decoded.
"""

import io
import math

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from pipeline.container import check_png, check_scans, declared_size, sniff
from pipeline.errors import PhotoTooLarge, UnreadablePhoto, UnusablePhoto
from pipeline.values import Photo, SizeWH

pillow_heif.register_heif_opener()
# Pillow's own limit warns at 89 MP and refuses at 179; ours is lower and comes from the settings.
Image.MAX_IMAGE_PIXELS = None

MIN_SIDE_PX = 48

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_EXIF_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, *, long_side_px: int, max_pixels: int) -> Photo:
    """The picture, upright, in sRGB, on white where it was transparent.

    Its long side is at least ``long_side_px`` where the original has as much, and less than twice
    that. Raises UnreadablePhoto, UnsupportedFormat, PhotoTooLarge or UnusablePhoto
    (``photo_too_small``).
    """
    image = _open(data, max_pixels)
    width, height = image.size
    try:
        if image.format in ("JPEG", "MPO"):
            factor = long_side_px / max(width, height)
            image.draft(None, (math.ceil(width * factor), math.ceil(height * factor)))
        image.load()
    # Decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, MemoryError and
    # others.
    except Exception as error:
        raise UnreadablePhoto("broken_image") from error
    try:
        # After load(): for PNG this loads the picture, and the error of a broken one would be lost.
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # hostile EXIF raises whatever its parser trips over; the pixels may be sound
        orientation = 1

    profile = image.info.get("icc_profile")
    picture = _shrink(_eight_bits(image), long_side_px)
    picture = _to_srgb(picture, profile)
    if orientation in _TURNS:
        picture = picture.transpose(_TURNS[orientation])
    turned = orientation in (5, 6, 7, 8)
    full_size: SizeWH = (height, width) if turned else (width, height)
    return Photo(np.asarray(picture), full_size)


def _open(data: bytes, max_pixels: int) -> Image.Image:
    formats = sniff(data)
    _limit_pixels(declared_size(data), max_pixels)
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
        width, height = image.size
    except Exception as error:  # as in decode: the header parsers raise many kinds
        raise UnreadablePhoto("broken_image") from error
    _limit_pixels((width, height), max_pixels)
    if min(width, height) < 1:
        raise UnreadablePhoto("broken_image")
    if min(width, height) < MIN_SIDE_PX:
        raise UnusablePhoto("photo_too_small", width=width, height=height, limit=MIN_SIDE_PX)
    if "JPEG" in formats:
        check_scans(data)
    elif "PNG" in formats:
        check_png(data)
    return image


def _limit_pixels(size_px: SizeWH, max_pixels: int) -> None:
    width, height = size_px
    if width * height > max_pixels:
        limit_mp = round(max_pixels / 1e6, 1)
        raise PhotoTooLarge("too_many_pixels", width=width, height=height, limit_mp=limit_mp)


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture in mode L, RGB or CMYK; transparent parts become white."""
    if image.mode.startswith("I;16"):
        # convert() would clip: 16-bit greys above 255 all become white.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode == "I":
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("RGB")


def _shrink(image: Image.Image, long_side_px: int) -> Image.Image:
    """Averages whole blocks of pixels: what DCT scaling does for JPEG, for the other formats."""
    factor = max(image.size) // long_side_px
    return image.reduce(factor) if factor > 1 else image


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if image.mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
                return image
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
            if converted is not None:
                return converted
        # A broken profile, or one for another colour space than the pixels': the pixels count.
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image if image.mode == "RGB" else image.convert("RGB")
