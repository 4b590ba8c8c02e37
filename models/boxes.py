"""Arithmetic of boxes, which are rows of (x0, y0, x1, y1)."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

NO_BOXES = np.zeros((0, 4), np.float32)


def moved(boxes: Array, moves: Array) -> Array:
    """The boxes with each edge moved by a fraction of the box's size."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + moves * np.concatenate([size, size], axis=1), np.float32)


def squared(boxes: Array) -> Array:
    """Squares on the boxes' centres, with the longer side."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def overlaps(boxes: Array, others: Array, of_smaller: bool = False) -> Array:
    """Intersection over union, or over the smaller box, of each box with each other one, NxM."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    size = np.maximum(high - low, 0)
    shared = size[..., 0] * size[..., 1]
    area, other = _areas(boxes)[:, None], _areas(others)[None]
    whole = np.minimum(area, other) if of_smaller else area + other - shared
    return np.asarray(shared / np.maximum(whole, np.float32(1e-6)), np.float32)


def suppress(
    boxes: Array, scores: Array, most: float, of_smaller: bool = False
) -> npt.NDArray[np.intp]:
    """Indices of the boxes that no better one overlaps by more than ``most``, best first."""
    order = np.argsort(-scores)
    if len(order) < 2:
        return order
    ranked = boxes[order]
    close = overlaps(ranked, ranked, of_smaller) > most
    free = np.ones(len(order), np.bool_)
    for place in range(len(order)):
        if free[place]:
            free[place + 1 :] &= ~close[place, place + 1 :]
    return order[free]


def _areas(boxes: Array) -> Array:
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(size[:, 0] * size[:, 1], np.float32)
