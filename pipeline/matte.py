"""The matting nets' answers to one matte, its check against the face, and its rendering at a
crop.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.affine import apply, chain, inverse, stretch
from pipeline.errors import UnusablePhoto
from pipeline.resample import warp
from pipeline.values import Alpha, Alpha8, CropPlan, Face, Matte, SizeWH

# A saliency net answers with nearly, not fully, 0 and 1 even where it is sure.
_SURE = (0.04, 0.96)
# A face that the matte covers less than this, or a matte that takes nearly everything, is a failure
# of the net: a photo cut by it would show a transparent face or the old background.
_FACE_COVER = 0.85
_EVERYTHING = 0.97
_SUBJECT = (0.005, 0.995)


def fuse(alphas: Mapping[str, Alpha8], photo_size_px: SizeWH) -> Matte:
    """One matte from the nets' alphas (square, uint8, by net name)."""
    if len(alphas) != 1:
        raise ValueError(f"one net expected, got {sorted(alphas)}")
    (alpha,) = alphas.values()
    low, high = _SURE
    sharp = (alpha.astype(np.float32) / 255 - low) / (high - low)
    return Matte(np.clip(sharp, 0.0, 1.0), photo_size_px)


def check_person(matte: Matte, face: Face) -> None:
    """Raises UnusablePhoto (``matte_unreliable``) when the matte cannot be that of this face's
    person.
    """
    side_px = matte.alpha.shape[0]
    corners = np.reshape(face.box_xyxy_px, (2, 2))
    (x0, y0), (x1, y1) = apply(stretch(matte.photo_size_px, (side_px, side_px)), corners)
    # The inner half: the box's corners hold background beside a round face.
    inset_x, inset_y = (x1 - x0) / 4, (y1 - y0) / 4
    rows = slice(max(0, int(y0 + inset_y)), max(1, int(y1 - inset_y) + 1))
    columns = slice(max(0, int(x0 + inset_x)), max(1, int(x1 - inset_x) + 1))
    face_cover = float(matte.alpha[rows, columns].mean())
    if face_cover < _FACE_COVER or float(matte.alpha.mean()) > _EVERYTHING:
        raise UnusablePhoto("matte_unreliable")


def check_subject(matte: Matte) -> None:
    """Raises UnusablePhoto (``no_subject``) when the matte is empty or everything."""
    low, high = _SUBJECT
    if not low < float(matte.alpha.mean()) < high:
        raise UnusablePhoto("no_subject")


def render(matte: Matte, plan: CropPlan) -> tuple[Alpha, float]:
    """Alpha at the crop's resolution, 0 outside the photo; and the share of the frame that lies
    outside the photo although the person goes on there.
    """
    side_px = matte.alpha.shape[0]
    onto_alpha = stretch(matte.photo_size_px, (side_px, side_px))
    alpha = np.clip(warp(matte.alpha, chain(inverse(onto_alpha), plan.matrix), plan.size_px), 0, 1)
    outside = ~_inside(plan, matte.photo_size_px)
    cut = float((outside & (alpha > 0.5)).mean())
    return np.where(outside, np.float32(0), alpha), cut


def _inside(plan: CropPlan, photo_size_px: SizeWH) -> "np.typing.NDArray[np.bool_]":
    """Which output pixels have their centre inside the photo, HxW."""
    width, height = plan.size_px
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    back = inverse(plan.matrix)
    x = back[0, 0] * columns + back[0, 1] * rows + back[0, 2]
    y = back[1, 0] * columns + back[1, 1] * rows + back[1, 2]
    inside: np.typing.NDArray[np.bool_] = (
        (x >= 0) & (y >= 0) & (x <= photo_size_px[0]) & (y <= photo_size_px[1])
    )
    return inside
