"""Which face an ID photo is of."""

import math
from collections.abc import Sequence

from pipeline.errors import UnusablePhoto
from pipeline.values import Face, SizeWH

# A face half as large as the main one is a second person; smaller ones are passers-by, posters or
# mistakes of the detector, and the crop leaves most of them outside.
SECOND_PERSON = 0.5
MIN_EYES_APART_PX = 16

# How much of the face may lie beyond the photo's edge, in distances of the eyes. The mesh goes on
# outside the photo; where less is missing it is hair and an ear, or within the mesh's error.
_CHEEK_OUTSIDE, _CHIN_OUTSIDE = 0.3, 0.25
# The crown lies about 1.8 above the eyes: here half of the forehead is missing.
_EYES_BELOW_EDGE = 0.9


def the_one(faces: Sequence[Face], enlarge: float = 1.0) -> Face:
    """The only person's face.

    ``enlarge`` is how many pixels of the original one pixel of the faces' picture stands for.
    Raises UnusablePhoto: ``no_face``, ``several_faces`` or ``face_too_small``.
    """
    if not faces:
        raise UnusablePhoto("no_face")
    largest, *others = sorted(faces, key=lambda face: face.height_px, reverse=True)
    count = 1 + sum(face.height_px >= SECOND_PERSON * largest.height_px for face in others)
    if count > 1:
        raise UnusablePhoto("several_faces", count=count)
    eyes_px = math.dist(largest.left_eye_xy_px, largest.right_eye_xy_px) * enlarge
    if eyes_px < MIN_EYES_APART_PX:
        raise UnusablePhoto("face_too_small", eyes_px=round(eyes_px), limit_px=MIN_EYES_APART_PX)
    return largest


def require_whole(face: Face, size_px: SizeWH) -> None:
    """Raises UnusablePhoto (``face_cut``) where a part of the face lies outside its picture, which
    has that size.
    """
    (left_x, left_y), (right_x, right_y) = face.left_eye_xy_px, face.right_eye_xy_px
    apart_px = math.hypot(right_x - left_x, right_y - left_y)
    cut = min(left_y, right_y) < _EYES_BELOW_EDGE * apart_px
    if face.chin_xy_px is not None:
        cut |= face.chin_xy_px[1] - size_px[1] > _CHIN_OUTSIDE * apart_px
    for x, _ in face.cheeks_xy_px or ():
        cut |= max(-x, x - size_px[0]) > _CHEEK_OUTSIDE * apart_px
    if cut:
        raise UnusablePhoto("face_cut")
