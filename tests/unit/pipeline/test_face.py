from contextlib import AbstractContextManager
from contextlib import nullcontext as does_not_raise

import pytest

from pipeline.errors import UnusablePhoto
from pipeline.face import the_one
from pipeline.values import Face


def face(height_px: float, eyes_px: float = 40, x: float = 0, score: float = 0.99) -> Face:
    """A face ``height_px`` high, its pupils ``eyes_px`` apart."""
    middle = x + height_px * 0.4
    return Face(
        (x, 0, x + height_px * 0.8, height_px),
        (middle - eyes_px / 2, height_px * 0.4),
        (middle + eyes_px / 2, height_px * 0.4),
        (middle, height_px * 0.6),
        (middle - eyes_px / 2, height_px * 0.8),
        (middle + eyes_px / 2, height_px * 0.8),
        score,
    )


def refused(message: str) -> AbstractContextManager[object]:
    return pytest.raises(UnusablePhoto, match=message)


@pytest.mark.parametrize(
    ("heights_px", "enlarge", "exception"),
    [
        ([], 1, refused("No face")),
        ([100], 1, does_not_raise()),
        ([100, 49], 1, does_not_raise()),  # a passer-by
        ([49, 100, 30, 20], 1, does_not_raise()),
        ([100, 50], 1, refused("2 faces")),
        ([50, 100], 1, refused("2 faces")),  # the order does not matter
        ([100, 100, 90, 49], 1, refused("3 faces")),
        ([1000, 500], 10, refused("2 faces")),
    ],
)
def test_how_many(
    heights_px: list[float], enlarge: float, exception: AbstractContextManager[object]
) -> None:
    faces = [face(height, x=200 * index) for index, height in enumerate(heights_px)]
    with exception:
        assert the_one(faces, enlarge) == max(faces, key=lambda found: found.box_xyxy_px[3])


@pytest.mark.parametrize(
    ("eyes_px", "enlarge", "exception"),
    [
        (16, 1, does_not_raise()),
        (15.9, 1, refused("only 16 pixels")),
        (4, 4, does_not_raise()),  # the original has the pixels
        (40, 0.3, refused("only 12 pixels")),
        (0, 1, refused("only 0 pixels")),
    ],
)
def test_how_large(
    eyes_px: float, enlarge: float, exception: AbstractContextManager[object]
) -> None:
    with exception:
        the_one([face(100, eyes_px)], enlarge)


@pytest.mark.parametrize(
    ("faces", "code", "details"),
    [
        ([], "no_face", {}),
        ([face(100), face(80)], "several_faces", {"count": 2}),
        ([face(100, 10)], "face_too_small", {"eyes_px": 10, "limit_px": 16}),
        ([face(100, 10), face(90, 10)], "several_faces", {"count": 2}),
    ],
)
def test_the_refusal_says_what_was_seen(
    faces: list[Face], code: str, details: dict[str, int]
) -> None:
    with pytest.raises(UnusablePhoto) as caught:
        the_one(faces)
    assert (caught.value.code, caught.value.details) == (code, details)


def test_eyes_are_measured_along_their_line() -> None:
    """A tilted head does not bring the eyes together."""
    upright = face(100, 0)
    tilted = Face(upright.box_xyxy_px, (40, 40), (49.7, 52.8), (0, 0), (0, 0), (0, 0), 0.99)
    assert the_one([tilted]) is tilted  # 9.7 across, 12.8 down


def test_a_better_score_does_not_beat_a_larger_face() -> None:
    large, small = face(100, score=0.91), face(40, score=0.999)
    assert the_one([small, large]) is large
