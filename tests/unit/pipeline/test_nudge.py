"""Crops that are moved by hand, within the document's rule."""

import math
from dataclasses import astuple
from functools import cache

import pytest

from pipeline import documents, nudge
from pipeline.affine import apply, inverse
from pipeline.geometry import measure_head, place_in, plan_crop, reach
from pipeline.values import NUDGE_LIMITS, CropPlan, Document, Nudge, Placement
from tests.unit.pipeline import people
from tests.unit.pipeline.people import Person

draw = cache(people.draw)
FREE = documents.custom(size_px=(300, 400))
RULED = [documents.find(id) for id in ("cn-1-inch", "us-passport", "fr-passport", "ca-passport")]
EXTREMES = [
    Nudge(zoom, shift_x, shift_y, turn)
    for zoom in NUDGE_LIMITS["zoom"]
    for shift_x in NUDGE_LIMITS["shift_x"]
    for shift_y in NUDGE_LIMITS["shift_y"]
    for turn in NUDGE_LIMITS["turn"]
]


def moved(
    person: Person, document: Document, wanted: Nudge
) -> tuple[Placement, Placement, CropPlan, Nudge]:
    """Where the head lay, where it lies now, by which plan, and what was applied."""
    head, size_px = measure_head(person.face, person.matte), person.photo_size_px
    plan = plan_crop(person.face, head, document, size_px)
    before = place_in(plan, person.face, head, document)
    after, applied = nudge.nudged(plan, before, document, size_px, wanted)
    return before, place_in(after, person.face, head, document), after, applied


@pytest.mark.parametrize("wanted", EXTREMES)
def test_a_free_size_goes_anywhere(wanted: Nudge) -> None:
    before, after, plan, applied = moved(draw(), FREE, wanted)
    assert applied == wanted
    assert after.head_height == pytest.approx(before.head_height * wanted.zoom)
    assert after.centre - before.centre == pytest.approx(wanted.shift_x / 100)
    assert before.eye_line - after.eye_line == pytest.approx(wanted.shift_y / 100)
    # Clockwise as seen: what lies to the right of the eyes comes to lie lower.
    (x0, y0), (x1, y1) = apply(plan.matrix, [(400, 450), (500, 450)])
    assert math.degrees(math.atan2(y1 - y0, x1 - x0)) == pytest.approx(wanted.turn)


@pytest.mark.parametrize("document", RULED, ids=lambda document: document.id)
@pytest.mark.parametrize("wanted", [*EXTREMES, Nudge(), Nudge(1.02, 1, -1, 2)])
@pytest.mark.parametrize("hair", [0.9, 1.6])
def test_what_held_before_still_holds(document: Document, wanted: Nudge, hair: float) -> None:
    before, after, _, applied = moved(draw(hair=hair, cheeks=2.4), document, wanted)
    for share, now, bounds in (
        (before.head_height, after.head_height, document.head_height),
        (before.face_width, after.face_width, document.face_width),
        (before.eye_line, after.eye_line, document.eye_line),
        (before.top_margin, after.top_margin, document.top_margin),
    ):
        if bounds and share is not None and now is not None:
            assert min(share, bounds.min) - 1e-9 <= now <= max(share, bounds.max) + 1e-9
    assert after.head_height / before.head_height == pytest.approx(applied.zoom)
    assert before.eye_line - after.eye_line == pytest.approx(applied.shift_y / 100)
    assert (applied.shift_x, applied.turn) == (wanted.shift_x, wanted.turn)


@pytest.mark.parametrize("document", RULED, ids=lambda document: document.id)
def test_no_nudge_moves_nothing(document: Document) -> None:
    before, after, _, applied = moved(draw(), document, Nudge())
    assert astuple(after) == pytest.approx(astuple(before))
    assert (applied.zoom, applied.shift_y) == pytest.approx((1, 0), abs=1e-9)


@pytest.mark.parametrize(("zoom", "bound"), [(0.8, 0), (1.25, 1)])
def test_a_zoom_goes_as_far_as_the_rule(zoom: float, bound: int) -> None:
    document = documents.find("us-passport")
    limits = document.head_height.min, document.head_height.max
    _, after, _, applied = moved(draw(), document, Nudge(zoom))
    assert after.head_height == pytest.approx(limits[bound], rel=0.011)
    assert (applied.zoom - 1) * (zoom - 1) > 0


def test_the_frame_does_not_come_to_end_below_the_photo() -> None:
    document = documents.find("us-passport")
    # The photo ends so soon below the chin that the frame has nothing to spare.
    person = draw(photo_size_px=(800, 780))
    _, _, plan, applied = moved(person, document, Nudge(shift_y=-20))
    (_, row), _ = apply(plan.matrix, [(0, 780), (800, 780)])
    assert row >= plan.size_px[1] - 1
    assert applied.shift_y > -20


@pytest.mark.parametrize("document", [FREE, *RULED], ids=lambda document: document.id)
@pytest.mark.parametrize("wanted", EXTREMES)
@pytest.mark.parametrize("roll_deg", [0.0, 20.0])
def test_no_nudged_crop_leaves_its_reach(
    document: Document, wanted: Nudge, roll_deg: float
) -> None:
    person = draw(
        photo_size_px=(4000, 4000), eyes_xy_px=(2000.0, 2000.0), hair=1.2, roll_deg=roll_deg
    )
    head = measure_head(person.face, person.matte)
    _, _, plan, _ = moved(person, document, wanted)
    width, height = plan.size_px
    corners = apply(inverse(plan.matrix), [(0, 0), (width, 0), (0, height), (width, height)])
    for nudged_by in (wanted, nudge.WIDEST):
        box = reach(head, (document,), person.photo_size_px, nudged_by, measured=True)
        assert all(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in corners)
