from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.affine import similarity, stretch
from pipeline.errors import UnusablePhoto
from pipeline.geometry import estimate_head
from pipeline.matte import certainty, check_subject, keep_person, render
from pipeline.values import BoxXYXY, CropPlan, Matte, SizeWH
from tests.unit.pipeline.people import Person, draw

PHOTO = (100, 100)


def even(value: float, side_px: int = 32) -> Matte:
    return Matte(np.full((side_px, side_px), value, np.float32), (0, 0, 100, 100))


def kept_of(person: Person, matte: Matte | None = None) -> Matte:
    return keep_person(matte or person.matte, person.face, estimate_head(person.face))


# --- keep_person ---------------------------------------------------------------------------------


@pytest.mark.parametrize("roll_deg", [-25, 0, 25])
@pytest.mark.parametrize("hair", [0.9, 1.5])
@pytest.mark.parametrize(
    ("photo_size_px", "box_xyxy_px"), [((800, 1000), None), ((1600, 900), (0, 0, 900, 900))]
)
def test_a_person_s_own_matte_passes(
    photo_size_px: SizeWH, box_xyxy_px: BoxXYXY | None, hair: float, roll_deg: float
) -> None:
    person = draw(
        roll_deg=roll_deg, hair=hair, photo_size_px=photo_size_px, box_xyxy_px=box_xyxy_px
    )
    kept = kept_of(person)
    np.testing.assert_array_equal(kept.alpha, person.matte.alpha)
    assert kept.alpha.dtype == np.float32
    assert kept.box_xyxy_px == person.matte.box_xyxy_px


@pytest.mark.parametrize("roll_deg", [-25, 0, 25])
def test_so_does_the_matte_of_a_region(roll_deg: float) -> None:
    person = draw(
        roll_deg=roll_deg,
        eyes_xy_px=(2200, 1450),
        photo_size_px=(4000, 3000),
        box_xyxy_px=(1800, 1000, 2600, 1900),
    )
    kept = kept_of(person)
    np.testing.assert_array_equal(kept.alpha, person.matte.alpha)
    with pytest.raises(UnusablePhoto):
        # The same shape, said to lie in another part of the photo.
        kept_of(person, Matte(person.matte.alpha, (0, 1000, 800, 1900)))


def nothing(alpha: npt.NDArray[np.float32]) -> None:
    alpha[:] = 0


def everything(alpha: npt.NDArray[np.float32]) -> None:
    alpha[:] = 1


def pale(alpha: npt.NDArray[np.float32]) -> None:
    alpha *= 0.6


def hole_in_the_face(alpha: npt.NDArray[np.float32]) -> None:
    alpha[130:190, 130:190] = 0


def half_a_face(alpha: npt.NDArray[np.float32]) -> None:
    alpha[:, 160:] = 0


def body_alone(alpha: npt.NDArray[np.float32]) -> None:
    alpha[:205] = 0


def background(alpha: npt.NDArray[np.float32]) -> None:
    np.subtract(1, alpha, out=alpha)


@pytest.mark.parametrize(
    "spoil", [nothing, everything, pale, hole_in_the_face, half_a_face, body_alone, background]
)
def test_a_matte_that_cannot_be_the_person_s_is_refused(
    spoil: Callable[[npt.NDArray[np.float32]], None],
) -> None:
    person = draw()
    alpha = person.matte.alpha.copy()
    spoil(alpha)
    with pytest.raises(UnusablePhoto) as caught:
        kept_of(person, Matte(alpha, person.matte.box_xyxy_px))
    assert caught.value.code == "matte_unreliable"


