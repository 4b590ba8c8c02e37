"""Cut-outs from the nets' alphas to the file, in our style or in that of another service; joins
steps for ``flow``.
"""

import io
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields

import cv2
import numpy as np
from PIL import Image, ImageOps

from pipeline import finishing
from pipeline.affine import stretch
from pipeline.compose import mask
from pipeline.cutout_values import BoxPx, Cutout, GroundFile, Length, StyledCutoutOrder
from pipeline.decode import decode
from pipeline.encode import MEDIA_TYPES, File, encode
from pipeline.errors import BadOrder, PhotoTooLarge, UnusablePhoto
from pipeline.finish_values import AiLabel, Finish
from pipeline.foreground import estimate
from pipeline.frames import framed
from pipeline.fusion import fuse
from pipeline.matte import check_subject, render
from pipeline.resample import fit
from pipeline.values import (
    Alpha,
    Alpha8,
    CropPlan,
    CutoutOrder,
    Face,
    ImageFormat,
    Photo,
    Portrait,
    Rgb,
    Rgba,
    SizeWH,
    View,
)

ZIP = "application/zip"
_DPI = 72
_WHITE = (255, 255, 255, 255)
# Alpha of what counts as the subject, for its place.
_SEEN = 0.1
# rembg's outline: a cross of three pixels, a blur of two, half of white.
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_BLUR_PX, _BLUR_SIZE, _HALF = 2.0, 17, 127
# A picture this much wider than high is not as fine as its pixels would allow.
_LONGEST = 4.0


def styled(order: CutoutOrder) -> StyledCutoutOrder:
    """The order with every wish spelt out."""
    if isinstance(order, StyledCutoutOrder):
        return order
    return StyledCutoutOrder(**{each.name: getattr(order, each.name) for each in fields(order)})


def first_side_px(order: StyledCutoutOrder) -> int:
    """The long side that a picture must be decoded to, at least, for ``sized``."""
    if order.max_pixels is None:
        return order.max_side_px
    return min(order.max_side_px, math.ceil(math.sqrt(order.max_pixels * _LONGEST)))


def sized(photo: Photo, order: StyledCutoutOrder) -> Photo:
    """The photo no larger than the order allows. Raises PhotoTooLarge (``side_too_long``)."""
    longest_px = max(photo.full_size_px)
    if order.unscaled and longest_px > order.max_side_px:
        raise PhotoTooLarge("side_too_long", side_px=longest_px, limit_px=order.max_side_px)
    height, width = photo.rgb.shape[:2]
    side_px = first_side_px(order)
    if order.max_pixels is not None:
        shrink = math.sqrt(order.max_pixels / (width * height))
        side_px = min(side_px, max(1, int(max(width, height) * shrink)))
    return Photo(fit(photo.rgb, side_px), photo.full_size_px)


def one_face(find: Callable[[], Face], order: StyledCutoutOrder) -> Face | None:
    """What ``find`` finds, where the person net is to be asked.

    Raises UnusablePhoto (``no_face``) where a person is wanted.
    """
    if order.shows == "thing":
        return None
    try:
        return find()
    except UnusablePhoto as error:
        if order.shows == "person" and error.code == "no_face":
            raise
        return None


def salient_view(photo: Photo, side_px: int) -> View:
    """The whole picture as rembg shows it to the net, by Lanczos: other ways to shrink it can make
    the net see another subject.
    """
    image = Image.fromarray(photo.rgb).resize((side_px, side_px), Image.Resampling.LANCZOS)
    height, width = photo.rgb.shape[:2]
    return View(np.asarray(image), (0.0, 0.0, float(width), float(height)))


def finished(
    portrait: Portrait, alphas: Mapping[str, Sequence[Alpha8]], order: StyledCutoutOrder
) -> Cutout:
    """The file, and where in the original the subject lies.

    Raises UnusablePhoto (``no_subject``), BadOrder for a region that is none, and, for the picture
    behind, the errors of ``decode``.
    """
    full_px = portrait.full_size_px
    alpha = _alpha(portrait, alphas, order)
    if order.region is not None:
        alpha = _kept(alpha, _region(order.region, full_px), full_px)
    box = _bounds(alpha, required=order.region is not None)
    rgb = portrait.region_rgb
    if order.kind == "rgba" and order.colours == "own":
        rgb = estimate(rgb, alpha)
    rgb, alpha = framed(rgb, alpha, box, order.frame)
    (data, encoding), media_type = _file(rgb, alpha, order)
    height, width = alpha.shape
    x, y = (full / own for full, own in zip(full_px, portrait.photo_size_px, strict=True))
    return Cutout(
        data,
        media_type,
        (width, height),
        "",
        "transparent",
        (),
        order.quality,
        encoding,
        full_size_px=full_px,
        foreground_xyxy_px=_whole(box[0] * x, box[1] * y, box[2] * x, box[3] * y),
        is_person=portrait.face is not None,
    )


