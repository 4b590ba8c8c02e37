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
    finer = max(1, int(np.ceil(1 / scale - 0.05)))
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
    height, width = rgb.shape[:2]
    factor = long_side_px / max(width, height)
    if factor >= 1:
        return rgb
    size_px = (max(1, round(width * factor)), max(1, round(height * factor)))
    return _resize(rgb, size_px)


def square(rgb: Rgb, side_px: int) -> Rgb:
    """The whole picture stretched to a square: what the matting nets were trained on."""
    return _resize(rgb, (side_px, side_px))


def _resize(rgb: Rgb, size_px: SizeWH) -> Rgb:
    """Averages along an axis that shrinks, interpolates along one that grows."""
    height, width = rgb.shape[:2]
    # Averaging whole blocks first is twice as fast; it leaves out what fills no block at the edge,
    # which must not move anything by more than half a pixel of the result.
    block = max(1, min(width // size_px[0], height // size_px[1]))
    rest = max(width % block * size_px[0] / width, height % block * size_px[1] / height)
    if block > 1 and rest <= _MOVED_PX:
        width, height = width // block, height // block
        whole = rgb[: height * block, : width * block]
        rgb = np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    shrunk_px = min(width, size_px[0]), min(height, size_px[1])
    if shrunk_px != (width, height):
        rgb = np.asarray(cv2.resize(rgb, shrunk_px, interpolation=cv2.INTER_AREA), np.uint8)
    if shrunk_px != size_px:
        rgb = np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)
    return rgb
