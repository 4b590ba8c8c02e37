"""Whether a matte can be believed, and how it looks at a crop."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.affine import apply, chain, inverse, onto
from pipeline.errors import UnusablePhoto
from pipeline.resample import warp
from pipeline.values import Alpha, CropPlan, Face, Head, Matrix, Matte, SizeWH

# A face that the matte covers less than this, or a matte that takes nearly everything, is a failure
# of the nets: a photo cut by it would show a transparent face or the old background. So is a head
# with large holes; of two hundred good mattes none lacked more than a sixth of it.
_FACE_COVER = 0.85
_EVERYTHING = 0.97
_HEAD_HOLES = 0.3
_SUBJECT = (0.005, 0.995)
# Alpha that still connects a strand of hair to the head.
_CONNECTED = 0.1
# The certainty above which nearly all mattes are right, and that below which most are wrong. See
# benchmarks/README.md.
CERTAIN = 0.925
_CERTAINTY = 0.85
# Head and shoulders, in head heights from the eyes: what every crop shows.
_BUST_ASIDE, _BUST_UP, _BUST_DOWN = 1.4, 1.2, 1.6
# The part of an upright head that hair never leaves free, in shares of what lies above and below
# the eyes, and its half width in head heights.
_HEAD_UP, _HEAD_DOWN, _HEAD_ASIDE = 0.75, 0.9, 0.3


def keep_person(matte: Matte, face: Face, head: Head) -> Matte:
    """The matte without what is not connected to the person of this face.

    ``head`` is that of the face by its landmarks alone. Raises UnusablePhoto
    (``matte_unreliable``) when it cannot be the matte of that person.
    """
    (x0, y0), (x1, y1) = apply(onto_grid(matte), np.reshape(face.box_xyxy_px, (2, 2)))
    # The inner half: the box's corners hold background beside a round face.
    inset_x, inset_y = (x1 - x0) / 4, (y1 - y0) / 4
    rows = slice(max(0, int(y0 + inset_y)), max(0, int(y1 - inset_y) + 1))
    columns = slice(max(0, int(x0 + inset_x)), max(0, int(x1 - inset_x) + 1))
    inner = matte.alpha[rows, columns]
    missed = not inner.size or float(inner.mean()) < _FACE_COVER
    if missed or float(matte.alpha.mean()) > _EVERYTHING or _holes(matte, head) > _HEAD_HOLES:
        raise UnusablePhoto("matte_unreliable")
    _, labels = cv2.connectedComponents((matte.alpha > _CONNECTED).astype(np.uint8))
    pieces = np.asarray(labels)
    under_face = np.bincount(pieces[rows, columns].ravel())
    under_face[0] = 0
    person = (pieces == under_face.argmax()).astype(np.uint8)
    # The person's own faint edge goes on a little beyond what connects.
    near = cv2.dilate(person, np.ones((5, 5), np.uint8))
    kept = Matte(matte.alpha * np.asarray(near, np.float32), matte.box_xyxy_px)
    if certainty(kept, head) < _CERTAINTY:
        raise UnusablePhoto("matte_unreliable")
    return kept


def certainty(matte: Matte, head: Head) -> float:
    """How sure the nets were of head and shoulders, 0..1: 1 less the half-transparent share of
    the person, 4 alpha (1 - alpha) summed over alpha.

    Of all signs that were tried it tells wrong mattes best; see benchmarks/README.md.
    """
    bust = matte.alpha[_bust(matte, head)]
    person = float(bust.sum())
    # The same by one sum of squares.
    return 4 * cv2.norm(bust, cv2.NORM_L2SQR) / person - 3 if person else 0.0


def difference(matte: Matte, other: Matte, head: Head) -> float:
    """How far two mattes on the same grid are apart in head and shoulders, per person of the first:
    0 where they agree, 1 where one of them shows nobody.
    """
    rows, columns = _bust(matte, head)
    person = float(matte.alpha[rows, columns].sum())
    apart = np.abs(matte.alpha[rows, columns] - other.alpha[rows, columns])
    return float(apart.sum()) / person if person else 1.0


def _bust(matte: Matte, head: Head) -> tuple[slice, slice]:
    """Rows and columns of the matte that show head and shoulders."""
    x, y, size_px = _in_grid(matte, head)
    top, left = max(0, int(y - _BUST_UP * size_px)), max(0, int(x - _BUST_ASIDE * size_px))
    bottom, right = int(y + _BUST_DOWN * size_px) + 1, int(x + _BUST_ASIDE * size_px) + 1
    return slice(top, bottom), slice(left, right)


def _holes(matte: Matte, head: Head) -> float:
    """Share of the head that is rather background."""
    x, y, size_px = _in_grid(matte, head)
    per_px = size_px / head.height_px
    up = _HEAD_UP * head.crown_above_eyes_px * per_px
    down = _HEAD_DOWN * head.chin_below_eyes_px * per_px
    roll = math.radians(head.roll_deg)
    middle = (down - up) / 2
    centre = x - middle * math.sin(roll), y + middle * math.cos(roll)
    axes = 2 * _HEAD_ASIDE * size_px, up + down
    inside = np.zeros(matte.alpha.shape, np.uint8)
    cv2.ellipse(inside, (centre, axes, head.roll_deg), 1, thickness=-1)
    values = matte.alpha[inside > 0]
    return float((values < 0.5).mean()) if values.size else 1.0


def _in_grid(matte: Matte, head: Head) -> tuple[float, float, float]:
    """The midpoint of the eyes and the head's height, in pixels of the matte."""
    to_grid = onto_grid(matte)
    ((x, y),) = apply(to_grid, head.eyes_xy_px)
    return float(x), float(y), head.height_px * float(to_grid[1, 1])


