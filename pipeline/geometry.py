"""From the face and the matte to the crop that a document's rule asks for.

The head is measured along its own axis: a line through the midpoint of the eyes, at right angles to
the eye line.
"""

import math

import numpy as np

from pipeline.affine import apply, chain, inverse, onto, similarity
from pipeline.resample import warp
from pipeline.values import (
    Bounds,
    BoxXYXY,
    CropPlan,
    Document,
    Face,
    Head,
    Matte,
    Nudge,
    Placement,
    SizeWH,
)

# Where no mesh has seen the chin: its distance from the eyes by the detector's landmarks. Fitted to
# the thirty portraits of benchmarks/landmarks.csv, where the larger of the two is right to 7 % (one
# standard deviation). The vertex lies a little farther above the pupils than the chin below them.
_CHIN_PER_INTERPUPILLARY = 1.76
_CHIN_PER_EYES_TO_MOUTH = 1.62
_SKULL_PER_CHIN = 1.05
_CHIN_LIMITS = (0.75, 1.3)

# Hair adds to the skull, up to this factor of the height above the eyes; a bald or bowed head may
# fall short.
_CROWN_LIMITS = (0.85, 1.7)
# Columns of the head, from its axis, in which the crown is looked for, per chin distance; and the
# share of them that the topmost row of the head must cover. A single flying strand is no crown.
_CROWN_HALF_WIDTH = 0.42
_CROWN_COVER = 0.2
_PATCH_CHIN_PX = 40

# Where a rule names neither eye line nor top margin: bounds of the margin above the crown, and the
# share of the free height that goes there (a 2/3 head leaves 1/9 of the photo above, as studios
# do).
_FREE_TOP = (0.03, 0.25)
_FREE_TOP_SHARE = 0.36
# A head that lies on a bound is measured beyond it by every other ruler.
_INSIDE = 1.01


def estimate_head(face: Face) -> Head:
    """The head by its landmarks alone; the crown is that of an average skull."""
    (lx, ly), (rx, ry) = face.left_eye_xy_px, face.right_eye_xy_px
    eyes = ((lx + rx) / 2, (ly + ry) / 2)
    mouth_x = (face.left_mouth_xy_px[0] + face.right_mouth_xy_px[0]) / 2
    mouth_y = (face.left_mouth_xy_px[1] + face.right_mouth_xy_px[1]) / 2
    roll = math.atan2(ry - ly, rx - lx)
    eyes_to_mouth = (mouth_y - eyes[1]) * math.cos(roll) - (mouth_x - eyes[0]) * math.sin(roll)
    interpupillary = math.hypot(rx - lx, ry - ly)
    # A turned head brings the eyes together, and a smile lifts the corners of the mouth.
    guess = max(interpupillary * _CHIN_PER_INTERPUPILLARY, eyes_to_mouth * _CHIN_PER_EYES_TO_MOUTH)
    chin = guess
    if face.chin_xy_px is not None:
        x, y = face.chin_xy_px[0] - eyes[0], face.chin_xy_px[1] - eyes[1]
        seen = y * math.cos(roll) - x * math.sin(roll)
        # Far from the guess it is another thing than a chin.
        chin = min(max(seen, guess * _CHIN_LIMITS[0]), guess * _CHIN_LIMITS[1])
    return Head(eyes, math.degrees(roll), chin * _SKULL_PER_CHIN, chin, interpupillary)


def measure_head(face: Face, matte: Matte) -> Head:
    """The head with its crown at the top of the hair (or hat) as the matte shows it."""
    skull = estimate_head(face)
    least, most = (skull.crown_above_eyes_px * limit for limit in _CROWN_LIMITS)
    scale = _PATCH_CHIN_PX / skull.chin_below_eyes_px
    half_px = round(_PATCH_CHIN_PX * _CROWN_HALF_WIDTH)
    rows_px = math.ceil(most * scale)
    upright = similarity(skull.eyes_xy_px, (half_px, rows_px), scale, skull.roll_deg)
    from_grid = inverse(onto(matte.box_xyxy_px, matte.size_px))
    patch = warp(matte.alpha, chain(from_grid, upright), (2 * half_px, rows_px))
    covered = (patch > 0.5).mean(axis=1) >= _CROWN_COVER
    bare = np.flatnonzero(~covered[: rows_px - round(least * scale)])
    crown = (rows_px - 1 - bare[-1]) / scale if bare.size else most
    # The matte is continued above the photo's edge; the head we have ends there.
    edge = skull.eyes_xy_px[1] / math.cos(math.radians(skull.roll_deg))
    return Head(
        skull.eyes_xy_px,
        skull.roll_deg,
        float(min(max(crown, least), edge)),
        skull.chin_below_eyes_px,
        skull.interpupillary_px,
    )


def needed_scale(head: Head, document: Document) -> float:
    """Output pixels per photo pixel of this document's crop, about."""
    return document.head_height.target * document.size_px[1] / head.height_px