@pytest.mark.parametrize(
    ("from_row", "to_row", "passes"),
    [
        (0, 112, True),  # hair that stands out little
        (0, 130, True),
        (0, 136, False),
        (100, 102, True),
        (95, 135, False),
        (150, 153, True),  # a strand of background across the face
    ],
)
def test_holes_in_the_head(from_row: int, to_row: int, passes: bool) -> None:
    """Rows of the head that are missing; the eyes are in row 144, the crown in row 85."""
    person = draw()
    alpha = person.matte.alpha.copy()
    alpha[from_row:to_row] = 0
    spoilt = Matte(alpha, person.matte.box_xyxy_px)
    if passes:
        kept_of(person, spoilt)
    else:
        with pytest.raises(UnusablePhoto, match="background reliably"):
            kept_of(person, spoilt)


def test_a_lost_shoulder_is_no_reason() -> None:
    person = draw()
    alpha = person.matte.alpha.copy()
    alpha[240:, :160] = 0
    kept_of(person, Matte(alpha, person.matte.box_xyxy_px))


def test_a_face_at_the_edge_is_looked_at_as_far_as_it_goes() -> None:
    for eyes in ((40, 450), (760, 450), (400, 40)):
        person = draw(eyes_xy_px=eyes)
        kept_of(person)
        with pytest.raises(UnusablePhoto):
            kept_of(person, Matte(1 - person.matte.alpha, person.matte.box_xyxy_px))


def test_a_scrap_beside_the_person_is_removed() -> None:
    person = draw()
    alpha = person.matte.alpha.copy()
    alpha[20:60, 20:50] = 1
    alpha[150:153, 300:] = 0.4
    kept = kept_of(person, Matte(alpha, person.matte.box_xyxy_px))
    np.testing.assert_array_equal(kept.alpha, person.matte.alpha)


def test_a_scrap_larger_than_the_person_is_removed() -> None:
    """The face says who is meant, not the size."""
    person = draw(eyes_xy_px=(700, 200), apart_px=30)
    alpha = person.matte.alpha.copy()
    alpha[:, :150] = 1
    kept = kept_of(person, Matte(alpha, person.matte.box_xyxy_px))
    assert (kept.alpha[:, :150] == 0).all()
    np.testing.assert_array_equal(kept.alpha[:, 150:], alpha[:, 150:])


@pytest.mark.parametrize("value", [0.15, 0.3, 0.9])
@pytest.mark.parametrize("step", [1, 0], ids=["slanting", "upright"])
def test_a_soft_strand_that_is_connected_is_kept(value: float, step: int) -> None:
    """One pixel wide, up from the crown; a slanting one touches corner to corner."""
    person = draw()
    alpha = person.matte.alpha.copy()
    top = int(np.flatnonzero(alpha[:, 160])[0])
    for away in range(1, 40):
        alpha[top - away, 160 + step * away] = value
    kept = kept_of(person, Matte(alpha, person.matte.box_xyxy_px))
    np.testing.assert_array_equal(kept.alpha, alpha)


def test_keep_person_leaves_its_input() -> None:
    person = draw()
    person.matte.alpha[20:40, 20:40] = 1
    before = person.matte.alpha.copy()
    person.matte.alpha.setflags(write=False)
    kept_of(person)
    np.testing.assert_array_equal(person.matte.alpha, before)


# --- certainty -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"), [(1.0, 1.0), (0.9, 0.6), (0.75, 0.0), (0.5, -1.0), (0.0, 0.0)]
)
def test_the_certainty_of_an_even_matte(value: float, expected: float) -> None:
    """1 - 4 (1 - alpha); below 0 the half-transparent share is larger than the person."""
    head = estimate_head(draw(eyes_xy_px=(50, 50), apart_px=10).face)
    assert certainty(even(value), head) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("roll_deg", [-25, 0, 25])
@pytest.mark.parametrize("eyes_xy_px", [(400, 450), (40, 450), (400, 40), (780, 980)])
def test_a_hard_matte_is_certain(eyes_xy_px: tuple[float, float], roll_deg: float) -> None:
    person = draw(eyes_xy_px=eyes_xy_px, roll_deg=roll_deg)
    assert certainty(person.matte, estimate_head(person.face)) == pytest.approx(1)


