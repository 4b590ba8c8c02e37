"""What the matting nets see: the surroundings of the person, and a closer look at the head."""

import math

import numpy as np

from pipeline.resample import square
from pipeline.values import BoxXYXY, Head, Photo, Rgb, SizeWH, View

# In head heights from the eyes. The wide view leaves room for the shoulders of someone who stands
# far away; of most portraits it is the whole photo, which the nets like best.
_WIDE_UP, _WIDE_DOWN, _WIDE_ASIDE = 2.5, 4.5, 3.5
# The close view doubles what the person net sees of hair and ears. Of the sizes tried on the true
# alphas (1.6 to 4 heads), 2.5 to 3 were best.
_CLOSE_SIDE, _CLOSE_DOWN = 2.8, 0.2
# A square that is smaller, because the photo is narrow, would cut the head; and so much of it lies
# above the eyes in any case, for the hair.
_CLOSE_LEAST, _CLOSE_UP = 1.3, 0.75
# A close view that shows nearly as much as the wide one tells nothing new.
_CLOSE_ENOUGH = 0.8


def wide_box(head: Head, reach: BoxXYXY, photo_size_px: SizeWH) -> BoxXYXY:
    """The surroundings of a person, at least ``reach``, inside the photo."""
    x, y = head.eyes_xy_px
    size = head.height_px
    return (
        max(0.0, min(reach[0], x - _WIDE_ASIDE * size)),
        max(0.0, min(reach[1], y - _WIDE_UP * size)),
        min(float(photo_size_px[0]), max(reach[2], x + _WIDE_ASIDE * size)),
        min(float(photo_size_px[1]), max(reach[3], y + _WIDE_DOWN * size)),
    )


def close_box(head: Head, wide: BoxXYXY) -> BoxXYXY | None:
    """A square about the head inside ``wide``, or None where it would show nearly the same."""
    x0, y0, x1, y1 = wide
    side = min(_CLOSE_SIDE * head.height_px, x1 - x0, y1 - y0)
    if side < _CLOSE_LEAST * head.height_px:
        return None
    if side * side > _CLOSE_ENOUGH * (x1 - x0) * (y1 - y0):
        return None
    x, y = head.eyes_xy_px
    left = min(max(x - side / 2, x0), x1 - side)
    up = max(side / 2 - _CLOSE_DOWN * head.height_px, _CLOSE_UP * head.height_px)
    top = min(max(y - up, y0), y1 - side)
    return left, top, left + side, top + side


def cut(photo: Photo, box: BoxXYXY, side_px: int, small: Rgb | None = None) -> View:
    """The box of the photo, widened to whole pixels, stretched to a square; of ``small``, a smaller
    rendering of the photo, where that is fine enough.
    """
    rgb, x, y = photo.rgb, 1.0, 1.0
    if small is not None:
        x, y = small.shape[1] / rgb.shape[1], small.shape[0] / rgb.shape[0]
        if min((box[2] - box[0]) * x, (box[3] - box[1]) * y) >= side_px:
            rgb = small
        else:
            x = y = 1.0
    height, width = rgb.shape[:2]
    x0, y0 = max(0, int(box[0] * x)), max(0, int(box[1] * y))
    x1, y1 = min(width, math.ceil(box[2] * x)), min(height, math.ceil(box[3] * y))
    seen = np.ascontiguousarray(square(rgb[y0:y1, x0:x1], side_px))
    return View(seen, (x0 / x, y0 / y, x1 / x, y1 / y))
