"""The check ``photo_like``: what the net of drawings says, from the face to the report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.checks import of_refusal
from pipeline.errors import UnusablePhoto
from pipeline.finding import FindFaces, refusing
from pipeline.flow import finish_check, finish_photo, prepare_check, prepare_photo
from pipeline.values import Check, Face, Order, Portrait, Rgb
from tests.unit.pipeline.orders import LIMIT, SIDES, Answer, order_of

ORDER = order_of(["cn-1-inch"], ["white"], quality="fast")
# So large that the first look, at the size that the order needs, is followed by a second one.
FINE = order_of(["us-passport"], ["white"], quality="fast")


def of_photo_like(found: Sequence[Check]) -> list[tuple[float | None, str]]:
    return [(check.value, check.result) for check in found if check.code == "photo_like"]


@pytest.mark.parametrize(
    ("drawn", "said"),
    [(-0.5, [(-0.5, "pass")]), (0.1, [(0.1, "warn")]), (0.25, [(0.25, "fail")])],
)
def test_what_the_net_says_is_a_check(
    drawn: float, said: list[object], data: Path, find_faces: FindFaces, answer: Answer
) -> None:
    file = (data / "astronaut.png").read_bytes()
    given: dict[str, Any] = {"sides": SIDES, "max_pixels": LIMIT}
    made = prepare_photo(file, ORDER, find_faces, **given, how_drawn=lambda rgb, face: drawn)
    photos = finish_photo(made, answer(made), ORDER)
    assert isinstance(photos, tuple)
    assert [of_photo_like(photo.checks) for photo in photos] == [said]

    as_is = prepare_check(file, ORDER, find_faces, **given, how_drawn=lambda rgb, face: drawn)
    (report,) = finish_check(as_is, answer(as_is), ORDER)
    assert of_photo_like(report.checks) == said


def test_a_face_that_is_clearly_drawn_is_refused(data: Path, find_faces: FindFaces) -> None:
    file = (data / "astronaut.png").read_bytes()
    given: dict[str, Any] = {"sides": SIDES, "max_pixels": LIMIT}
    doubtful = prepare_photo(
        file, ORDER, find_faces, **given, how_drawn=refusing(lambda rgb, face: 0.1)
    )
    assert doubtful.face is not None and doubtful.face.drawn == 0.1
    for prepare in (prepare_photo, prepare_check):
        with pytest.raises(UnusablePhoto) as refused:
            prepare(file, ORDER, find_faces, **given, how_drawn=refusing(lambda rgb, face: 0.25))
        assert refused.value.code == "not_a_photo"
        (found,) = of_refusal(refused.value)
        assert (found.code, found.value, found.result) == ("photo_like", 0.25, "fail")


def test_without_the_net_nothing_is_said(data: Path, find_faces: FindFaces, answer: Answer) -> None:
    portrait = prepare_photo(
        (data / "astronaut.png").read_bytes(), ORDER, find_faces, sides=SIDES, max_pixels=LIMIT
    )
    photos = finish_photo(portrait, answer(portrait), ORDER)
    assert isinstance(photos, tuple)
    assert of_photo_like(photos[0].checks) == []


@pytest.mark.parametrize("order", [ORDER, FINE])
def test_the_one_face_is_asked_about_once(order: Order, data: Path, find_faces: FindFaces) -> None:
    """In the picture that it was found in, and what is said outlives a second look."""
    asked: list[tuple[Rgb, Face]] = []

    def how_drawn(rgb: Rgb, face: Face) -> float:
        asked.append((rgb, face))
        return 3.0

    portrait: Portrait = prepare_photo(
        (data / "astronaut.png").read_bytes(),
        order,
        find_faces,
        sides=SIDES,
        max_pixels=LIMIT,
        how_drawn=how_drawn,
    )
    ((rgb, face),) = asked
    assert max(rgb.shape[:2]) <= 640
    assert find_faces(rgb)[0].box_xyxy_px == face.box_xyxy_px
    assert portrait.face is not None and portrait.face.drawn == 3.0
