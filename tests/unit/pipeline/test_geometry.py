import math

import numpy as np
import pytest

from pipeline import documents
from pipeline.affine import apply, inverse
from pipeline.geometry import (
    estimate_head,
    measure_head,
    needed_scale,
    plan_crop,
    reach,
)
from pipeline.values import Bounds, CropPlan, Document, Face, Matte, SizeWH
from tests.unit.pipeline.people import Person, draw

OWN_RULES = [document for document in documents.all_documents() if not document.derived]
FAMILIES = [
    documents.find("finland-passport"),
    documents.find("us-green-card"),
    documents.find("thailand-passport"),
    documents.custom(size_mm=(51, 51)),
    documents.custom(size_px=(4096, 1000)),
    documents.custom(size_px=(500, 1500)),
]
ROLLS = [-25, -12, 0, 5, 25]
TURNED = pytest.mark.parametrize("roll_deg", ROLLS)


def ids(document: Document) -> str:
    return f"{document.id}-{document.size_px[0]}x{document.size_px[1]}"


EVERY_RULE = pytest.mark.parametrize("document", OWN_RULES + FAMILIES, ids=ids)


def mapped(plan: CropPlan, *points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in apply(plan.matrix, points)]


def planned(person: Person, document: Document) -> CropPlan:
    head = measure_head(person.face, person.matte)
    return plan_crop(person.face, head, document, person.photo_size_px)


def share(px: float, document: Document) -> float:
    return px / document.size_px[1]


def within(value: float, bounds: Bounds, slack: float = 0.001) -> bool:
    return bounds.min - slack <= value <= bounds.max + slack


# --- The head ------------------------------------------------------------------------------------


@TURNED
def test_the_landmarks_give_an_average_head(roll_deg: float) -> None:
    person = draw(roll_deg=roll_deg)
    head = estimate_head(person.face)
    assert head.eyes_xy_px == pytest.approx(person.eyes_xy_px)
    assert head.roll_deg == pytest.approx(roll_deg)
    assert head.interpupillary_px == pytest.approx(100)
    assert head.chin_below_eyes_px == pytest.approx(person.chin_px, rel=0.02)
    assert head.crown_above_eyes_px == pytest.approx(person.crown_px, rel=0.02)
    assert head.height_px == head.chin_below_eyes_px + head.crown_above_eyes_px


def test_a_turned_head_is_not_taken_for_a_short_one() -> None:
    """In a three-quarter view the eyes come together; eyes and mouth stay as far apart."""
    face = draw().face
    x, y = face.right_eye_xy_px
    turned = Face(
        face.box_xyxy_px,
        face.left_eye_xy_px,
        (x - 35, y),
        face.nose_xy_px,
        face.left_mouth_xy_px,
        face.right_mouth_xy_px,
        face.score,
    )
    frontal, aside = estimate_head(face), estimate_head(turned)
    assert aside.chin_below_eyes_px == pytest.approx(frontal.chin_below_eyes_px, rel=0.02)


@TURNED
@pytest.mark.parametrize("hair", [0.9, 1.0, 1.2, 1.5, 1.65])
@pytest.mark.parametrize("photo_size_px", [(800, 1000), (1200, 900), (3000, 1200)])
def test_the_crown_is_where_the_matte_begins(
    photo_size_px: SizeWH, hair: float, roll_deg: float
) -> None:
    person = draw(roll_deg=roll_deg, hair=hair, photo_size_px=photo_size_px)
    head = measure_head(person.face, person.matte)
    # A pixel of the matte is up to 9 px of these photos.
    assert head.crown_above_eyes_px == pytest.approx(person.crown_px, abs=7)
    assert head.chin_below_eyes_px == estimate_head(person.face).chin_below_eyes_px


@pytest.mark.parametrize(
    ("hair", "least", "most"),
    [
        (0.5, 0.8, 0.9),  # a forehead that the matte lost is no low crown
        (2.5, 1.6, 1.75),  # a hand, or whatever is above the head, is no high one
    ],
)
def test_the_crown_stays_near_the_skull(hair: float, least: float, most: float) -> None:
    person = draw(hair=hair, eyes_xy_px=(400, 500))
    skull = draw().crown_px
    crown = measure_head(person.face, person.matte).crown_above_eyes_px
    assert least * skull <= crown <= most * skull


@pytest.mark.parametrize("half_width_px", [2, 5])
def test_a_strand_of_hair_is_no_crown(half_width_px: int) -> None:
    person = draw(photo_size_px=(320, 320), eyes_xy_px=(160, 160), apart_px=40)
    alpha = person.matte.alpha.copy()
    alpha[: int(160 - person.crown_px), 160 - half_width_px : 160 + half_width_px] = 1
    crown = measure_head(person.face, Matte(alpha, (0, 0, 320, 320))).crown_above_eyes_px
    assert crown == pytest.approx(person.crown_px, abs=2.5)


@TURNED
def test_a_head_that_the_photo_cuts_ends_at_its_edge(roll_deg: float) -> None:
    person = draw(eyes_xy_px=(400, 120), roll_deg=roll_deg, hair=1.3)
    crown = measure_head(person.face, person.matte).crown_above_eyes_px
    assert crown == pytest.approx(120 / math.cos(math.radians(roll_deg)), abs=3)


