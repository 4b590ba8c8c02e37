"""The answers of the matting nets to one matte."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.affine import apply, chain, inverse, onto
from pipeline.resample import warp
from pipeline.values import Alpha, Alpha8, BoxXYXY, Matrix, Matte, SizeWH, View

GRID_PX = 512
"""Longer side of a matte: no net sees finer."""

# A saliency net answers with nearly, not fully, 0 and 1 even where it is sure, and both nets' edges
# are softer than true ones: they are stretched about the middle by these factors.
_SALIENCY, _PERSON, _PERSON_ALONE = 1.3, 1.3, 1.6
# The difference up to which the saliency net is believed against the person net, that from which it
# is not; and how far from 0 and 1 the person net must be before the other one is fully believed.
_BELIEVED, _DISBELIEVED, _UNCERTAIN = 0.5, 1.0, 0.1
# A close view counts more the more it enlarges, and less towards its edges, so that no seam shows.
_MOST_WEIGHT, _FEATHER = 8.0, 0.15


def fuse(
    alphas: Mapping[str, Sequence[Alpha8]], views: Mapping[str, Sequence[View]], box: BoxXYXY
) -> Matte:
    """One matte of the photo's ``box`` from what each net, by its role, saw in each of its views.

    With a "person" and a "saliency" net the first one says what is a person, and the second one,
    whose edges are better, how the edge runs: where the first is uncertain and the two agree
    roughly. Of a single net the answer is taken as it is. All constants were chosen on the true
    alphas, see benchmarks/README.md.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    scale = GRID_PX / max(width, height)
    size_px = max(1, round(width * scale)), max(1, round(height * scale))
    seen = {role: _average(alphas[role], views[role], box, size_px) for role in views}
    person, saliency = seen.get("person"), seen.get("saliency")
    if person is None or saliency is None:
        (role, only) = next(iter(seen.items()))
        alpha = _stretched(only, _PERSON_ALONE if role == "person" else _SALIENCY)
    else:
        alpha = _blended(_stretched(person, _PERSON), _stretched(saliency, _SALIENCY))
    return Matte(alpha, box)


def _blended(person: Alpha, saliency: Alpha) -> Alpha:
    apart = np.abs(person - saliency)
    believed = np.clip((_DISBELIEVED - apart) / (_DISBELIEVED - _BELIEVED), 0, 1)
    uncertain = np.clip(np.minimum(person, 1 - person) / _UNCERTAIN, 0, 1)
    return np.asarray(person + believed * uncertain * (saliency - person), np.float32)


def _stretched(alpha: Alpha, factor: float) -> Alpha:
    return np.asarray(np.clip((alpha - 0.5) * factor + 0.5, 0, 1), np.float32)


def _average(
    alphas: Sequence[Alpha8], views: Sequence[View], box: BoxXYXY, size_px: SizeWH
) -> Alpha:
    """What one net says on the grid: the mean of its views, of which the first covers all of it."""
    grid = onto(box, size_px)
    total = np.zeros((size_px[1], size_px[0]), np.float32)
    weights = np.zeros_like(total)
    for alpha, view in zip(alphas, views, strict=True):
        side_px = alpha.shape[0]
        from_view = inverse(onto(view.box_xyxy_px, (side_px, side_px)))
        weight = _weight(view.box_xyxy_px, views[0].box_xyxy_px, grid, size_px)
        seen = warp(np.asarray(alpha, np.float32) / 255, chain(from_view, grid), size_px)
        total += weight * seen
        weights += weight
    return np.asarray(np.clip(total / weights, 0, 1), np.float32)


def _weight(view: BoxXYXY, widest: BoxXYXY, grid: Matrix, size_px: SizeWH) -> Alpha:
    """How much a view counts at each pixel of the grid: 0 outside it, rising from its edges."""
    if view == widest:
        return np.ones((size_px[1], size_px[0]), np.float32)
    enlarges = max(widest[2] - widest[0], widest[3] - widest[1]) / (view[2] - view[0])
    (x0, y0), (x1, y1) = apply(grid, np.reshape(view, (2, 2)))
    columns, rows = np.arange(size_px[0]) + 0.5, np.arange(size_px[1]) + 0.5
    feather = _FEATHER * (x1 - x0)
    # An edge that is also the widest view's is no seam.
    left = np.inf if view[0] <= widest[0] else (columns - x0) / feather
    right = np.inf if view[2] >= widest[2] else (x1 - columns) / feather
    top = np.inf if view[1] <= widest[1] else (rows - y0) / feather
    bottom = np.inf if view[3] >= widest[3] else (y1 - rows) / feather
    across = np.clip(np.minimum(left, right) * np.ones_like(columns), 0, 1)
    down = np.clip(np.minimum(top, bottom) * np.ones_like(rows), 0, 1)
    down *= min(enlarges, _MOST_WEIGHT)
    return np.outer(down.astype(np.float32), across.astype(np.float32))
