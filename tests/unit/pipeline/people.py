"""Drawn people: a face whose every measure is known, and the matte that belongs to it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.values import Alpha, BoxXYXY, Face, Matte, PointXY, SizeWH

SIDE_PX = 320
# Of the distance between the pupils: an average adult.
MOUTH, MOUTH_ASIDE, NOSE = 1.08, 0.42, 0.55
CHIN, SKULL, HEAD_ASIDE, NECK_ASIDE, SHOULDERS_ASIDE = 1.76, 1.848, 1.2, 0.6, 2.6
SHOULDERS = 2.25


@dataclass(frozen=True)
class Person:
    """Someone in a photo; ``roll_deg`` is positive where the right eye is the lower one."""

    face: Face
    matte: Matte
    photo_size_px: SizeWH
    eyes_xy_px: PointXY
    roll_deg: float
    crown_px: float
    chin_px: float

    def above_eyes(self, px: float) -> PointXY:
        """The point on the head's axis that lies so far above the eyes; below is negative."""
        roll = np.deg2rad(self.roll_deg)
        x, y = self.eyes_xy_px
        return x + px * float(np.sin(roll)), y - px * float(np.cos(roll))


def draw(
    *,
    eyes_xy_px: PointXY = (400.0, 450.0),
    apart_px: float = 100.0,
    roll_deg: float = 0.0,
    hair: float = 1.0,
    photo_size_px: SizeWH = (800, 1000),
    box_xyxy_px: BoxXYXY | None = None,
    cheeks: float | None = None,
) -> Person:
    """A person; ``hair`` is the height of the crown above the eyes per that of the skull, and
    ``cheeks`` the width of the face per distance of the pupils, where a mesh has seen it.

    The matte covers the box, or the whole photo.
    """
    roll = np.deg2rad(roll_deg)
    across = np.array([np.cos(roll), np.sin(roll)])
    down = np.array([-np.sin(roll), np.cos(roll)])
    eyes = np.array(eyes_xy_px)

    def point(x: float, y: float) -> PointXY:
        px, py = eyes + apart_px * (x * across + y * down)
        return float(px), float(py)

    corners = np.array(
        [eyes + apart_px * (x * across + y * down) for x in (-1, 1) for y in (-0.9, 1.6)]
    )
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    face = Face(
        (float(x0), float(y0), float(x1), float(y1)),
        point(-0.5, 0),
        point(0.5, 0),
        point(0, NOSE),
        point(-MOUTH_ASIDE, MOUTH),
        point(MOUTH_ASIDE, MOUTH),
        0.99,
        cheeks_xy_px=(point(-cheeks / 2, 0.3), point(cheeks / 2, 0.3)) if cheeks else None,
    )
    box = box_xyxy_px or (0.0, 0.0, float(photo_size_px[0]), float(photo_size_px[1]))
    x, y = _grid(box)
    x, y = x - eyes[0], y - eyes[1]
    alpha = _body(
        (x * across[0] + y * across[1]) / apart_px, (x * down[0] + y * down[1]) / apart_px, hair
    )
    crown_px, chin_px = SKULL * hair * apart_px, CHIN * apart_px
    return Person(face, Matte(alpha, box), photo_size_px, eyes_xy_px, roll_deg, crown_px, chin_px)


def _grid(box: BoxXYXY) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where the centres of the matte's pixels lie in the photo."""
    x0, y0, x1, y1 = box
    centres = (np.arange(SIDE_PX) + 0.5) / SIDE_PX
    x, y = np.meshgrid(x0 + centres * (x1 - x0), y0 + centres * (y1 - y0))
    return x, y


def _body(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], hair: float) -> Alpha:
    """Head, neck and shoulders, in pupil distances from the eyes along the head's axes."""
    height = np.where(y < 0, SKULL * hair, CHIN)
    head = (x / HEAD_ASIDE) ** 2 + (y / height) ** 2 < 1
    neck = (abs(x) < NECK_ASIDE) & (y > 0)
    shoulders = (abs(x) < SHOULDERS_ASIDE) & (y > SHOULDERS)
    return (head | neck | shoulders).astype(np.float32)