# --- The crop ------------------------------------------------------------------------------------


@TURNED
@EVERY_RULE
def test_the_eyes_come_level_and_the_face_in_the_middle(
    document: Document, roll_deg: float
) -> None:
    person = draw(roll_deg=roll_deg)
    plan = planned(person, document)
    assert plan.size_px == document.size_px
    left, right = mapped(plan, person.face.left_eye_xy_px, person.face.right_eye_xy_px)
    assert left[1] == pytest.approx(right[1], abs=0.01)
    assert (left[0] + right[0]) / 2 == pytest.approx(document.size_px[0] / 2, abs=0.01)
    assert right[0] - left[0] == pytest.approx(100 * plan.scale)


@TURNED
@pytest.mark.parametrize("hair", [0.9, 1.0, 1.3, 1.65])
@EVERY_RULE
def test_the_head_obeys_the_rule(document: Document, hair: float, roll_deg: float) -> None:
    person = draw(roll_deg=roll_deg, hair=hair, eyes_xy_px=(400, 400), photo_size_px=(800, 1400))
    crown_px = person.crown_px
    if document.crown == "skull":
        crown_px = min(crown_px, draw().crown_px)
    plan = planned(person, document)
    crown, eyes, chin = mapped(
        plan, person.above_eyes(crown_px), person.eyes_xy_px, person.above_eyes(-person.chin_px)
    )
    assert within(share(chin[1] - crown[1], document), document.head_height, slack=0.005)
    assert chin[1] < document.size_px[1]

    from_bottom = share(document.size_px[1] - eyes[1], document)
    if document.eye_line is not None:
        assert within(from_bottom, document.eye_line)
    if document.top_margin is None:
        assert crown[1] >= 0 or document.crown == "skull"
    elif document.eye_line is None or hair <= 1:  # else the eye line may leave it no room
        assert within(share(crown[1], document), document.top_margin, slack=0.005)


@TURNED
@EVERY_RULE
def test_an_average_head_comes_to_the_targets(document: Document, roll_deg: float) -> None:
    """Where the photo goes on far enough below."""
    person = draw(roll_deg=roll_deg, eyes_xy_px=(400, 400), photo_size_px=(800, 2000))
    plan = planned(person, document)
    crown, eyes, chin = mapped(
        plan,
        person.above_eyes(person.crown_px),
        person.eyes_xy_px,
        person.above_eyes(-person.chin_px),
    )
    height = share(chin[1] - crown[1], document)
    assert height == pytest.approx(document.head_height.target, abs=0.015)
    if document.top_margin is not None:
        margin = share(crown[1], document)
        assert margin == pytest.approx(document.top_margin.target, abs=0.015)
    elif document.eye_line is not None:
        from_bottom = 1 - share(eyes[1], document)
        assert from_bottom == pytest.approx(document.eye_line.target, abs=0.015)


@TURNED
@pytest.mark.parametrize("hair", [0.9, 1.0, 1.3, 1.6])
def test_the_eyes_on_a_chinese_id_card(hair: float, roll_deg: float) -> None:
    """At least 207 px from the bottom of 441, whatever the hair: this wins over the margin."""
    document = documents.find("cn-id-card")
    person = draw(roll_deg=roll_deg, hair=hair, photo_size_px=(800, 1400))
    ((_, eye_row),) = mapped(planned(person, document), person.eyes_xy_px)
    assert 441 - eye_row >= 206.9


def test_a_skull_document_ignores_tall_hair() -> None:
    document = documents.find("fr-passport")
    average, tall = draw(hair=1.0), draw(hair=1.6)
    assert document.crown == "skull"
    scales = [planned(person, document).scale for person in (average, tall)]
    assert scales[0] == pytest.approx(scales[1], rel=0.02)


def test_a_hair_document_makes_room_for_tall_hair() -> None:
    document = documents.find("uk-passport")
    average, tall = draw(hair=1.0), draw(hair=1.6)
    scales = [planned(person, document).scale for person in (average, tall)]
    assert scales[1] < 0.85 * scales[0]


@TURNED
@pytest.mark.parametrize("id", ["cn-1-inch", "us-passport", "uk-passport", "cn-id-card"])
def test_a_photo_that_ends_low_makes_the_head_larger(id: str, roll_deg: float) -> None:
    """From its target up to its maximum, and no more than it takes to fill the frame."""
    document = documents.find(id)
    bounds = document.head_height
    width, height = document.size_px
    for bottom in range(610, 1000, 30):
        person = draw(roll_deg=roll_deg, photo_size_px=(800, bottom))
        plan = planned(person, document)
        crown, chin = mapped(
            plan, person.above_eyes(person.crown_px), person.above_eyes(-person.chin_px)
        )
        share_of_head = share(chin[1] - crown[1], document)
        assert bounds.target - 0.01 <= share_of_head <= bounds.max + 0.01
        if share_of_head > bounds.target + 0.02:
            corners = apply(inverse(plan.matrix), [(0, height), (width, height)])
            assert corners[:, 1].max() <= bottom + 0.01


