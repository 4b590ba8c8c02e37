"""Which face an ID photo is of."""

import math
from collections.abc import Sequence

from pipeline.errors import UnusablePhoto
from pipeline.values import Face

# A face half as large as the main one is a second person; smaller ones are passers-by, posters or
# mistakes of the detector, and the crop leaves most of them outside.
SECOND_PERSON = 0.5
MIN_EYES_APART_PX = 16


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
