"""The square of a picture that a net wants to see, with the eyes level."""

import math

import cv2
import numpy as np

from pipeline.values import Matrix, PointXY, Rgb


def roll(left: PointXY, right: PointXY) -> float:
    """Direction from the left to the right point, in radians; positive is clockwise as seen."""
    return math.atan2(right[1] - left[1], right[0] - left[0])


def square(middle: PointXY, width_px: float, roll: float, side_px: int) -> Matrix:
    """2x3 map from the picture to a square of ``side_px``, which shows ``width_px`` of the picture
    about ``middle``, turned so that a line of direction ``roll`` comes level.
    """
    scale = side_px / width_px
    cos, sin = scale * math.cos(roll), scale * math.sin(roll)
    turn = np.array([[cos, sin], [-sin, cos]])
    return np.column_stack([turn, side_px / 2 - turn @ middle])


def cut(rgb: Rgb, to_square: Matrix, side_px: int) -> Rgb:
    """The square that ``to_square`` shows, uint8 SxSx3; the picture's edge goes on outside it.

    No low-pass where it shrinks, as in MediaPipe: of a face twelve times as large, strong noise
    moves the points of the mesh by less than 1 % of the distance of the eyes.
    """
    # OpenCV counts from the middle of the first pixel, and we from its corner.
    matrix = to_square.copy()
    matrix[:, 2] += to_square[:, :2] @ [0.5, 0.5] - 0.5
    size_px = (side_px, side_px)
    seen = cv2.warpAffine(
        rgb, matrix, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(seen, np.uint8)
