"""468 points of a face that has been found: chin, eyelids, lips and all that lies between.

Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models import upright
from models.catalog import find
from models.prelu import open_replaced
from models.prepare import prepare
from models.session import SessionOptions
from models.weights import default_folder, fetch
from pipeline.values import Face, Look, Matrix, PointXY, Rgb

_SIDE_PX = 192
# What the net wants to see: the face with a quarter of its size on each side.
_SQUARE_PER_BOX = 1.5
# MediaPipe's own threshold.
_MIN_SCORE = 0.5

# The places of points in the mesh. MediaPipe's own names are the person's: what it calls the right
# eye is on the left of the picture. Here left and right are as seen.
_FOREHEAD, _CHIN, _NOSE_TIP = 10, 152, 1
_LEFT_EYE_CORNERS, _LEFT_EYE_LIDS = (33, 133), (159, 145)
_RIGHT_EYE_CORNERS, _RIGHT_EYE_LIDS = (263, 362), (386, 374)
_INNER_LIPS, _MOUTH_CORNERS, _CHEEKS = (13, 14), (61, 291), (234, 454)


@dataclass(frozen=True, slots=True)
class Mesh:
    """The points of one face, in pixels of the picture; left and right are as seen in it.

    The mesh is always whole: what hair or glasses hide is where the rest of the face says.
    """

    points_xy_px: npt.NDArray[np.float32]
    """468x2; a point may lie outside the picture."""
    points_z_px: npt.NDArray[np.float32]
    """468; depth on the scale of x and y, smaller is nearer; only differences count."""
    score: float
    """How sure it is that there is a face at all, 0..1."""

    @property
    def chin_xy_px(self) -> PointXY:
        """The lowest point of the face."""
        return self._point(_CHIN)

    @property
    def forehead_xy_px(self) -> PointXY:
        """The highest point of the mesh: near the hairline, well below the crown."""
        return self._point(_FOREHEAD)

    @property
    def nose_tip_xy_px(self) -> PointXY:
        return self._point(_NOSE_TIP)

    @property
    def left_eye_xy_px(self) -> PointXY:
        """The middle of the opening of the eye, wherever the pupil looks."""
        return self._middle(*_LEFT_EYE_CORNERS, *_LEFT_EYE_LIDS)

    @property
    def right_eye_xy_px(self) -> PointXY:
        """The middle of the opening of the eye, wherever the pupil looks."""
        return self._middle(*_RIGHT_EYE_CORNERS, *_RIGHT_EYE_LIDS)

    @property
    def left_eye_corners_xy_px(self) -> tuple[PointXY, PointXY]:
        """Outer, inner."""
        return self._pair(_LEFT_EYE_CORNERS)

    @property
    def right_eye_corners_xy_px(self) -> tuple[PointXY, PointXY]:
        """Outer, inner."""
        return self._pair(_RIGHT_EYE_CORNERS)

    @property
    def left_eye_lids_xy_px(self) -> tuple[PointXY, PointXY]:
        """Edge of the upper and of the lower lid, above and below the middle of the eye."""
        return self._pair(_LEFT_EYE_LIDS)

    @property
    def right_eye_lids_xy_px(self) -> tuple[PointXY, PointXY]:
        """Edge of the upper and of the lower lid, above and below the middle of the eye."""
        return self._pair(_RIGHT_EYE_LIDS)

    @property
    def inner_lips_xy_px(self) -> tuple[PointXY, PointXY]:
        """Lower edge of the upper lip, upper edge of the lower lip; they meet in a closed mouth."""
        return self._pair(_INNER_LIPS)

    @property
    def mouth_corners_xy_px(self) -> tuple[PointXY, PointXY]:
        """Left, right."""
        return self._pair(_MOUTH_CORNERS)

    @property
    def cheeks_xy_px(self) -> tuple[PointXY, PointXY]:
        """The outline of the face in front of the ears: left, right."""
        return self._pair(_CHEEKS)

    @property
    def look(self) -> Look:
        """How the face looks into the camera; turning or scaling the picture changes nothing.

        The yaw is the direction from the middle between the cheeks to the tip of the nose. The net
        draws turned heads nearer to frontal than they are: about two thirds of a large yaw is seen.
        """
        (left_x, left_y), (right_x, right_y) = self.left_eye_xy_px, self.right_eye_xy_px
        roll = math.atan2(right_y - left_y, right_x - left_x)
        left, right = (self._spatial(index) for index in _CHEEKS)
        x, y, z = self._spatial(_NOSE_TIP) - (left + right) / 2
        aside = x * math.cos(roll) + y * math.sin(roll)
        eyes = (
            self._opening(_LEFT_EYE_LIDS, _LEFT_EYE_CORNERS),
            self._opening(_RIGHT_EYE_LIDS, _RIGHT_EYE_CORNERS),
        )
        mouth = self._opening(_INNER_LIPS, _MOUTH_CORNERS)
        return Look(math.degrees(math.atan2(aside, -z)), min(eyes), mouth)

    def _opening(self, edges: tuple[int, int], corners: tuple[int, int]) -> float:
        """Gap between two points per distance of two others.

        The width counts depth, which is what foreshortens it in a turned head.
        """
        left, right = (self._spatial(index) for index in corners)
        return math.dist(*self._pair(edges)) / math.dist(left, right)

    def _spatial(self, index: int) -> npt.NDArray[np.float64]:
        return np.array([*self.points_xy_px[index], self.points_z_px[index]], np.float64)

    def _point(self, index: int) -> PointXY:
        x, y = self.points_xy_px[index]
        return float(x), float(y)

    def _pair(self, indices: tuple[int, int]) -> tuple[PointXY, PointXY]:
        return self._point(indices[0]), self._point(indices[1])

    def _middle(self, *indices: int) -> PointXY:
        x, y = self.points_xy_px[list(indices)].mean(axis=0)
        return float(x), float(y)


class FaceMesh:
    """Finds the points of a face, on the CPU: the net is too small to be worth a trip to a GPU."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """``model`` is the net ``facemesh`` as ``models.prepare`` writes it."""
        self._session = open_replaced(model, SessionOptions(device="cpu", threads=threads))
        self._input = self._session.get_inputs()[0].name

    def points(self, rgb: Rgb, face: Face) -> Mesh | None:
        """The mesh of ``face``, which was found in ``rgb``; None if there is no face to be seen."""
        to_square = _square(face)
        picture = _cut(rgb, to_square)
        landmarks, logit = self._session.run(None, {self._input: picture})
        score = (1 + math.tanh(float(logit[0, 0]) / 2)) / 2  # the logistic function
        if score < _MIN_SCORE:
            return None
        points = landmarks.reshape(-1, 3)
        turn, shift = to_square[:, :2], to_square[:, 2]
        xy = (points[:, :2] - shift) @ np.linalg.inv(turn).T
        z = points[:, 2] / math.sqrt(np.linalg.det(turn))
        return Mesh(xy.astype(np.float32), z.astype(np.float32), score)


def load(folder: Path | None = None, threads: int = 1) -> FaceMesh:
    """The net from ``folder``, fetched and prepared there if need be; None: the user's cache.

    Raises WeightsUnavailable.
    """
    net, folder = find("facemesh"), folder or default_folder()
    (source,) = fetch(net, folder).values()
    return FaceMesh(prepare(net, source, folder, "fp32"), threads)


def _square(face: Face) -> Matrix:
    """2x3 map from the picture to the net's square: the face in the middle, its eyes level."""
    x0, y0, x1, y1 = face.box_xyxy_px
    middle, width_px = ((x0 + x1) / 2, (y0 + y1) / 2), _SQUARE_PER_BOX * max(x1 - x0, y1 - y0)
    roll = upright.roll(face.left_eye_xy_px, face.right_eye_xy_px)
    return upright.square(middle, width_px, roll, _SIDE_PX)


def _cut(rgb: Rgb, to_square: Matrix) -> npt.NDArray[np.float32]:
    """The square that ``to_square`` shows, 1x3xSxS, 0..1."""
    planes = upright.cut(rgb, to_square, _SIDE_PX).transpose(2, 0, 1)[None].astype(np.float32)
    planes /= 255
    return planes