def test_only_head_and_shoulders_count() -> None:
    """1.6 head heights below the eyes is row 328 of this matte, and 1.4 aside column 58."""
    person = draw(eyes_xy_px=(400, 300), apart_px=60, photo_size_px=(800, 800))
    alpha = person.matte.alpha.copy()
    alpha[262:], alpha[:, :35] = 0.5, 0.5
    head = estimate_head(person.face)
    assert certainty(Matte(alpha, person.matte.box_xyxy_px), head) == pytest.approx(1)
    alpha[200:] = 0.5
    assert certainty(Matte(alpha, person.matte.box_xyxy_px), head) < 0.5


@pytest.mark.parametrize(
    ("rows", "passes"), [(0, True), (5, True), (12, True), (40, False), (70, False)]
)
def test_an_uncertain_matte_is_refused(rows: int, passes: bool) -> None:
    """Shoulders that are half transparent in so many rows; the face is solid."""
    person = draw()
    alpha = person.matte.alpha.copy()
    alpha[230 : 230 + rows] *= 0.5
    spoilt = Matte(alpha, person.matte.box_xyxy_px)
    sure = certainty(spoilt, estimate_head(person.face))
    assert (sure >= 0.85) == passes, sure
    if passes:
        kept_of(person, spoilt)
    else:
        with pytest.raises(UnusablePhoto) as caught:
            kept_of(person, spoilt)
        assert caught.value.code == "matte_unreliable"


# --- check_subject -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cover", "passes"),
    [
        (0, False),
        (0.004, False),
        (0.01, True),
        (0.5, True),
        (0.99, True),
        (0.997, False),
        (1, False),
    ],
)
def test_a_subject_is_neither_nothing_nor_everything(cover: float, passes: bool) -> None:
    if passes:
        check_subject(even(cover))
    else:
        with pytest.raises(UnusablePhoto) as caught:
            check_subject(even(cover))
        assert caught.value.code == "no_subject"


# --- render --------------------------------------------------------------------------------------


def plan(x: float, y: float, scale: float, roll_deg: float, size_px: SizeWH) -> CropPlan:
    """The photo's point (50, 50) comes to (x, y)."""
    return CropPlan(similarity((50, 50), (x, y), scale, roll_deg), size_px, scale)


def test_a_crop_inside_the_photo() -> None:
    alpha, cut = render(even(1), plan(20, 20, 1, 0, (40, 40)), PHOTO)
    assert alpha.shape == (40, 40)
    assert alpha.dtype == np.float32
    np.testing.assert_allclose(alpha, 1, atol=1e-6)
    assert cut == 0


@pytest.mark.parametrize(
    ("crop", "inside", "cut"),
    [
        (plan(50, 50, 1, 0, (100, 100)), np.s_[:, :], 0),
        (plan(50, 50, 1, 0, (100, 125)), np.s_[:100, :], 0.2),  # below the photo
        (plan(50, 75, 1, 0, (100, 125)), np.s_[25:, :], 0.2),  # above it
        (plan(75, 50, 1, 0, (150, 100)), np.s_[:, 25:125], 1 / 3),  # at both sides
        (plan(100, 100, 2, 0, (200, 400)), np.s_[:200, :], 0.5),
        (plan(500, 50, 1, 0, (100, 100)), np.s_[:0, :0], 1),  # beside it altogether
    ],
)
def test_outside_the_photo_alpha_is_0_and_the_person_is_cut(
    crop: CropPlan, inside: tuple[slice, slice], cut: float
) -> None:
    expected = np.zeros(crop.size_px[::-1], np.float32)
    expected[inside] = 1
    alpha, found = render(even(1), crop, PHOTO)
    np.testing.assert_allclose(alpha, expected, atol=1e-6)
    assert (alpha[expected == 0] == 0).all()
    assert found == pytest.approx(cut)