def check_subject(matte: Matte) -> None:
    """Raises UnusablePhoto (``no_subject``) when the matte is empty or everything."""
    low, high = _SUBJECT
    if not low < float(matte.alpha.mean()) < high:
        raise UnusablePhoto("no_subject")


def onto_grid(matte: Matte) -> Matrix:
    """From photo pixels to pixels of the matte."""
    return onto(matte.box_xyxy_px, matte.size_px)


def render(matte: Matte, plan: CropPlan, photo_size_px: SizeWH) -> tuple[Alpha, float]:
    """Alpha at the crop's resolution, 0 outside the photo; and the share of the frame that lies
    outside the photo although the person goes on there.
    """
    alpha = warp(matte.alpha, chain(inverse(onto_grid(matte)), plan.matrix), plan.size_px)
    alpha = np.clip(alpha, 0, 1)
    if _holds(plan, photo_size_px):
        return alpha, 0.0
    outside = ~_inside(plan, photo_size_px)
    cut = float((outside & (alpha > 0.5)).mean())
    return np.where(outside, np.float32(0), alpha), cut


def _holds(plan: CropPlan, photo_size_px: SizeWH) -> bool:
    """Whether the whole frame lies inside the photo, as its corners then do."""
    width, height = plan.size_px
    corners = apply(inverse(plan.matrix), [(0, 0), (width, 0), (0, height), (width, height)])
    return bool(np.all(corners >= 0) and np.all(corners <= photo_size_px))


def _inside(plan: CropPlan, photo_size_px: SizeWH) -> npt.NDArray[np.bool_]:
    """Which output pixels have their centre inside the photo, HxW."""
    width, height = plan.size_px
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    back = inverse(plan.matrix)
    x = np.add.outer(back[0, 1] * rows + back[0, 2], back[0, 0] * columns)
    y = np.add.outer(back[1, 1] * rows + back[1, 2], back[1, 0] * columns)
    inside: npt.NDArray[np.bool_] = (
        (x >= 0) & (y >= 0) & (x <= photo_size_px[0]) & (y <= photo_size_px[1])
    )
    return inside
