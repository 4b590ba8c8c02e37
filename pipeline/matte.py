"""Whether a matte can be believed, and how it looks at a crop."""

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.affine import apply, chain, inverse, onto
from pipeline.errors import UnusablePhoto
from pipeline.resample import warp
from pipeline.values import Alpha, CropPlan, Face, Matrix, Matte, SizeWH

# A face that the matte covers less than this, or a matte that takes nearly everything, is a failure
# of the nets: a photo cut by it would show a transparent face or the old background.
_FACE_COVER = 0.85
_EVERYTHING = 0.97
_SUBJECT = (0.005, 0.995)
# Alpha that still connects a strand of hair to the head.
_CONNECTED = 0.1


def keep_person(matte: Matte, face: Face) -> Matte:
    """The matte without what is not connected to the person of this face.

    Raises UnusablePhoto (``matte_unreliable``) when it cannot be the matte of that person.
    """
    (x0, y0), (x1, y1) = apply(onto_grid(matte), np.reshape(face.box_xyxy_px, (2, 2)))
    # The inner half: the box's corners hold background beside a round face.
    inset_x, inset_y = (x1 - x0) / 4, (y1 - y0) / 4
    rows = slice(max(0, int(y0 + inset_y)), max(0, int(y1 - inset_y) + 1))
    columns = slice(max(0, int(x0 + inset_x)), max(0, int(x1 - inset_x) + 1))
    inner = matte.alpha[rows, columns]
    missed = not inner.size or float(inner.mean()) < _FACE_COVER
    if missed or float(matte.alpha.mean()) > _EVERYTHING:
        raise UnusablePhoto("matte_unreliable")
    _, labels = cv2.connectedComponents((matte.alpha > _CONNECTED).astype(np.uint8))
    pieces = np.asarray(labels)
    under_face = np.bincount(pieces[rows, columns].ravel())
    under_face[0] = 0
    person = (pieces == under_face.argmax()).astype(np.uint8)
    # The person's own faint edge goes on a little beyond what connects.
    near = cv2.dilate(person, np.ones((5, 5), np.uint8))
    return Matte(matte.alpha * np.asarray(near, np.float32), matte.box_xyxy_px)


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
    outside = ~_inside(plan, photo_size_px)
    cut = float((outside & (alpha > 0.5)).mean())
    return np.where(outside, np.float32(0), alpha), cut


def _inside(plan: CropPlan, photo_size_px: SizeWH) -> npt.NDArray[np.bool_]:
    """Which output pixels have their centre inside the photo, HxW."""
    width, height = plan.size_px
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    back = inverse(plan.matrix)
    x = back[0, 0] * columns + back[0, 1] * rows + back[0, 2]
    y = back[1, 0] * columns + back[1, 1] * rows + back[1, 2]
    inside: npt.NDArray[np.bool_] = (
        (x >= 0) & (y >= 0) & (x <= photo_size_px[0]) & (y <= photo_size_px[1])
    )
    return inside
