"""What the flow says about a photo, and about a finished one that is judged as it is."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.faces import FaceDetector
from models.weights import fetch
from pipeline import documents
from pipeline.errors import UnusablePhoto
from pipeline.flow import finish_check, prepare_check
from pipeline.values import Check, IdPhoto, Order, Portrait, Report
from tests.unit.pipeline.orders import (
    LIMIT,
    SIDES,
    Alphas,
    Answer,
    FindFaces,
    finished,
    order_of,
    pixels,
    png,
    prepared,
)
from tests.unit.pipeline.said import assert_worded

PERSON = (
    *("faces", "matte", "eye_distance", "roll", "yaw", "eyes_open", "mouth_open"),
    *("sharpness", "exposure", "contrast", "light_balance"),
)
CROP = (*PERSON, "enlargement", "body_cut")
SIZE = ("width", "height", "shape")
PORTRAITS = ("astronaut.png", "tiny-white-blouse.jpg", "tiny-long-hair.jpg")
Make = Callable[[bytes, Order], tuple[IdPhoto, ...]]
Judge = Callable[[bytes, Order], tuple[Report, ...]]


@pytest.fixture(scope="module")
def make(find_faces: FindFaces, answer: Answer) -> Make:
    def run(file: bytes, order: Order) -> tuple[IdPhoto, ...]:
        portrait = prepared(file, find_faces, order)
        return finished(portrait, answer(portrait), order)

    return run


@pytest.fixture(scope="module")
def judge(find_faces: FindFaces, answer: Answer) -> Judge:
    def run(file: bytes, order: Order) -> tuple[Report, ...]:
        portrait = as_it_is(file, find_faces, order)
        return reported(portrait, answer(portrait), order)

    return run


def as_it_is(file: bytes, find_faces: FindFaces, order: Order) -> Portrait:
    return prepare_check(file, order, find_faces, sides=SIDES, max_pixels=LIMIT)


def reported(portrait: Portrait, alphas: Alphas, order: Order) -> tuple[Report, ...]:
    """What comes of it where no expert is asked."""
    reports = finish_check(portrait, alphas, order)
    assert isinstance(reports, tuple)
    return reports


def by_code(checks: tuple[Check, ...]) -> dict[str, Check]:
    found = {check.code: check for check in checks}
    assert len(found) == len(checks)
    return found


def value(checks: tuple[Check, ...], code: str) -> float:
    found = by_code(checks)[code].value
    assert found is not None
    return found


def resized(file: bytes, size_px: tuple[int, int]) -> bytes:
    with Image.open(io.BytesIO(file)) as image:
        return png(image.convert("RGB").resize(size_px, Image.Resampling.BICUBIC))


# --- A snapshot ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "own"),
    [
        ("us-passport", ("head_height", "eye_line", "centring", "background")),
        ("cn-1-inch", ("head_height", "top_margin", "centring", "background")),
        (
            "cn-id-card",
            (
                *("head_height", "eye_line", "top_margin", "face_width", "centring"),
                *("background", "file_size"),
            ),
        ),
    ],
)
def test_the_checks_of_a_photo_in_their_order(
    data: Path, make: Make, document: str, own: tuple[str, ...]
) -> None:
    order = order_of([document], ["white"], "jpeg", quality="fast")
    (photo,) = make((data / "astronaut.png").read_bytes(), order)
    assert tuple(check.code for check in photo.checks) == (*CROP, *own)
    for check in photo.checks:
        assert_worded(check)


def test_variants_differ_in_what_is_their_own_only(data: Path, make: Make) -> None:
    order = order_of(["fr-passport", "us-passport"], ["white", "blue"], quality="fast")
    photos = make((data / "astronaut.png").read_bytes(), order)
    people = {photo.checks[: len(PERSON)] for photo in photos}
    assert len(people) == 1
    assert [by_code(photo.checks)["background"].result for photo in photos] == [
        *("fail", "pass", "pass", "pass")
    ]


@pytest.mark.parametrize("side_px", [512, 1600])
def test_the_values_of_a_portrait(data: Path, make: Make, side_px: int) -> None:
    """Labelled by eye at 512 px: eyes 43.1 px apart and tilted by 2.9 degrees, a smile."""
    file = resized((data / "astronaut.png").read_bytes(), (side_px, side_px))
    (photo,) = make(file, order_of(["us-passport"], ["blue"], quality="fast"))
    checks = by_code(photo.checks)
    assert checks["faces"].value == 1
    assert value(photo.checks, "eye_distance") == pytest.approx(43.1 * side_px / 512, rel=0.06)
    assert value(photo.checks, "roll") == pytest.approx(2.9, abs=2)
    assert 85 < value(photo.checks, "matte") <= 100
    assert checks["mouth_open"].result == "warn"
    for code in ("yaw", "eyes_open", "sharpness", "exposure", "contrast", "light_balance"):
        assert checks[code].result == "pass", checks[code]
    assert checks["body_cut"].value == 0
    assert value(photo.checks, "enlargement") == pytest.approx(2.2 * 512 / side_px, rel=0.1)
    assert checks["enlargement"].result == ("warn" if side_px == 512 else "pass")
    for code in ("head_height", "eye_line", "centring"):
        assert checks[code].result == "pass"


def test_what_is_enlarged_is_counted_in_pixels_of_the_upload(data: Path, make: Make) -> None:
    """However the photo is rendered on its way."""
    order = order_of(["cn-1-inch"], ["blue"], quality="fast")
    file = (data / "astronaut.png").read_bytes()
    enlarged = [
        value(photo.checks, "enlargement") * side_px
        for side_px in (400, 800, 1600, 3200)
        for photo in make(resized(file, (side_px, side_px)), order)
    ]
    assert enlarged == pytest.approx(4 * [float(np.mean(enlarged))], rel=0.04)


@pytest.mark.parametrize("roll_deg", [-15, 25])
def test_a_tilt_is_said_of_the_upload(data: Path, make: Make, roll_deg: float) -> None:
    with Image.open(data / "astronaut.png") as image:
        turned = image.convert("RGB").rotate(-roll_deg, center=(225, 102), fillcolor=(150,) * 3)
    (photo,) = make(png(turned), order_of(["us-passport"], ["blue"], quality="fast"))
    check = by_code(photo.checks)["roll"]
    assert check.value == pytest.approx(2.9 + roll_deg, abs=3)
    assert check.result == ("warn" if roll_deg == 25 else "pass")


def test_a_body_that_the_photo_cuts_is_said_to_be(data: Path, make: Make) -> None:
    """Shoulders that end beside the frame: the passport's square is wider than the photo."""
    file = (data / "tiny-long-hair.jpg").read_bytes()
    (photo,) = make(file, order_of(["us-passport"], ["blue"]))
    assert by_code(photo.checks)["body_cut"].result == "fail"
    assert tuple(pixels(photo)[-3, 2]) == (67, 142, 219)
    shown = (pixels(photo) != (67, 142, 219)).any(axis=-1).mean()
    assert 3 < value(photo.checks, "body_cut") < 100 * (1 - float(shown))


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_size_that_is_said_is_that_of_the_file(data: Path, make: Make, name: str) -> None:
    order = order_of(["cn-id-card", "us-ds160"], ["white"], "jpeg", quality="fast")
    for photo in make((data / name).read_bytes(), order):
        assert value(photo.checks, "file_size") == len(photo.data)
        limit = documents.find(photo.document).bytes_limit
        check = by_code(photo.checks)["file_size"]
        assert ((check.min, check.max), check.result) == (limit, "pass")