def test_no_person_is_cut_where_the_background_ends() -> None:
    """Shoulders in the middle of the lower edge: only what goes on below them is missing."""
    alpha = np.zeros((100, 100), np.float32)
    alpha[50:, 30:70] = 1
    _, cut = render(Matte(alpha, (0, 0, 100, 100)), plan(50, 50, 1, 0, (100, 120)), PHOTO)
    assert cut == pytest.approx(0.4 * 20 / 120, abs=0.003)
    _, cut = render(Matte(alpha, (0, 0, 100, 100)), plan(50, 70, 1, 0, (100, 120)), PHOTO)
    assert cut == 0


def test_a_turned_crop_ends_at_a_slanting_edge() -> None:
    alpha, cut = render(even(1), plan(50, 50, 1, 30, (100, 100)), PHOTO)
    assert (alpha[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
    np.testing.assert_allclose(alpha[25:75, 25:75], 1, atol=1e-6)
    assert cut == pytest.approx(1 - float(alpha.mean()), abs=1e-6)
    # A square of side 1 and itself turned by 30 degrees share 2 / (1 + sin 30 + cos 30).
    assert 1 - cut == pytest.approx(2 / (1 + 0.5 + np.sqrt(0.75)), abs=0.01)


@pytest.mark.parametrize("photo_size_px", [(100, 100), (300, 150), (90, 360)])
def test_the_matte_is_stretched_over_the_photo(photo_size_px: SizeWH) -> None:
    """A quarter of the square is a quarter of the photo, whatever its shape."""
    width, height = photo_size_px
    alpha = np.zeros((64, 64), np.float32)
    alpha[:32, :32] = 1
    whole = CropPlan(stretch(photo_size_px, photo_size_px), photo_size_px, 1.0)
    rendered, _ = render(Matte(alpha, (0, 0, width, height)), whole, photo_size_px)
    expected = np.zeros((height, width), np.float32)
    expected[: height // 2, : width // 2] = 1
    assert np.abs(rendered - expected).mean() < 0.03
    assert rendered[height // 4, width // 4] == pytest.approx(1)
    assert rendered[-height // 4, width // 4] == 0


def test_a_matte_of_a_region_lies_where_the_region_does() -> None:
    """And goes on beyond it as at its edge, up to the photo's."""
    alpha = np.zeros((50, 40), np.float32)
    alpha[:, 20:] = 1
    whole = CropPlan(stretch(PHOTO, PHOTO), PHOTO, 1.0)
    rendered, cut = render(Matte(alpha, (20, 30, 60, 80)), whole, PHOTO)
    expected = np.zeros((100, 100), np.float32)
    expected[:, 40:] = 1
    np.testing.assert_allclose(rendered, expected, atol=0.01)
    assert cut == 0


def test_the_photo_decides_what_is_cut_and_not_the_matte() -> None:
    crop = plan(50, 50, 1, 0, (100, 125))
    region = Matte(np.ones((32, 32), np.float32), (0, 0, 100, 60))
    alpha, cut = render(region, crop, PHOTO)
    assert cut == pytest.approx(0.2)
    np.testing.assert_allclose(alpha[:100], 1, atol=1e-6)
    _, cut = render(region, crop, (100, 200))
    assert cut == 0


def test_alpha_stays_between_0_and_1() -> None:
    """Bicubic interpolation overshoots at hard edges."""
    checks = np.indices((16, 16)).sum(axis=0) % 2
    matte = Matte(checks.astype(np.float32), (0, 0, 100, 100))
    alpha, _ = render(matte, plan(200, 200, 4, 10, (400, 400)), PHOTO)
    assert alpha.min() == 0
    assert alpha.max() == 1


def test_render_leaves_its_input() -> None:
    matte = even(0.5)
    matte.alpha.setflags(write=False)
    render(matte, plan(50, 50, 1, 0, (120, 120)), PHOTO)
