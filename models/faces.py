"""Finding faces with MTCNN: three small nets, each of which looks closer at what the one before let
through.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
2016.
"""

import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.session import SessionOptions, open_session
from pipeline.values import Face, Rgb

_Array = npt.NDArray[np.float32]

# The first net sees windows of 12 px, two pixels apart, at every scale of a pyramid.
_WINDOW_PX, _STRIDE_PX = 12, 2
_PYRAMID_STEP = math.sqrt(0.5)
_CANDIDATES_PER_SCALE = 400
_SCORES = (0.6, 0.7, 0.9)
_NO_BOXES = np.zeros((0, 4), np.float32)


class FaceDetector:
    """Faces with five landmarks, on the CPU: the nets are too small to be worth a trip to a GPU."""

    def __init__(self, files: dict[str, Path], threads: int = 1) -> None:
        options = SessionOptions(device="cpu", threads=threads)
        self._propose, self._refine, self._locate = (
            open_session(files[name], options) for name in ("pnet", "rnet", "onet")
        )

    def find(self, rgb: Rgb, min_side_px: int = 28) -> list[Face]:
        """The faces of at least ``min_side_px``, best first, in pixels of ``rgb``."""
        picture = _normalise(rgb)
        boxes = self._proposals(picture, min_side_px)
        if not len(boxes):
            return []

        moves, chances = self._refine.run(None, {"input": _patches(picture, boxes, 24)})
        boxes, scores, moves = _confident(boxes, chances[:, 1], _SCORES[1], moves)
        kept = _suppress(boxes, scores, 0.7)
        boxes = _squared(_moved(boxes[kept], moves[kept]))
        if not len(boxes):
            return []

        points, moves, chances = self._locate.run(None, {"input": _patches(picture, boxes, 48)})
        boxes, scores, moves, points = _confident(boxes, chances[:, 1], _SCORES[2], moves, points)
        # Landmarks are fractions of the square that was looked at, not of the box that comes out.
        origin, side = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
        points = origin + side * points.reshape(-1, 2, 5).transpose(0, 2, 1)
        boxes = _moved(boxes, moves)
        kept = _suppress(boxes, scores, 0.7, of_smaller=True)
        return [_face(boxes[i], points[i], scores[i]) for i in kept]

    def _proposals(self, picture: _Array, min_side_px: int) -> _Array:
        """Squares that may hold a face, Nx4."""
        height, width = picture.shape[:2]
        scale = _WINDOW_PX / min_side_px
        found, found_scores = [_NO_BOXES], [np.zeros(0, np.float32)]
        while min(height, width) * scale >= _WINDOW_PX:
            size_px = math.ceil(width * scale), math.ceil(height * scale)
            level = np.asarray(cv2.resize(picture, size_px), np.float32)
            moves, chances = self._propose.run(None, {"input": _planes(level[None])})
            boxes, scores = _windows(moves[0], chances[0, 1], scale)
            kept = _suppress(boxes, scores, 0.5)
            found.append(boxes[kept])
            found_scores.append(scores[kept])
            scale *= _PYRAMID_STEP
        boxes, scores = np.concatenate(found), np.concatenate(found_scores)
        return _squared(boxes[_suppress(boxes, scores, 0.7)])


def _normalise(rgb: Rgb) -> _Array:
    return np.asarray((rgb.astype(np.float32) - 127.5) / 128, np.float32)


def _planes(pictures: _Array) -> _Array:
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))


def _windows(moves: _Array, chances: _Array, scale: float) -> tuple[_Array, _Array]:
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
    return _moved(np.asarray(boxes, np.float32), moves[:, rows, columns].T), scores


def _confident(boxes: _Array, scores: _Array, least: float, *more: _Array) -> tuple[_Array, ...]:
    sure = scores > least
    return boxes[sure], scores[sure], *(array[sure] for array in more)


def _moved(boxes: _Array, moves: _Array) -> _Array:
    """The boxes with each edge moved by a fraction of the box's size."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + moves * np.concatenate([size, size], axis=1), np.float32)


def _squared(boxes: _Array) -> _Array:
    """Squares on the boxes' centres, with the longer side."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _patches(picture: _Array, boxes: _Array, side_px: int) -> _Array:
    """The squares cut out and resized, Nx3xSxS; what lies outside the picture is grey."""
    height, width = picture.shape[:2]
    patches = np.zeros((len(boxes), side_px, side_px, 3), np.float32)
    for patch, box in zip(patches, boxes, strict=True):
        x0, y0, x1, y1 = np.rint(box).astype(int)
        inside = picture[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)]
        if not inside.size:
            continue
        square = cv2.copyMakeBorder(
            inside,
            max(-y0, 0),
            max(y1 - height, 0),
            max(-x0, 0),
            max(x1 - width, 0),
            cv2.BORDER_CONSTANT,
            value=(0, 0, 0),
        )
        cv2.resize(square, (side_px, side_px), dst=patch, interpolation=cv2.INTER_AREA)
    return _planes(patches)


def _suppress(
    boxes: _Array, scores: _Array, most: float, of_smaller: bool = False
) -> npt.NDArray[np.intp]:
    """Indices of the boxes that no better one overlaps by more than ``most``, best first.

    Overlap is intersection over union, or over the smaller box.
    """
    order = np.argsort(-scores)
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        if of_smaller:
            whole = np.minimum(area[best], area[rest])
        else:
            whole = area[best] + area[rest] - shared
        order = rest[shared <= most * whole]
    return np.asarray(kept, dtype=np.intp)


def _face(box: _Array, points: _Array, score: np.float32) -> Face:
    x0, y0, x1, y1 = (float(edge) for edge in box)
    left_eye, right_eye, nose, left_mouth, right_mouth = ((float(x), float(y)) for x, y in points)
    return Face((x0, y0, x1, y1), left_eye, right_eye, nose, left_mouth, right_mouth, float(score))