def test_a_png_is_said_to_be_too_large(data: Path, make: Make) -> None:
    (photo,) = make(
        (data / "astronaut.png").read_bytes(),
        order_of(["cn-id-card"], ["white"], "png", quality="fast"),
    )
    check = by_code(photo.checks)["file_size"]
    assert (check.result, check.value) == ("fail", len(photo.data))
    assert "JPEG" in check.hint


def test_what_only_a_mesh_sees_is_left_out_without_one(data: Path, answer: Answer) -> None:
    detector = FaceDetector(fetch("mtcnn"))
    order = order_of(["cn-id-card"], ["white"], quality="fast")
    portrait = prepared((data / "astronaut.png").read_bytes(), detector.find, order)
    (photo,) = finished(portrait, answer(portrait), order)
    said = [check.code for check in photo.checks]
    unseen = {"yaw", "eyes_open", "mouth_open", "face_width"}
    assert not unseen & set(said)
    assert {"sharpness", "head_height", "file_size"} <= set(said)


# --- A finished photo ----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=PORTRAITS)
def again(
    request: pytest.FixtureRequest, data: Path, make: Make, judge: Judge
) -> list[tuple[IdPhoto, Report]]:
    """What was made for several documents on blue, and what is said of each file as it is."""
    order = order_of(["us-passport", "cn-1-inch", "uk-passport"], ["blue"], "jpeg", quality="fast")
    photos = make((data / request.param).read_bytes(), order)
    return [
        (photo, judge(photo.data, order_of([photo.document], quality="fast"))[0])
        for photo in photos
    ]


