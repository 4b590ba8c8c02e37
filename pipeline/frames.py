"""Where a cut-out lies in the answer: cropped to itself, scaled, or moved."""

import numpy as np

from pipeline.affine import stretch
from pipeline.cutout_values import BoxPx, Frame
from pipeline.resample import warp
from pipeline.values import Alpha, Rgb, SizeWH

# The most that remove.bg adds on each side.
_MARGIN_PX, _MARGIN_SHARE = 500.0, 0.5
_CENTRE = (0.5, 0.5)


def framed(rgb: Rgb, alpha: Alpha, box: BoxPx, frame: Frame) -> tuple[Rgb, Alpha]:
    """Colours and alpha of the answer; ``box`` is where the subject lies in the picture.

    What lies outside of the picture is transparent. A subject that is scaled fills that share of
    the width or the height, whichever is reached first.
    """
    x0, y0, x1, y1 = box
    if frame.crop:
        top, right, bottom, left = _margins(frame, (x1 - x0, y1 - y0))
        rgb, alpha = _cut(rgb, alpha, (x0 - left, y0 - top, x1 + right, y1 + bottom))
        x0, y0, x1, y1 = left, top, left + x1 - x0, top + y1 - y0
    if frame.scale is None and frame.position is None:
        return rgb, alpha
    height, width = alpha.shape
    seen_rgb, seen_alpha = rgb[y0:y1, x0:x1], alpha[y0:y1, x0:x1]
    if frame.scale is not None:
        own_px = (x1 - x0, y1 - y0)
        factor = frame.scale * min(width / own_px[0], height / own_px[1])
        size_px = (
            min(width, max(1, round(own_px[0] * factor))),
            min(height, max(1, round(own_px[1] * factor))),
        )
        matrix = stretch(own_px, size_px)
        seen_rgb = warp(seen_rgb, matrix, size_px)
        seen_alpha = np.clip(warp(seen_alpha, matrix, size_px), 0, 1)
    across, down = frame.position or _CENTRE
    free_px = (width - seen_alpha.shape[1], height - seen_alpha.shape[0])
    x, y = round(across * free_px[0]), round(down * free_px[1])
    # Colours where nothing is: those of the picture, which no viewer shows.
    moved_rgb, moved_alpha = rgb.copy(), np.zeros_like(alpha)
    place = slice(y, y + seen_alpha.shape[0]), slice(x, x + seen_alpha.shape[1])
    moved_rgb[place], moved_alpha[place] = seen_rgb, seen_alpha
    return moved_rgb, moved_alpha


def _margins(frame: Frame, subject_px: SizeWH) -> tuple[int, int, int, int]:
    """Above, right, below, left, in pixels."""
    width, height = subject_px
    top, right, bottom, left = (
        round(min(length.of(side), max(_MARGIN_PX, _MARGIN_SHARE * side)))
        for length, side in zip(frame.margin, (height, width, height, width), strict=True)
    )
    return top, right, bottom, left


def _cut(rgb: Rgb, alpha: Alpha, box: BoxPx) -> tuple[Rgb, Alpha]:
    """The box of the picture, transparent beyond its edges."""
    height, width = alpha.shape
    x0, y0, x1, y1 = box
    cut_rgb = np.zeros((y1 - y0, x1 - x0, 3), rgb.dtype)
    cut_alpha = np.zeros((y1 - y0, x1 - x0), alpha.dtype)
    from_x, from_y, to_x, to_y = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    place = slice(from_y - y0, to_y - y0), slice(from_x - x0, to_x - x0)
    cut_rgb[place] = rgb[from_y:to_y, from_x:to_x]
    cut_alpha[place] = alpha[from_y:to_y, from_x:to_x]
    return cut_rgb, cut_alpha
