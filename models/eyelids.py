"""Pupils and lids of a face, by a net that sees one eye at a time.

Ablavatski et al., "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.catalog import find
from models.facemesh import Mesh
from models.prelu import open_replaced
from models.prepare import prepare
from models.session import SessionOptions
from models.weights import default_folder, fetch
from pipeline.values import Matrix, PointXY, Rgb

_SIDE_PX = 64
# What the net wants to see, per width of the eye: MediaPipe's own.
_SQUARE_PER_EYE = 2.3

# The contour of the eye among the 71 points: its corners, and the lids' edges between them, each
# from the outer corner to the inner one.
_CORNERS = (0, 8)
_LOWER, _UPPER = (3, 4, 5), (11, 12, 13)

# Closed eyes measure up to 0.14 and open ones from 0.19: lids nearer than that hide the pupils.
_HIDDEN = 0.17
# Both pupils look the same way, so that their line is level with the eyes: in 98 of 100 faces
# within 3.3 degrees. Behind dark glasses the net guesses.
_LEVEL_DEG = 4.0


@dataclass(frozen=True, slots=True)
class Eyes:
    """The eyes of one face; left and right are as seen in the picture."""

    left_xy_px: PointXY
    """The pupil; where the pupils cannot be seen, the middle of the mesh's eye."""
    right_xy_px: PointXY
    """As above."""
    opening: float
    """Height of the lids' opening per width of the eye, of the eye that is less open."""


class Eyelids:
    """Sees the eyes of a face whose mesh is known, on the CPU."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """``model`` is the net ``iris`` as ``models.prepare`` writes it."""
        self._session = open_replaced(model, SessionOptions(device="cpu", threads=threads))
        self._input = self._session.get_inputs()[0].name

    def eyes(self, rgb: Rgb, mesh: Mesh) -> Eyes:
        """The eyes of ``mesh``, which was found in ``rgb``."""
        middles = mesh.left_eye_xy_px, mesh.right_eye_xy_px
        corners = mesh.left_eye_corners_xy_px, mesh.right_eye_corners_xy_px
        roll = _roll(*middles)
        # The net knows the eye on the right of the picture; the other one is shown mirrored.
        left, right = (_square(*pair, roll) for pair in corners)
        to_squares = _mirrored(left), right
        pictures = np.stack([_cut(rgb, matrix) for matrix in to_squares])
        planes = pictures.transpose(0, 3, 1, 2).astype(np.float32) / 255
        contours, irises = self._session.run(None, {self._input: planes})
        opening = min(_opening(contour.reshape(-1, 3)[:, :2]) for contour in contours)
        pupils = [
            _back(iris.reshape(-1, 3)[:, :2].mean(axis=0), matrix)
            for iris, matrix in zip(irises, to_squares, strict=True)
        ]
        tilt_deg = math.degrees(math.remainder(_roll(*pupils) - roll, math.tau))
        seen = opening >= _HIDDEN and abs(tilt_deg) <= _LEVEL_DEG
        left_xy_px, right_xy_px = pupils if seen else middles
        return Eyes(left_xy_px, right_xy_px, opening)


def load(folder: Path | None = None, threads: int = 1) -> Eyelids:
    """The net from ``folder``, fetched and prepared there if need be; None: the user's cache.

    Raises WeightsUnavailable.
    """
    net, folder = find("iris"), folder or default_folder()
    (source,) = fetch(net, folder).values()
    return Eyelids(prepare(net, source, folder, "fp32"), threads)


def _opening(points_xy_px: npt.NDArray[np.float32]) -> float:
    lids = points_xy_px[list(_UPPER)] - points_xy_px[list(_LOWER)]
    corner, other = points_xy_px[list(_CORNERS)]
    height = float(np.linalg.norm(lids, axis=1).mean())
    return height / max(float(np.linalg.norm(other - corner)), 1e-3)


def _roll(left: PointXY, right: PointXY) -> float:
    """Direction from the left to the right eye, in radians; positive is clockwise as seen."""
    return math.atan2(right[1] - left[1], right[0] - left[0])


def _square(outer: PointXY, inner: PointXY, roll: float) -> Matrix:
    """2x3 map from the picture to the net's square: the eye in the middle, the face upright."""
    scale = _SIDE_PX / (_SQUARE_PER_EYE * max(math.dist(outer, inner), 1.0))
    cos, sin = scale * math.cos(roll), scale * math.sin(roll)
    turn = np.array([[cos, sin], [-sin, cos]])
    middle = (np.array(outer) + np.array(inner)) / 2
    return np.column_stack([turn, _SIDE_PX / 2 - turn @ middle])


def _mirrored(to_square: Matrix) -> Matrix:
    mirrored = to_square * [[-1], [1]]
    mirrored[0, 2] += _SIDE_PX
    return mirrored


def _cut(rgb: Rgb, to_square: Matrix) -> Rgb:
    """The square that ``to_square`` shows, SxSx3; the picture's edge goes on outside it."""
    # OpenCV counts from the middle of the first pixel, and we from its corner.
    matrix = to_square.copy()
    matrix[:, 2] += to_square[:, :2] @ [0.5, 0.5] - 0.5
    size_px = (_SIDE_PX, _SIDE_PX)
    square = cv2.warpAffine(
        rgb, matrix, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(square, np.uint8)


def _back(xy_px: npt.NDArray[np.float32], to_square: Matrix) -> PointXY:
    """A point of the square in the picture."""
    x, y = np.linalg.solve(to_square[:, :2], xy_px - to_square[:, 2])
    return float(x), float(y)
