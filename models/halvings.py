"""A picture at any smaller scale, cheaply: from halvings of it that are made when first needed."""

import math

import cv2
import numpy as np

from models.boxes import Array
from pipeline.values import Rgb

_GREY = 128


class Halvings:
    """A picture, a half of it, a quarter and so on."""

    def __init__(self, rgb: Rgb) -> None:
        self._pictures = [rgb]

    def shrunk(self, scale: float) -> Rgb:
        """All of the picture at that scale, at most 1; sides are rounded up."""
        height, width = self._pictures[0].shape[:2]
        size_px = math.ceil(width * scale), math.ceil(height * scale)
        picture, _ = self._at_least(scale)
        return np.asarray(cv2.resize(picture, size_px, interpolation=cv2.INTER_LINEAR), np.uint8)

    def patches(self, squares: Array, side_px: int) -> Rgb:
        """The squares (Nx4, pixels of the picture) resized, NxSxSx3; grey outside the picture.

        A square is moved by up to half a pixel of its patch, to whole pixels of a halving.
        """
        patches = np.full((len(squares), side_px, side_px, 3), _GREY, np.uint8)
        for patch, square in zip(patches, squares.tolist(), strict=True):
            picture, scale = self._at_least(side_px / max(square[2] - square[0], 1.0))
            height, width = picture.shape[:2]
            x0, y0, x1, y1 = (round(edge * scale) for edge in square)
            inside = picture[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
            if not inside.size:
                continue
            beyond = max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0)
            if any(beyond):
                grey = (_GREY, _GREY, _GREY)
                bordered = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_CONSTANT, value=grey)
                inside = np.asarray(bordered, np.uint8)
            cv2.resize(inside, (side_px, side_px), dst=patch, interpolation=cv2.INTER_AREA)
        return patches

    def _at_least(self, scale: float) -> tuple[Rgb, float]:
        """The smallest halving that is at least as fine as ``scale``, and its own scale."""
        depth = 0
        while scale <= 0.5 ** (depth + 1):
            height, width = (side // 2 for side in self._pictures[depth].shape[:2])
            if not min(height, width):
                break
            depth += 1
            if depth == len(self._pictures):
                # An odd last row or column is left out, so that the scale is a half exactly.
                even = self._pictures[-1][: 2 * height, : 2 * width]
                half = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
                self._pictures.append(np.asarray(half, np.uint8))
        return self._pictures[depth], 0.5**depth
