"""A crop moved by a person's hand, as far as the document's rule allows.

What held before still holds: head height, width of the face, eye line and the margin above the
crown stay inside their bounds, or, where they were not, get no worse; and the frame does not come
to end below the photo, where it can help it. Free sizes have no rule and go anywhere.
"""

from collections.abc import Iterator

from pipeline.affine import apply, chain, similarity
from pipeline.values import (
    NUDGE_LIMITS,
    Bounds,
    CropPlan,
    Document,
    Matrix,
    Nudge,
    Placement,
    SizeWH,
)

WIDEST = Nudge(*(extreme[0] for extreme in NUDGE_LIMITS.values()))
"""The nudge that reaches furthest in the photo."""

# The id of free sizes, whose head rule is a proposal.
_FREE = "custom"
# As in ``geometry``: what lies on a bound is beyond it by every other ruler.
_INSIDE = 1.01
# A head without a rule for the margin above it is not to be cut by the frame.
_ANY_MARGIN = (0.0, 1.0)
_SLACK_PX = 0.5


def nudged(
    plan: CropPlan,
    placed: Placement,
    document: Document,
    photo_size_px: SizeWH,
    wanted: Nudge,
) -> tuple[CropPlan, Nudge]:
    """The plan, moved; and what was applied, the shifts being those of the midpoint of the eyes.

    ``placed`` says where the head lies by ``plan``. Zoom and turn are about the eyes.
    """
    if document.id == _FREE:
        return _moved(plan, placed, wanted), wanted
    zoom_least, zoom_most = _zooms(placed, document)
    zoom = min(max(wanted.zoom, zoom_least), zoom_most)
    row_least, row_most = _rows(placed, document, zoom)
    row = 1 - placed.eye_line
    there = min(max(row + wanted.shift_y / 100, row_least), row_most)
    applied = _shifted(wanted, zoom, there - row)
    height = plan.size_px[1]
    before = _below(plan.matrix, plan.size_px, photo_size_px)
    after = _below(_moved(plan, placed, applied).matrix, plan.size_px, photo_size_px)
    if before >= -_SLACK_PX > after:
        there = min(there - after / height, row_most)
        applied = _shifted(wanted, zoom, there - row)
    return _moved(plan, placed, applied), applied


def _shifted(wanted: Nudge, zoom: float, down: float) -> Nudge:
    return Nudge(zoom, wanted.shift_x, 100 * down, wanted.turn)


def _moved(plan: CropPlan, placed: Placement, nudge: Nudge) -> CropPlan:
    width, height = plan.size_px
    x, y = placed.centre * width, (1 - placed.eye_line) * height
    target = x + nudge.shift_x / 100 * width, y + nudge.shift_y / 100 * height
    matrix = chain(plan.matrix, similarity((x, y), target, nudge.zoom, -nudge.turn))
    return CropPlan(matrix, plan.size_px, plan.scale * nudge.zoom)


def _zooms(placed: Placement, document: Document) -> tuple[float, float]:
    """Least and most permitted factor on the head; 1 is among them."""
    limits = [(least, most) for least, most in _sizes(placed, document)]
    # Above that the head does not fit between the eye line's interval and the margin's.
    crown = 1 - placed.eye_line - placed.top_margin
    eye_least, eye_most = _eye_rows(placed, document)
    margin_least, margin_most = _margins(placed, document)
    if crown > 0:
        limits.append(((eye_least - margin_most) / crown, (eye_most - margin_least) / crown))
    return max(least for least, _ in limits), min(most for _, most in limits)


def _sizes(placed: Placement, document: Document) -> Iterator[tuple[float, float]]:
    for share, bounds in (
        (placed.head_height, document.head_height),
        (placed.face_width, document.face_width),
    ):
        if share and bounds:
            inside = Bounds(bounds.min * _INSIDE, bounds.max / _INSIDE, bounds.target)
            least, most = _held(inside.min, inside.max, share)
            yield least / share, most / share


def _rows(placed: Placement, document: Document, zoom: float) -> tuple[float, float]:
    """Highest and lowest permitted row of the eyes, as fractions of the height from the top."""
    crown = zoom * (1 - placed.eye_line - placed.top_margin)
    eye_least, eye_most = _eye_rows(placed, document)
    margin_least, margin_most = _margins(placed, document)
    return max(eye_least, margin_least + crown), min(eye_most, margin_most + crown)


def _eye_rows(placed: Placement, document: Document) -> tuple[float, float]:
    line = document.eye_line
    least, most = (1 - line.max, 1 - line.min) if line else (0.0, 1.0)
    return _held(least, most, 1 - placed.eye_line)


def _margins(placed: Placement, document: Document) -> tuple[float, float]:
    margin = document.top_margin
    least, most = (margin.min, margin.max) if margin else _ANY_MARGIN
    return _held(least, most, placed.top_margin)


def _held(least: float, most: float, now: float) -> tuple[float, float]:
    """The interval, widened to what is the case anyway."""
    return min(least, now), max(most, now)


def _below(matrix: Matrix, size_px: SizeWH, photo_size_px: SizeWH) -> float:
    """How many output pixels of photo there are below the frame's lower corners, the lesser of
    both; negative where the frame goes on and the photo does not.
    """
    width, height = size_px
    (x0, y0), (x1, y1) = apply(matrix, [(0, photo_size_px[1]), photo_size_px])
    rows = (y0 + (x - x0) * (y1 - y0) / (x1 - x0) for x in (0, width))
    return float(min(rows)) - height
