"""Resampling: through an affine map, to a longest side, to a net's square; shared by the steps as
``values`` is.
"""

import math
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.affine import apply, chain, inverse, shift
from pipeline.values import Matrix, Rgb, SizeWH

_Pixel = TypeVar("_Pixel", bound=np.generic)
_MOVED_PX = 0.5


def warp(image: npt.NDArray[_Pixel], matrix: Matrix, size_px: SizeWH) -> npt.NDArray[_Pixel]:
    """The picture resampled once, by bicubic interpolation, with its edge pixels continued outside.

    ``matrix`` maps image to output coordinates. Where it shrinks, the picture is sampled on a grid
    that is finer by a whole factor and averaged, so that fine detail does not alias.
    """
    finer, _ = _finer(matrix)
    fine_px = (size_px[0] * finer, size_px[1] * finer)
    enlarge = np.array([[finer, 0.0, 0.0], [0.0, finer, 0.0]])
    fine: Any = _sampled(image, chain(matrix, enlarge), fine_px)
    if finer == 1:
        return np.asarray(fine, dtype=image.dtype)
    return np.asarray(cv2.resize(fine, size_px, interpolation=cv2.INTER_AREA), dtype=image.dtype)


def sample(rgb: Rgb, matrix: Matrix, size_px: SizeWH) -> Rgb:
    """As ``warp``, at a third of its cost where it shrinks: filtered first, and then sampled once.

    Pixels differ by 0.3 levels on average, and the picture is as sharp.
    """
    finer, scale = _finer(matrix)
    if finer > 1:
        taps = _taps(finer, 1 / scale)
        rgb, corner_xy_px = _reached(rgb, matrix, size_px, len(taps))
        # OpenCV's stubs do not know that the same comes out as goes in.
        filtered: Any = cv2.sepFilter2D(rgb, -1, taps, taps, borderType=cv2.BORDER_REPLICATE)
        rgb, matrix = filtered, chain(shift(*corner_xy_px), matrix)
    return _sampled(rgb, matrix, size_px)


def _finer(matrix: Matrix) -> tuple[int, float]:
    """By how much finer a grid than the output's the picture is to be sampled on; and the scale."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    return max(1, int(np.ceil(1 / scale - 0.12))), scale


def _sampled(image: npt.NDArray[_Pixel], matrix: Matrix, size_px: SizeWH) -> npt.NDArray[_Pixel]:
    # OpenCV puts integer coordinates at pixel centres, we at pixel corners.
    grid = chain(shift(0.5, 0.5), matrix, shift(-0.5, -0.5))
    # OpenCV's stubs know neither the pixel type that goes in nor that the same comes out.
    source: Any = image
    result: Any = cv2.warpAffine(
        source, grid, size_px, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(result, dtype=image.dtype)


def _taps(count: int, apart_px: float) -> npt.NDArray[np.float32]:
    """The filter whose output is the mean of ``count`` samples of its input that lie evenly over
    ``apart_px``, each interpolated by Lanczos's kernel of three lobes.
    """
    samples = ((np.arange(count) + 0.5) / count - 0.5) * apart_px
    reach = math.ceil(samples[-1]) + 2
    away = np.arange(-reach, reach + 1)[:, None] - samples
    taps = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0).sum(axis=1)
    return np.asarray(taps / taps.sum(), np.float32)


def _reached(rgb: Rgb, matrix: Matrix, size_px: SizeWH, beyond_px: int) -> tuple[Rgb, SizeWH]:
    """The part of the picture that the output shows, and so much around it; and where its corner
    lies in the picture.
    """
    height, width = rgb.shape[:2]
    corners = apply(inverse(matrix), [(x, y) for x in (0, size_px[0]) for y in (0, size_px[1])])
    left, top = (
        min(max(0, int(low) - beyond_px), side - 1)
        for low, side in zip(corners.min(axis=0), (width, height), strict=True)
    )
    right, bottom = (max(1, math.ceil(high) + beyond_px) for high in corners.max(axis=0))
    return rgb[top : max(bottom, top + 1), left : max(right, left + 1)], (left, top)


def fit(rgb: Rgb, long_side_px: int) -> Rgb:
    """The picture with its longer side at most ``long_side_px``; itself when it already is."""
    size_px = _fitting(rgb, long_side_px)
    return rgb if size_px is None else _resize(rgb, size_px, cv2.INTER_AREA)


def glance(rgb: Rgb, long_side_px: int) -> Rgb:
    """As ``fit``, at a fifth of its cost: good enough for a net, not for a person."""
    size_px = _fitting(rgb, long_side_px)
    return rgb if size_px is None else _resize(rgb, size_px, cv2.INTER_LINEAR)


def square(rgb: Rgb, side_px: int) -> Rgb:
    """The whole picture stretched to a square: what the matting nets were trained on."""
    return _resize(rgb, (side_px, side_px), cv2.INTER_LINEAR)


def _fitting(rgb: Rgb, long_side_px: int) -> SizeWH | None:
    height, width = rgb.shape[:2]
    factor = long_side_px / max(width, height)
    return None if factor >= 1 else (max(1, round(width * factor)), max(1, round(height * factor)))


def _resize(rgb: Rgb, size_px: SizeWH, last: int) -> Rgb:
    """Averages whole blocks along an axis that shrinks; what remains, less than twice, is done by
    the OpenCV interpolation ``last``. Interpolates linearly along an axis that grows.
    """
    height, width = rgb.shape[:2]
    # Blocks leave out what fills none at the edge, which must not move anything by more than half a
    # pixel of the result.
    across, down = max(1, width // size_px[0]), max(1, height // size_px[1])
    rest = max(width % across * size_px[0] / width, height % down * size_px[1] / height)
    if rest > _MOVED_PX:
        # Blocks of two leave out less.
        across, down, last = min(across, 2), min(down, 2), cv2.INTER_AREA
    if across > 1 or down > 1:
        width, height = width // across, height // down
        whole = rgb[: height * down, : width * across]
        rgb = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    shrunk_px = min(width, size_px[0]), min(height, size_px[1])
    if shrunk_px != (width, height):
        rgb = np.asarray(cv2.resize(rgb, shrunk_px, interpolation=last), np.uint8)
    if shrunk_px != size_px:
        rgb = np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)
    return rgb