def _alpha(
    portrait: Portrait, alphas: Mapping[str, Sequence[Alpha8]], order: StyledCutoutOrder
) -> Alpha:
    size_px = portrait.photo_size_px
    if order.matte == "saliency":
        alpha = _salient(alphas["saliency"][0], size_px)
    else:
        box = (0.0, 0.0, float(size_px[0]), float(size_px[1]))
        matte = fuse(alphas, portrait.views, box)
        check_subject(matte)
        alpha, _ = render(matte, CropPlan(stretch(size_px, size_px), size_px, 1.0), size_px)
    return _hardened(alpha) if order.hard else alpha


def _salient(alpha: Alpha8, size_px: SizeWH) -> Alpha:
    """One net's answer as rembg reads it: from its least to its greatest value, by Lanczos."""
    low, high = int(alpha.min()), int(alpha.max())
    if low == high:
        raise UnusablePhoto("no_subject")
    grey = ((alpha.astype(np.float32) - low) * (255 / (high - low))).astype(np.uint8)
    large = Image.fromarray(grey).resize(size_px, Image.Resampling.LANCZOS)
    return np.asarray(large, np.float32) / np.float32(255)


def _hardened(alpha: Alpha) -> Alpha:
    opened = cv2.morphologyEx(mask(alpha), cv2.MORPH_OPEN, _CROSS)
    blurred = cv2.GaussianBlur(opened.astype(np.float32), (_BLUR_SIZE, _BLUR_SIZE), _BLUR_PX)
    return (np.asarray(blurred) >= _HALF).astype(np.float32)


def _region(region: tuple[Length, Length, Length, Length], full_px: SizeWH) -> BoxPx:
    """In pixels of the original. Raises BadOrder."""
    box = _whole(*(length.of(full_px[index % 2]) for index, length in enumerate(region)))
    if box[2] > full_px[0] or box[3] > full_px[1]:
        reason = f"it reaches beyond the picture of {full_px[0]}x{full_px[1]} pixels"
        raise BadOrder("bad_parameter", name="roi", reason=reason)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise BadOrder("bad_parameter", name="roi", reason="it is empty")
    return box


def _kept(alpha: Alpha, box: BoxPx, full_px: SizeWH) -> Alpha:
    """Alpha, 0 outside of the box of the original."""
    height, width = alpha.shape
    x, y = width / full_px[0], height / full_px[1]
    x0, y0, x1, y1 = _whole(box[0] * x, box[1] * y, box[2] * x, box[3] * y)
    kept = np.zeros_like(alpha)
    kept[y0:y1, x0:x1] = alpha[y0:y1, x0:x1]
    return kept


def _bounds(alpha: Alpha, *, required: bool) -> BoxPx:
    """The box of what is seen; of all where nothing is. Raises UnusablePhoto (``no_subject``)."""
    seen = alpha > _SEEN
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    if not columns.size:
        if required:
            raise UnusablePhoto("no_subject")
        return 0, 0, alpha.shape[1], alpha.shape[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _file(rgb: Rgb, alpha: Alpha, order: StyledCutoutOrder) -> tuple[File, str]:
    """The file and its media type. Raises BadOrder."""
    if order.kind == "mask":
        if order.format == "zip":
            raise BadOrder("bad_parameter", name="format", reason="a zip holds the colours as well")
        return _encoded(mask(alpha), order.format, order.label), MEDIA_TYPES[order.format]
    cover = mask(alpha)
    if order.colours == "seen":
        # What was cut away is not to be found in the file.
        rgb = np.where(cover[..., None] > 0, rgb, np.uint8(0))
    rgba = np.dstack([rgb, cover])
    if order.ground is not None:
        rgba = _on(rgba, order.ground)
    if order.format == "zip":
        return _zip(rgba), ZIP
    if order.format == "jpeg":
        rgba = np.ascontiguousarray(_on(rgba, _WHITE)[..., :3])
    pixels = finishing.marked(rgba, Finish(label=order.label))
    return _encoded(pixels, order.format, order.label), MEDIA_TYPES[order.format]


def _encoded(pixels: Rgb | Rgba | Alpha8, format: ImageFormat, label: AiLabel | None) -> File:
    return encode(pixels, format, _DPI, xmp=finishing.xmp(pixels, label))


def _on(rgba: Rgba, ground: tuple[int, int, int, int] | GroundFile) -> Rgba:
    """The picture over a colour, or over a picture that fills it; neither is premultiplied."""
    height, width = rgba.shape[:2]
    if isinstance(ground, GroundFile):
        side_px = 2 * max(width, height)
        photo = decode(ground.data, long_side_px=side_px, max_pixels=ground.max_pixels)
        behind = ImageOps.fit(Image.fromarray(photo.rgb), (width, height)).convert("RGBA")
    else:
        behind = Image.new("RGBA", (width, height), ground)
    return np.asarray(Image.alpha_composite(behind, Image.fromarray(rgba)))


def _zip(rgba: Rgba) -> File:
    """The colours and the alpha as files of their own, as remove.bg names them."""
    colour, encoding = encode(np.ascontiguousarray(rgba[..., :3]), "jpeg", _DPI)
    alpha, _ = encode(np.ascontiguousarray(rgba[..., 3]), "png", _DPI)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("color.jpg", colour)
        archive.writestr("alpha.png", alpha)
    return file.getvalue(), encoding


def _whole(*values: float) -> BoxPx:
    x0, y0, x1, y1 = (round(value) for value in values)
    return x0, y0, x1, y1
