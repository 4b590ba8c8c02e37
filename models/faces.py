"""Finding faces with MTCNN: three small nets, each of which looks closer at what the one before let
through.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
2016. Unlike there the scales are searched from coarse to fine, and only as far as faces matter.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.boxes import NO_BOXES, Array, moved, overlaps, squared, suppress
from models.halvings import Halvings
from models.prelu import open_replaced
from models.session import SessionOptions
from pipeline.values import Face, Rgb

# The first net sees windows of 12 px, two pixels apart, at every scale of a pyramid.
_WINDOW_PX, _STRIDE_PX = 12, 2
_PYRAMID_STEP = math.sqrt(0.5)
_CANDIDATES_PER_SCALE = 400
_SCORES = (0.6, 0.7, 0.9)
# The first pass looks for faces of a sixth of the picture's shorter side and larger ones. Once one
# is found, windows of half its height are enough: faces below that do not count.
_FIRST_PASS, _COUNTS = 1 / 6, 0.5
_SAME_FACE = 0.7


class _Found(NamedTuple):
    boxes: Array
    """Nx4."""
    points: Array
    """Nx5x2."""
    scores: Array
    """N."""

    def and_(self, other: "_Found") -> "_Found":
        return _Found(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


_NOTHING = _Found(NO_BOXES, np.zeros((0, 5, 2), np.float32), np.zeros(0, np.float32))


class FaceDetector:
    """Faces with five landmarks, on the CPU: the nets are too small to be worth a trip to a GPU."""

    def __init__(self, files: dict[str, Path], threads: int = 1) -> None:
        options = SessionOptions(device="cpu", threads=threads)
        self._propose, self._refine, self._locate = (
            open_replaced(files[name], options) for name in ("pnet", "rnet", "onet")
        )

    def find(self, rgb: Rgb, min_side_px: int = 28) -> list[Face]:
        """The largest face and all that are at least half as high, best first, in pixels of
        ``rgb``; smaller ones may be among them, none of less than about ``min_side_px``.
        """
        picture, found = Halvings(rgb), _NOTHING
        short_px = min(rgb.shape[:2])
        sides_px = _windows_px(short_px, min_side_px)
        enough_px = short_px * _FIRST_PASS
        while sides_px:
            count = 1 + sum(side_px > enough_px for side_px in sides_px)
            now_px, sides_px = sides_px[:count], sides_px[count:]
            found = found.and_(self._look(picture, now_px, found.boxes))
            enough_px = _enough_px(found.boxes, now_px[-1])
            if now_px[-1] <= enough_px:
                break
        kept = suppress(found.boxes, found.scores, _SAME_FACE, of_smaller=True)
        return [_face(found.boxes[i], found.points[i], found.scores[i]) for i in kept]

    def _look(self, picture: Halvings, windows_px: Sequence[float], known: Array) -> _Found:
        """The faces that windows of these sides show, but for those in ``known`` boxes."""
        boxes = self._proposals(picture, windows_px, known)
        if not len(boxes):
            return _NOTHING
        moves, chances = self._refine.run(None, {"input": _planes(picture.patches(boxes, 24))})
        boxes, scores, moves = _confident(boxes, chances[:, 1], _SCORES[1], moves)
        kept = suppress(boxes, scores, 0.7)
        boxes = squared(moved(boxes[kept], moves[kept]))
        if not len(boxes):
            return _NOTHING
        patches = _planes(picture.patches(boxes, 48))
        points, moves, chances = self._locate.run(None, {"input": patches})
        boxes, scores, moves, points = _confident(boxes, chances[:, 1], _SCORES[2], moves, points)
        # Landmarks are fractions of the square that was looked at, not of the box that comes out.
        origin, side = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
        points = origin + side * points.reshape(-1, 2, 5).transpose(0, 2, 1)
        return _Found(moved(boxes, moves), points, scores)

    def _proposals(self, picture: Halvings, windows_px: Sequence[float], known: Array) -> Array:
        """Squares that may hold a face, Nx4."""
        found, found_scores = [NO_BOXES], [np.zeros(0, np.float32)]
        for window_px in windows_px:
            scale = _WINDOW_PX / window_px
            level = _planes(picture.shrunk(scale)[None])
            moves, chances = self._propose.run(None, {"input": level})
            boxes, scores = _likely(moves[0], chances[0, 1], scale)
            kept = suppress(boxes, scores, 0.5)
            found.append(boxes[kept])
            found_scores.append(scores[kept])
        boxes, scores = np.concatenate(found), np.concatenate(found_scores)
        if len(known):
            other = overlaps(boxes, known, of_smaller=True).max(axis=1) <= _SAME_FACE
            boxes, scores = boxes[other], scores[other]
        return squared(boxes[suppress(boxes, scores, 0.7)])


def _windows_px(short_px: int, min_side_px: int) -> list[float]:
    """Sides of the windows that fit into the picture, from large to small."""
    sides_px, side_px = [], float(min_side_px)
    while side_px <= short_px:
        sides_px.append(side_px)
        side_px /= _PYRAMID_STEP
    return sides_px[::-1]


def _enough_px(boxes: Array, last_px: float) -> float:
    """Side of the windows to go down to: half of the largest face, or of the last ones seen."""
    if not len(boxes):
        return last_px / 2
    return _COUNTS * float((boxes[:, 3] - boxes[:, 1]).max())


def _planes(pictures: Rgb) -> Array:
    """NxHxWx3 as the nets want it, Nx3xHxW."""
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).astype(np.float32)
    planes -= 127.5
    planes /= 128
    return planes


def _likely(moves: Array, chances: Array, scale: float) -> tuple[Array, Array]:
    """Boxes (Nx4, in pixels of the picture) and scores of the windows of one scale that may hold a
    face.
    """
    rows, columns = np.nonzero(chances > _SCORES[0])
    scores = chances[rows, columns]
    if len(scores) > _CANDIDATES_PER_SCALE:
        # Noise and foliage light up thousands of windows, and suppression is quadratic.
        best = np.argsort(-scores)[:_CANDIDATES_PER_SCALE]
        rows, columns, scores = rows[best], columns[best], scores[best]
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE_PX
    boxes = np.concatenate([corner, corner + _WINDOW_PX], axis=1) / scale
    return moved(np.asarray(boxes, np.float32), moves[:, rows, columns].T), scores


def _confident(boxes: Array, scores: Array, least: float, *more: Array) -> tuple[Array, ...]:
    sure = scores > least
    return boxes[sure], scores[sure], *(array[sure] for array in more)


def _face(box: Array, points: Array, score: np.float32) -> Face:
    x0, y0, x1, y1 = (float(edge) for edge in box)
    left_eye, right_eye, nose, left_mouth, right_mouth = ((float(x), float(y)) for x, y in points)
    return Face((x0, y0, x1, y1), left_eye, right_eye, nose, left_mouth, right_mouth, float(score))
