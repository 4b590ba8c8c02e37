"""How much a face looks drawn or painted rather than photographed.

EfficientNet-Lite0 has seen a million pictures, and the statistics of what its stages see in a face
tell paint and pencil from skin. They are weighed by a linear head of our own, which
``benchmarks/drawings.py`` makes; docs/checks.md says how well it does.
"""

import math
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from models import upright
from models.catalog import Precision, find
from models.prepare import prepare
from models.saturation import saturates
from models.session import SessionOptions, open_session
from models.weights import default_folder, fetch
from pipeline.values import Face, PointXY, Rgb

NET = "efficientnet-lite0"
"""The net that ``load`` takes."""
HEAD = "drawings_head.npz"

# Fewer than the 224 that the net was trained on, at half the cost: the closer look has the eyes
# 57 px apart, and in a picture of 640 px few faces have them farther.
_SIDE_PX = 160
# A square that would shrink by more than this is cut from a half of the picture, in which fine
# detail makes no pattern.
_SHRINKS = 1.5


class _Square(NamedTuple):
    """What is shown of the picture, in distances of the eyes."""

    width: float
    below_eyes: float
    """How far its middle lies below the eyes."""


_SQUARES = (_Square(2.8, 0.45), _Square(4.2, 0.3))


class Drawings:
    """Tells drawings by a face that has been found, on the CPU."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        """``model`` is the net ``efficientnet-lite0`` as ``models.prepare`` writes it."""
        self._session = open_session(model, SessionOptions(device="cpu", threads=threads))

    def score(self, rgb: Rgb, face: Face) -> float:
        """How much the face, found in ``rgb``, looks drawn: above 0 it does, below it does not."""
        weights, bias = _head()
        features = self.features(rgb, face.left_eye_xy_px, face.right_eye_xy_px)
        return float(features @ weights) + bias

    def features(
        self, rgb: Rgb, left_eye_xy_px: PointXY, right_eye_xy_px: PointXY
    ) -> npt.NDArray[np.float32]:
        """What the net sees about these eyes: float32, 8096 numbers, the closer look first.

        Of each number the root with its sign, so that a few strong channels do not outshout all.
        """
        seen_planes = planes(rgb, left_eye_xy_px, right_eye_xy_px)
        (features,) = self._session.run(None, {"picture": seen_planes})
        seen = np.asarray(features, np.float32).ravel()
        return np.sign(seen) * np.sqrt(np.abs(seen))


def planes(rgb: Rgb, left_eye_xy_px: PointXY, right_eye_xy_px: PointXY) -> npt.NDArray[np.float32]:
    """What the net is shown: float32 2x3x160x160, the closer square first."""
    looks = np.stack([_look(rgb, left_eye_xy_px, right_eye_xy_px, seen) for seen in _SQUARES])
    shown = np.ascontiguousarray(looks.transpose(0, 3, 1, 2), np.float32)
    shown -= 127
    shown /= 128
    return shown


def _look(rgb: Rgb, left: PointXY, right: PointXY, seen: _Square) -> Rgb:
    """The square about the face, with the eyes level."""
    apart_px, roll = math.dist(left, right), upright.roll(left, right)
    down_px = seen.below_eyes * apart_px
    x = (left[0] + right[0]) / 2 - math.sin(roll) * down_px
    y = (left[1] + right[1]) / 2 + math.cos(roll) * down_px
    width_px = seen.width * apart_px
    while width_px > _SHRINKS * _SIDE_PX:
        height, width = (side // 2 for side in rgb.shape[:2])
        # Without an odd last row or column, so that the scale is a half exactly.
        even = rgb[: 2 * height, : 2 * width]
        rgb = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        x, y, width_px = x / 2, y / 2, width_px / 2
    return upright.cut(rgb, upright.square((x, y), width_px, roll, _SIDE_PX), _SIDE_PX)


@cache
def _head() -> tuple[npt.NDArray[np.float32], float]:
    with resources.files("models").joinpath(HEAD).open("rb") as stream, np.load(stream) as head:
        return head["weights"].astype(np.float32), float(head["bias"])


def load(
    folder: Path | None = None, threads: int = 1, precision: Precision | None = None
) -> Drawings:
    """The net from ``folder``, fetched where it lacks. Raises WeightsUnavailable.

    Where no ``precision`` is asked for it is int8 if this CPU's sums of it are exact, and else
    fp32, which the head was made with; the scores are nearly the same.
    """
    folder = default_folder() if folder is None else folder
    (source,) = fetch(NET, folder).values()
    if precision is None:
        precision = "fp32" if saturates() else "int8"
    return Drawings(prepare(find(NET), source, folder, precision), threads)
