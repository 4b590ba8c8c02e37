"""Resampling: through an affine map, to a longest side, to a net's square; shared by the steps as
``values`` is.
"""

from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.affine import chain, shift
from pipeline.values import Matrix, Rgb, SizeWH

_Pixel = TypeVar("_Pixel", bound=np.generic)
_MOVED_PX = 0.5


def warp(image: npt.NDArray[_Pixel], matrix: Matrix, size_px: SizeWH) -> npt.NDArray[_Pixel]:
    """The picture resampled once, by bicubic interpolation, with its edge pixels continued outside.

    ``matrix`` maps image to output coordinates. Where it shrinks, the picture is sampled on a grid
    that is finer by a whole factor and averaged, so that fine detail does not alias.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    finer = max(1, int(np.ceil(1 / scale - 0.12)))
    # OpenCV puts integer coordinates at pixel centres, we at pixel corners.
    enlarge = np.array([[finer, 0.0, 0.0], [0.0, finer, 0.0]])
    grid = chain(shift(0.5, 0.5), matrix, enlarge, shift(-0.5, -0.5))
    fine_px = (size_px[0] * finer, size_px[1] * finer)
    # OpenCV's stubs know neither the pixel type that goes in nor that the same comes out.
    source: Any = image
    result: Any = cv2.warpAffine(
        source, grid, fine_px, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    if finer > 1:
        result = cv2.resize(result, size_px, interpolation=cv2.INTER_AREA)
    return np.asarray(result, dtype=image.dtype)


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
        last = cv2.INTER_AREA
    elif across > 1 or down > 1:
        width, height = width // across, height // down
        whole = rgb[: height * down, : width * across]
        rgb = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    shrunk_px = min(width, size_px[0]), min(height, size_px[1])
    if shrunk_px != (width, height):
        rgb = np.asarray(cv2.resize(rgb, shrunk_px, interpolation=last), np.uint8)
    if shrunk_px != size_px:
        rgb = np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)
    return rgb