def test_a_finished_photo_is_upright_and_in_the_middle(
    again: list[tuple[IdPhoto, Report]],
) -> None:
    for photo, report in again:
        assert report.document == photo.document
        assert value(report.checks, "roll") == pytest.approx(0, abs=3)
        assert value(report.checks, "centring") == pytest.approx(0, abs=2.5)
        checks = by_code(report.checks)
        assert (checks["roll"].min, checks["roll"].max) == (-8, 8)
        assert checks["roll"].result == checks["centring"].result == "pass"


def test_its_head_is_as_high_as_it_was_said_to_be(again: list[tuple[IdPhoto, Report]]) -> None:
    for photo, report in again:
        height_mm = value(photo.checks, "head_height")
        assert value(report.checks, "head_height") == pytest.approx(height_mm, rel=0.05)


def test_its_background_is_even_and_its_size_right(again: list[tuple[IdPhoto, Report]]) -> None:
    for photo, report in again:
        checks = by_code(report.checks)
        assert value(report.checks, "background_evenness") < 6
        assert (checks["width"].value, checks["height"].value) == photo.size_px
        assert {checks[code].result for code in SIZE} == {"pass"}


def test_the_checks_as_it_is_in_their_order(data: Path, judge: Judge) -> None:
    order = order_of(["us-ds160", "cn-1-inch"], quality="fast")
    passport, inch = judge((data / "astronaut.png").read_bytes(), order)
    both = (*PERSON, "background_evenness", "head_height")
    assert [check.code for check in passport.checks] == [
        *(*both, "eye_line", "centring", "file_size", *SIZE)
    ]
    assert [check.code for check in inch.checks] == [*(*both, "top_margin", "centring", *SIZE)]
    for check in (*passport.checks, *inch.checks):
        assert_worded(check)


def test_a_snapshot_as_it_is(data: Path, judge: Judge) -> None:
    """Too small, the head small and near the upper edge, before a flag and a shuttle."""
    file = (data / "astronaut.png").read_bytes()
    (report,) = judge(file, order_of(["us-passport"], quality="fast"))
    checks = by_code(report.checks)
    wrong = {code for code, check in checks.items() if check.result == "fail"}
    assert {"head_height", "eye_line", "width", "height", "background_evenness"} <= wrong
    assert "shape" not in wrong
    # Labelled by eye: from 178 to 15.8 of 512 px, the eyes at 102.
    assert checks["head_height"].value == pytest.approx(162.2 / 512 * 51, rel=0.05)
    assert checks["eye_line"].value == pytest.approx((1 - 102 / 512) * 51, rel=0.02)
    assert checks["centring"].value == pytest.approx(100 * (225.3 / 512 - 0.5), abs=1)


@pytest.mark.parametrize("side_px", [300, 1200, 2600])
def test_a_photo_as_it_is_whatever_its_size(data: Path, judge: Judge, side_px: int) -> None:
    file = resized((data / "astronaut.png").read_bytes(), (side_px, side_px))
    (report,) = judge(file, order_of(["us-ds160"], quality="fast"))
    checks = by_code(report.checks)
    assert (checks["width"].value, checks["file_size"].value) == (side_px, len(file))
    assert value(report.checks, "eye_distance") == pytest.approx(43.1 * side_px / 512, rel=0.06)
    assert checks["head_height"].value == pytest.approx(162.2 / 512 * 50.8, rel=0.05)


def test_arrays_that_crossed_a_process_are_left_alone(
    data: Path,
    find_faces: FindFaces,
    answer: Answer,
    read_only: Callable[..., tuple[Portrait, Alphas]],
) -> None:
    order = order_of(["us-passport"])
    portrait = as_it_is((data / "astronaut.png").read_bytes(), find_faces, order)
    alphas = answer(portrait)
    before = reported(portrait, alphas, order)
    assert reported(*read_only(portrait, alphas), order) == before


def test_a_matte_that_is_none_is_refused(data: Path, find_faces: FindFaces) -> None:
    order = order_of(["us-passport"])
    portrait = as_it_is((data / "astronaut.png").read_bytes(), find_faces, order)
    sides = {role: len(views) for role, views in portrait.views.items()}
    empty = {role: count * [np.zeros((64, 64), np.uint8)] for role, count in sides.items()}
    with pytest.raises(UnusablePhoto) as caught:
        finish_check(portrait, empty, order)
    assert caught.value.code == "matte_unreliable"
