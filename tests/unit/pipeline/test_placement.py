"""Where the head comes to lie in a picture, and how wide the face becomes there."""

from dataclasses import replace

import pytest

from pipeline import documents
from pipeline.affine import apply, similarity, stretch
from pipeline.geometry import estimate_head, measure_head, place_in, plan_crop
from pipeline.values import CropPlan, Document, Placement
from tests.unit.pipeline.people import CHIN, SKULL, Person, draw

OWN_RULES = [document for document in documents.all_documents() if not document.derived]
WIDTHS = [document for document in OWN_RULES if document.face_width]
ID_CARD = documents.find("cn-id-card")


def cut(person: Person, document: Document) -> tuple[CropPlan, Placement]:
    head = measure_head(person.face, person.matte)
    plan = plan_crop(person.face, head, document, person.photo_size_px)
    return plan, place_in(plan, person.face, head, document)


def far_down(cheeks: float | None, roll_deg: float = 0, hair: float = 1) -> Person:
    """Someone in a photo that goes on far below, so that the lower edge decides nothing."""
    return draw(cheeks=cheeks, roll_deg=roll_deg, hair=hair, photo_size_px=(800, 3000))


@pytest.mark.parametrize("roll_deg", [-12, 0, 25])
@pytest.mark.parametrize("hair", [0.9, 1.0, 1.4])
@pytest.mark.parametrize("document", OWN_RULES, ids=lambda document: document.id)
def test_the_placement_is_where_the_plan_puts_the_points(
    document: Document, hair: float, roll_deg: float
) -> None:
    person = draw(roll_deg=roll_deg, hair=hair, cheeks=2.4, photo_size_px=(800, 2000))
    plan, placed = cut(person, document)
    head = measure_head(person.face, person.matte)
    crown_px = head.crown_above_eyes_px
    if document.crown == "skull":
        crown_px = min(crown_px, estimate_head(person.face).crown_above_eyes_px)
    assert person.face.cheeks_xy_px is not None
    crown, eyes, chin, left, right = apply(
        plan.matrix,
        [
            person.above_eyes(crown_px),
            person.eyes_xy_px,
            person.above_eyes(-head.chin_below_eyes_px),
            *person.face.cheeks_xy_px,
        ],
    )
    width, height = document.size_px
    assert placed.head_height == pytest.approx((chin[1] - crown[1]) / height)
    assert placed.eye_line == pytest.approx(1 - eyes[1] / height)
    assert placed.top_margin == pytest.approx(crown[1] / height)
    assert placed.centre == pytest.approx(0.5)
    assert placed.face_width == pytest.approx((right[0] - left[0]) / width)


def test_a_photo_as_it_is() -> None:
    """Eyes at 300 of 800 from the left and 450 of 1000 from the top, 100 apart."""
    person = draw(eyes_xy_px=(300, 450), cheeks=2.4)
    whole = CropPlan(stretch((800, 1000), (800, 1000)), (800, 1000), 1.0)
    head = replace(estimate_head(person.face), crown_above_eyes_px=150, chin_below_eyes_px=170)
    placed = place_in(whole, person.face, head, documents.find("icao-portrait"))
    assert placed.head_height == pytest.approx(0.32)
    assert placed.eye_line == pytest.approx(0.55)
    assert placed.top_margin == pytest.approx(0.3)
    assert placed.centre == pytest.approx(0.375)
    assert placed.face_width == pytest.approx(0.3)


def test_a_crown_above_the_frame_has_a_negative_margin() -> None:
    person = draw()
    size_px = ID_CARD.size_px
    plan = CropPlan(similarity(person.eyes_xy_px, (179, 100), 1.0, 0), size_px, 1.0)
    placed = place_in(plan, person.face, estimate_head(person.face), ID_CARD)
    assert placed.top_margin == pytest.approx((100 - person.crown_px) / 441, abs=0.01)
    assert placed.top_margin < 0


def test_no_mesh_no_width() -> None:
    _, placed = cut(far_down(None), ID_CARD)
    assert placed.face_width is None


@pytest.mark.parametrize("roll_deg", [-25, 0, 25])
@pytest.mark.parametrize("hair", [1.0, 1.2])
@pytest.mark.parametrize("cheeks", [1.5, 1.9, 2.1, 2.2, 2.3, 2.4, 2.5, 2.7, 3.2])
def test_the_face_on_a_chinese_id_card(cheeks: float, hair: float, roll_deg: float) -> None:
    """207 +- 14 px wide, as far as the height of the head, 0.60 to 0.72 of 441 px, allows it."""
    _, placed = cut(far_down(cheeks, roll_deg, hair), ID_CARD)
    assert placed.face_width is not None
    bounds = ID_CARD.head_height
    assert bounds.min - 0.001 <= placed.head_height <= bounds.max + 0.001
    per_height = cheeks / (SKULL * hair + CHIN) * 441
    narrowest, widest = per_height * bounds.min, per_height * bounds.max
    width_px = placed.face_width * 358
    # The crown is measured to a pixel of the matte.
    if widest < 193 * 0.98:
        assert placed.head_height == pytest.approx(bounds.max / 1.01, abs=0.001)
    elif narrowest > 221 * 1.02:
        assert placed.head_height == pytest.approx(bounds.min * 1.01, abs=0.001)
    elif widest > 193 * 1.02 and narrowest < 221 * 0.98:
        assert 193 - 0.1 <= width_px <= 221 + 0.1
    if 193 * 1.02 < per_height * bounds.target < 221 * 0.98:
        assert placed.head_height == pytest.approx(bounds.target, abs=0.001)


@pytest.mark.parametrize("cheeks", [1.2, 2.2, 2.4, 2.6, 4.0])
@pytest.mark.parametrize("document", WIDTHS, ids=lambda document: document.id)
def test_the_width_never_takes_the_head_out_of_its_bounds(
    document: Document, cheeks: float
) -> None:
    plan, placed = cut(far_down(cheeks), document)
    bounds, widths = document.head_height, document.face_width
    assert widths is not None and placed.face_width is not None
    assert bounds.min - 0.001 <= placed.head_height <= bounds.max + 0.001
    assert placed.face_width == pytest.approx(100 * cheeks * plan.scale / document.size_px[0])
    # It aims one per cent inside: what lies on a bound is measured beyond it by others.
    if not widths.min - 0.001 <= placed.face_width <= widths.max + 0.001:
        nearest = bounds.max / 1.01 if placed.face_width < widths.min else bounds.min * 1.01
        assert placed.head_height == pytest.approx(nearest, abs=0.001)


@pytest.mark.parametrize("cheeks", [None, 1.2, 4.0])
def test_without_a_rule_the_width_changes_nothing(cheeks: float | None) -> None:
    document = documents.find("us-passport")
    _, placed = cut(far_down(cheeks), document)
    assert placed.head_height == pytest.approx(document.head_height.target, abs=0.001)


def test_the_lower_edge_comes_before_the_width() -> None:
    """A photo that ends early: the head grows to fill the frame, though its face is wide."""
    lawful = far_down(2.9)
    short = draw(cheeks=2.9, photo_size_px=(800, 760))
    _, roomy = cut(lawful, ID_CARD)
    plan, tight = cut(short, ID_CARD)
    assert tight.head_height > roomy.head_height + 0.02
    ((_, edge),) = apply(plan.matrix, [(400, 760)])
    assert edge >= 441 - 0.01
