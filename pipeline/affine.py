"""Affine maps between pixel coordinates; shared by the steps as ``values`` is."""

import numpy as np
import numpy.typing as npt

from pipeline.values import BoxXYXY, Matrix, PointXY, SizeWH


def similarity(source_xy: PointXY, target_xy: PointXY, scale: float, roll_deg: float) -> Matrix:
    """2x3 map that turns by -roll_deg, scales, and takes source_xy to target_xy.

    A picture whose eye line is inclined by roll_deg (clockwise as seen) comes out level.
    """
    angle = np.deg2rad(-roll_deg)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = np.array(target_xy) - turn @ np.array(source_xy)
    return np.column_stack([turn, shift])


def stretch(source_px: SizeWH, target_px: SizeWH) -> Matrix:
    """2x3 map that takes a picture of one size onto another size."""
    return np.array(
        [[target_px[0] / source_px[0], 0.0, 0.0], [0.0, target_px[1] / source_px[1], 0.0]]
    )


def onto(box_xyxy_px: BoxXYXY, size_px: SizeWH) -> Matrix:
    """2x3 map from a photo to a picture of that size which is stretched over a box of the photo."""
    x0, y0, x1, y1 = box_xyxy_px
    scale_x, scale_y = size_px[0] / (x1 - x0), size_px[1] / (y1 - y0)
    return np.array([[scale_x, 0.0, -x0 * scale_x], [0.0, scale_y, -y0 * scale_y]])


def shift(x: float, y: float) -> Matrix:
    """2x3 map that moves by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])


def chain(*maps: Matrix) -> Matrix:
    """The 2x3 map that does each of the maps in turn, the first one first."""
    result = np.eye(2, 3)
    for matrix in maps:
        result = matrix[:, :2] @ result
        result[:, 2] += matrix[:, 2]
    return result


def inverse(matrix: Matrix) -> Matrix:
    """The 2x3 map that undoes ``matrix``."""
    turn = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turn, -turn @ matrix[:, 2]])


def apply(matrix: Matrix, points_xy: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The mapped points, Nx2."""
    points = np.atleast_2d(np.asarray(points_xy, dtype=np.float64))
    return points @ matrix[:, :2].T + matrix[:, 2]