def test_a_larger_head_fills_the_frame_where_it_can() -> None:
    """A case in between: at the target the photo ends too early, below the maximum it does not."""
    document = documents.find("us-passport")
    long_photo = draw(photo_size_px=(800, 2000))
    grown = 0
    for bottom in range(610, 900, 10):
        person = draw(photo_size_px=(800, bottom))
        plan = planned(person, document)
        target = planned(long_photo, document).scale
        ((_, edge),) = mapped(plan, (400, bottom))
        grown += plan.scale > target * 1.02 and edge >= 600 - 0.01
    assert grown >= 2


@pytest.mark.parametrize("factor", [0.25, 0.5, 3.0])
def test_the_crop_does_not_depend_on_the_rendering(factor: float) -> None:
    """The same photo at another scale gives the same picture."""
    document = documents.find("uk-passport")
    one = draw(roll_deg=8)
    other = draw(
        roll_deg=8,
        eyes_xy_px=(400 * factor, 450 * factor),
        apart_px=100 * factor,
        photo_size_px=(round(800 * factor), round(1000 * factor)),
    )
    plan, scaled = (planned(p, document) for p in (one, other))
    assert scaled.scale * factor == pytest.approx(plan.scale, rel=1e-3)
    points = np.array([(0, 0), (800, 0), (400, 450), (800, 1000)])
    np.testing.assert_allclose(
        apply(scaled.matrix, points * factor), apply(plan.matrix, points), atol=1
    )


@pytest.mark.parametrize("roll_deg", [-25, 0, 25])
@pytest.mark.parametrize("hair", [0.9, 1.65])
def test_the_crop_does_not_depend_on_how_much_the_matte_covers(
    hair: float, roll_deg: float
) -> None:
    """The same pixels as a matte of the whole photo, and as one of a region of it."""
    person = draw(roll_deg=roll_deg, hair=hair)
    pixel_x, pixel_y = 800 / 320, 1000 / 320
    rows, columns = slice(16, 288), slice(40, 260)
    region = Matte(
        person.matte.alpha[rows, columns],
        (40 * pixel_x, 16 * pixel_y, 260 * pixel_x, 288 * pixel_y),
    )
    whole_head, head = (measure_head(person.face, matte) for matte in (person.matte, region))
    assert head.crown_above_eyes_px == pytest.approx(whole_head.crown_above_eyes_px, abs=0.1)
    for document in OWN_RULES:
        whole = planned(person, document)
        plan = plan_crop(person.face, head, document, person.photo_size_px)
        np.testing.assert_allclose(plan.matrix, whole.matrix, rtol=1e-3, atol=0.5)


@TURNED
def test_the_crown_in_a_matte_of_the_region(roll_deg: float) -> None:
    """A region far from the photo's corner, seen finer than the whole photo would be."""
    person = draw(
        roll_deg=roll_deg,
        hair=1.3,
        eyes_xy_px=(2200, 1450),
        photo_size_px=(4000, 3000),
        box_xyxy_px=(1800, 1000, 2600, 1700),
    )
    crown = measure_head(person.face, person.matte).crown_above_eyes_px
    assert crown == pytest.approx(person.crown_px, abs=4)


def test_the_needed_scale_is_about_that_of_the_plan() -> None:
    person = draw()
    for document in OWN_RULES:
        plan = planned(person, document)
        about = needed_scale(estimate_head(person.face), document)
        assert about == pytest.approx(plan.scale, rel=0.03)


# --- The region ----------------------------------------------------------------------------------


@pytest.mark.parametrize("roll_deg", [-25, 0, 25])
@pytest.mark.parametrize("hair", [0.6, 1.0, 2.5])
@pytest.mark.parametrize("bottom", [700, 3000])
@EVERY_RULE
def test_no_crop_leaves_the_region(
    document: Document, bottom: int, hair: float, roll_deg: float
) -> None:
    """Corners of the finished photo that lie in the original lie in the region that is kept."""
    size = 2400, bottom
    person = draw(roll_deg=roll_deg, hair=hair, eyes_xy_px=(1200, 450), photo_size_px=size)
    x0, y0, x1, y1 = reach(estimate_head(person.face), (document,), size)
    assert x0 >= 0 and y0 >= 0 and x1 <= size[0] and y1 <= size[1]
    plan = planned(person, document)
    width, height = document.size_px
    edges = apply(inverse(plan.matrix), [(0, 0), (width, 0), (0, height), (width, height)])
    low, high = edges.min(axis=0), edges.max(axis=0)
    assert x0 <= max(low[0], 0) + 0.5
    assert y0 <= max(low[1], 0) + 0.5
    assert x1 >= min(high[0], size[0]) - 0.5
    assert y1 >= min(high[1], size[1]) - 0.5


def test_the_region_of_several_documents_holds_each() -> None:
    head = estimate_head(draw().face)
    size = 5000, 5000
    boxes = np.array([reach(head, (document,), size) for document in OWN_RULES])
    together = reach(head, tuple(OWN_RULES), size)
    assert together == pytest.approx((*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
