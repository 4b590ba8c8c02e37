"""From the bytes of an upload to an upright sRGB picture, at the smallest scale that serves.

Everything that can be known from the header is checked before a pixel is decoded.
"""

import io
import math

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from pipeline.av1 import coded_pixels
from pipeline.container import (
    check_heif,
    check_jpeg,
    check_png,
    check_scans,
    declared_size,
    sniff,
)
from pipeline.errors import PhotoTooLarge, UnreadablePhoto, UnusablePhoto
from pipeline.values import Photo, Rgba, SizeWH

pillow_heif.register_heif_opener()
# Pillow's own limit warns at 89 MP and refuses at 179; ours is lower and comes from the settings.
Image.MAX_IMAGE_PIXELS = None

MIN_SIDE_PX = 48
_FULL_PX = 1 << 30

# A pixel of these costs as much as so many of a JPEG: HEIC and AVIF 30 to 140 CPU-ns, which is
# more than any other, WebP 16 bytes of memory.
_PRICES = {"HEIF": 2, "AVIF": 2, "WEBP": 2}
_BAND_ROWS = 256
# The picture, its alpha and a thumbnail are coded each.
_MOST_CODED = 3

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
    image, (width, height), orientation = _loaded(data, long_side_px, max_pixels)
    profile = image.info.get("icc_profile")
    picture = _shrink(image, long_side_px)
    picture = _to_srgb(picture, profile)
    if orientation in _TURNS:
        picture = picture.transpose(_TURNS[orientation])
    turned = orientation in (5, 6, 7, 8)
    full_size: SizeWH = (height, width) if turned else (width, height)
    return Photo(np.asarray(picture), full_size)


def decode_rgba(data: bytes, *, max_pixels: int) -> Rgba:
    """The picture at its full size, upright, in sRGB, with its alpha, which does not change its
    colours; opaque where it was. Raises as ``decode``.
    """
    image, size_px, orientation = _loaded(data, _FULL_PX, max_pixels)
    # 16-bit greys would be clipped on the way to RGBA.
    clear = image.has_transparency_data and not image.mode.startswith("I")
    rgba = image.convert("RGBA") if clear else None
    alpha = rgba.getchannel("A") if rgba else Image.new("L", size_px, 255)
    colours = rgba.convert("RGB") if rgba else _eight_bits(image)
    picture = _to_srgb(colours, image.info.get("icc_profile"))
    picture.putalpha(alpha)
    if orientation in _TURNS:
        picture = picture.transpose(_TURNS[orientation])
    return np.asarray(picture)


def _loaded(data: bytes, long_side_px: int, max_pixels: int) -> tuple[Image.Image, SizeWH, int]:
    """The decoded picture, of a JPEG at the scale that serves; its size in the file, and how EXIF
    wants it turned.
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
    return image, (width, height), orientation


def _open(data: bytes, max_pixels: int) -> Image.Image:
    formats = sniff(data)
    max_pixels //= _PRICES.get(formats[0], 1)
    _limit_pixels(declared_size(data), max_pixels)
    scans = _check_headers(data, formats[0], max_pixels)
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
    if formats[0] == "JPEG":
        check_scans(scans, (width, height))
    return image


def _check_headers(data: bytes, format: str, max_pixels: int) -> int:
    """Refuses a file that is damaged, or would take long, in a way that shows before it is opened;
    returns how many scans a JPEG has.
    """
    if format == "JPEG":
        return check_jpeg(data)
    if format == "PNG":
        check_png(data)
    elif format == "HEIF":
        check_heif(data)
    elif format == "AVIF" and coded_pixels(data) > _MOST_CODED * max_pixels:
        raise UnreadablePhoto("broken_image")
    return 0


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
    """The picture in mode L, RGB or CMYK, of averaged blocks of pixels: what DCT scaling does for
    JPEG, for the other formats.
    """
    factor = max(image.size) // long_side_px
    if factor <= 1:
        return _eight_bits(image)
    # In bands: flattening takes four copies of what it flattens, each of 200 MB for 50 megapixels.
    band = factor * max(1, _BAND_ROWS // factor)
    parts = [
        _eight_bits(image.crop((0, top, image.width, min(top + band, image.height)))).reduce(factor)
        for top in range(0, image.height, band)
    ]
    if len(parts) == 1:
        return parts[0]
    small = Image.new(parts[0].mode, (parts[0].width, sum(part.height for part in parts)))
    top = 0
    for part in parts:
        small.paste(part, (0, top))
        top += part.height
    return small


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
