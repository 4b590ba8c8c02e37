"""Looking for the one face of a photo: in a small picture, and again where that was too coarse."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.errors import UnusablePhoto
from pipeline.face import require_whole, the_one
from pipeline.resample import glance
from pipeline.values import Face, Photo, Rgb

FindFaces = Callable[[Rgb], Sequence[Face]]
HowDrawn = Callable[[Rgb, Face], float]
"""How much a face, found in the picture, looks drawn or painted: above 0 it does."""

FACE_SIDE_PX = 640
"""Longer side of the small picture."""
# None of 470 photos that the head was not made with reaches it, and three drawings in four do
# (docs/checks.md).
_CLEARLY_DRAWN = 0.15


def refusing(how_drawn: HowDrawn) -> HowDrawn:
    """The same, which raises UnusablePhoto (``not_a_photo``) where a face is clearly drawn."""

    def asked(rgb: Rgb, face: Face) -> float:
        drawn = how_drawn(rgb, face)
        if drawn > _CLEARLY_DRAWN:
            raise UnusablePhoto("not_a_photo", drawn=round(drawn, 2))
        return drawn

    return asked


def find_one(
    photo: Photo, small: Rgb, find_faces: FindFaces, how_drawn: HowDrawn | None = None
) -> Face:
    """The one face, in pixels of the photo, looked for in a small picture of it.

    Raises the errors of ``face``, and what ``how_drawn`` does.
    """
    width, height = small.shape[1], small.shape[0]
    face = the_one(find_faces(small), enlarge=photo.full_size_px[0] / width)
    require_whole(face, (width, height))
    if how_drawn is not None:
        face = replace(face, drawn=how_drawn(small, face))
    return face.scaled(photo.rgb.shape[1] / width, photo.rgb.shape[0] / height)


def find_again(photo: Photo, face: Face, find_faces: FindFaces) -> Face:
    """The same face by a look at its surroundings in the finer photo; as it was if none is seen."""
    x0, y0, x1, y1 = face.box_xyxy_px
    reach = 1.5 * max(x1 - x0, y1 - y0)
    left, top = max(0, int(x0 - reach)), max(0, int(y0 - reach))
    around = photo.rgb[top : int(y1 + reach), left : int(x1 + reach)]
    small = glance(around, FACE_SIDE_PX)
    zoom = around.shape[1] / small.shape[1]
    seen = [found.scaled(zoom, zoom).moved(left, top) for found in find_faces(small)]
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    inside = [s for s in seen if np.all(np.abs(np.array(s.nose_xy_px) - middle) < (y1 - y0) / 2)]
    return replace(inside[0], drawn=face.drawn) if inside else face
