"""Pupils and lids of a face, by a net that sees one eye at a time.

Ablavatski et al., "Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models import upright
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
        roll = upright.roll(*middles)
        # The net knows the eye on the right of the picture; the other one is shown mirrored.
        left, right = (_square(*pair, roll) for pair in corners)
        to_squares = _mirrored(left), right
        pictures = np.stack([upright.cut(rgb, matrix, _SIDE_PX) for matrix in to_squares])
        planes = pictures.transpose(0, 3, 1, 2).astype(np.float32) / 255
        contours, irises = self._session.run(None, {self._input: planes})
        opening = min(_opening(contour.reshape(-1, 3)[:, :2]) for contour in contours)
        pupils = [
            _back(iris.reshape(-1, 3)[:, :2].mean(axis=0), matrix)
            for iris, matrix in zip(irises, to_squares, strict=True)
        ]
        tilt_deg = math.degrees(math.remainder(upright.roll(*pupils) - roll, math.tau))
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


def _square(outer: PointXY, inner: PointXY, roll: float) -> Matrix:
    """2x3 map from the picture to the net's square: the eye in the middle, the face upright."""
    middle = (outer[0] + inner[0]) / 2, (outer[1] + inner[1]) / 2
    width_px = _SQUARE_PER_EYE * max(math.dist(outer, inner), 1.0)
    return upright.square(middle, width_px, roll, _SIDE_PX)


def _mirrored(to_square: Matrix) -> Matrix:
    mirrored = to_square * [[-1], [1]]
    mirrored[0, 2] += _SIDE_PX
    return mirrored


def _back(xy_px: npt.NDArray[np.float32], to_square: Matrix) -> PointXY:
    """A point of the square in the picture."""
    x, y = np.linalg.solve(to_square[:, :2], xy_px - to_square[:, 2])
    return float(x), float(y)