def reach(
    head: Head,
    documents: tuple[Document, ...],
    photo_size_px: SizeWH,
    nudge: Nudge | None = None,
    *,
    measured: bool = False,
) -> BoxXYXY:
    """The box of the photo that no crop of these documents leaves, whatever crown the matte will
    show; with a head that was ``measured`` by its matte, the box for that crown. The ``nudge`` may
    be as large as this one, in either direction.
    """
    highest = 1.0 if measured else _CROWN_LIMITS[1]
    tallest = head.chin_below_eyes_px + head.crown_above_eyes_px * highest
    nudge = nudge or Nudge()
    turn_deg = abs(head.roll_deg) + abs(nudge.turn)
    tilt = math.sin(math.radians(min(turn_deg, 90)))
    down, right = abs(nudge.shift_y) / 100, abs(nudge.shift_x) / 100
    along = aside = 0.0
    for document in documents:
        height = tallest / (document.head_height.min * min(1, nudge.zoom))
        width = height * document.size_px[0] / document.size_px[1]
        half, most = (0.5 + right) * width, (0.8 + down) * height
        along = max(along, most + tilt * half)
        aside = max(aside, half + tilt * most)
    x, y = head.eyes_xy_px
    width_px, height_px = photo_size_px
    return (
        max(0.0, x - aside),
        max(0.0, y - along),
        min(float(width_px), x + aside),
        min(float(height_px), y + along),
    )


def plan_crop(face: Face, head: Head, document: Document, photo_size_px: SizeWH) -> CropPlan:
    """The crop that puts the head, as ``measure_head`` sees it, where the document wants it.

    The eyes come level and the face is centred. The head height starts at the rule's target, moves
    inside its bounds towards a lawful width of the face where the rule names one, and grows to its
    maximum where the photo would otherwise end above the lower edge of the frame. The eye line wins
    over the margin above the crown when both cannot hold.
    """
    crown = _crown(face, head, document)
    width, height = document.size_px
    # From the eyes down to where the photo ends, along the head's axis; and what a tilted lower
    # edge adds to that.
    roll = math.radians(head.roll_deg)
    below = (photo_size_px[1] - head.eyes_xy_px[1]) / math.cos(roll)
    slant_px = abs(math.tan(roll)) * width / 2

    def place(head_height: float) -> tuple[float, float, bool]:
        scale = head_height * height / (crown + head.chin_below_eyes_px)
        highest_row = height + slant_px - below * scale
        low, wanted, high = _eye_rows(document, head_height, crown * scale)
        eye_row = min(max(wanted, highest_row, low), high)
        return scale, eye_row, eye_row >= highest_row

    bounds = document.head_height
    wanted = _wanted_height(face, crown + head.chin_below_eyes_px, document)
    tries = [
        place(float(share)) for share in np.linspace(wanted, max(wanted, bounds.max / _INSIDE), 6)
    ]
    scale, eye_row, _ = next((found for found in tries if found[2]), tries[0])
    matrix = similarity(head.eyes_xy_px, (width / 2, eye_row), scale, head.roll_deg)
    return CropPlan(matrix, document.size_px, float(scale))


def place_in(plan: CropPlan, face: Face, head: Head, document: Document) -> Placement:
    """Where the head comes to lie in the picture of ``plan``, by the document's crown."""
    width, height = plan.size_px
    crown = _crown(face, head, document) * plan.scale
    ((eye_x, eye_row),) = apply(plan.matrix, head.eyes_xy_px)
    cheeks = face.cheeks_xy_px
    return Placement(
        head_height=(crown + head.chin_below_eyes_px * plan.scale) / height,
        eye_line=float(1 - eye_row / height),
        top_margin=float(eye_row - crown) / height,
        centre=float(eye_x) / width,
        face_width=math.dist(*cheeks) * plan.scale / width if cheeks else None,
    )


def _crown(face: Face, head: Head, document: Document) -> float:
    """From the eyes up to the crown that the document means, in photo pixels."""
    if document.crown == "hair":
        return head.crown_above_eyes_px
    return min(head.crown_above_eyes_px, estimate_head(face).crown_above_eyes_px)


def _wanted_height(face: Face, head_px: float, document: Document) -> float:
    """The head height to aim at: the target, moved inside its bounds to a lawful face width."""
    bounds, widths = document.head_height, document.face_width
    if widths is None or face.cheeks_xy_px is None:
        return bounds.target
    width, height = document.size_px
    # Share of the width that the face takes, per share of the height that the head takes.
    wide = math.dist(*face.cheeks_xy_px) / head_px * height / width
    lawful = min(max(bounds.target, _INSIDE * widths.min / wide), widths.max / wide / _INSIDE)
    return min(max(lawful, _INSIDE * bounds.min), bounds.max / _INSIDE)


def _eye_rows(
    document: Document, head_height: float, crown_px: float
) -> tuple[float, float, float]:
    """Lowest, wanted and highest permitted row of the eye line, in output pixels from the top."""
    height = document.size_px[1]
    margin = document.top_margin or Bounds(
        *_FREE_TOP, min(max((1 - head_height) * _FREE_TOP_SHARE, _FREE_TOP[0]), _FREE_TOP[1])
    )
    low, wanted, high = (
        share * height + crown_px for share in (margin.min, margin.target, margin.max)
    )
    if document.eye_line is None:
        return low, wanted, high
    line = document.eye_line
    eye_low, eye_high = height * (1 - line.max), height * (1 - line.min)
    if document.top_margin is None:
        wanted = height * (1 - line.target)
    # Inside both where that can be, else at the end of the eye line's interval that is nearer.
    low, wanted, high = (
        min(max(row, eye_low), eye_high) for row in (low, min(max(wanted, low), high), high)
    )
    return low, wanted, high
