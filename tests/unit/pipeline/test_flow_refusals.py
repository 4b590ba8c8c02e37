"""What the flow refuses: photos without one usable face, and mattes that miss it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import PhotoTooLarge, UnreadablePhoto, UnusablePhoto
from pipeline.flow import finish_photo, prepare_check, prepare_photo
from pipeline.values import Alpha8, Portrait
from tests.unit.pipeline.orders import (
    LIMIT,
    SIDES,
    Alphas,
    Answer,
    FindFaces,
    order_of,
    png,
    prepared,
)


@pytest.fixture(scope="module")
def astronaut(data: Path, find_faces: FindFaces, answer: Answer) -> tuple[Portrait, Alphas]:
    portrait = prepared((data / "astronaut.png").read_bytes(), find_faces)
    return portrait, answer(portrait)


def side_by_side(data: Path) -> bytes:
    names = ("long-hair", "pale-dress", "white-blouse", "glasses-autumn")
    canvas = Image.new("RGB", (4 * 192, 256))
    for index, name in enumerate(names):
        canvas.paste(Image.open(data / f"tiny-{name}.jpg"), (192 * index, 0))
    return png(canvas)


def part_of_a_face(data: Path) -> bytes:
    """The astronaut's from the brows down."""
    with Image.open(data / "astronaut.png") as image:
        return png(image.convert("RGB").crop((100, 92, 400, 512)))


def far_away(data: Path) -> bytes:
    canvas = Image.new("RGB", (512, 512), (150, 150, 150))
    canvas.paste(Image.open(data / "astronaut.png").convert("RGB").resize((150, 150)), (150, 150))
    return png(canvas)


@pytest.mark.parametrize(
    ("make", "code", "details"),
    [
        (lambda data: (data / "cat.png").read_bytes(), "no_face", {}),
        (lambda data: (data / "coffee-cup.png").read_bytes(), "no_face", {}),
        (lambda data: png(Image.new("RGB", (600, 800), "white")), "no_face", {}),
        (lambda data: png(Image.new("RGBA", (600, 800), (9, 9, 9, 0))), "no_face", {}),
        (side_by_side, "several_faces", {"count": 4}),
        (part_of_a_face, "face_cut", {}),
        (far_away, "face_too_small", {"eyes_px": 13, "limit_px": 16}),
        (
            lambda data: png(Image.new("RGB", (40, 40))),
            "photo_too_small",
            {"width": 40, "height": 40, "limit": 48},
        ),
    ],
)
def test_a_photo_without_one_usable_face(
    data: Path,
    find_faces: FindFaces,
    make: Callable[[Path], bytes],
    code: str,
    details: dict[str, int],
) -> None:
    for prepare in (prepare_photo, prepare_check):
        with pytest.raises(UnusablePhoto) as caught:
            prepare(make(data), order_of(), find_faces, sides=SIDES, max_pixels=LIMIT)
        assert caught.value.code == code
        assert caught.value.details == pytest.approx(details, abs=1)


def test_a_photo_that_cannot_be_decoded(data: Path, find_faces: FindFaces) -> None:
    file = (data / "astronaut.png").read_bytes()
    with pytest.raises(UnreadablePhoto):
        prepared(file[:100_000], find_faces)
    with pytest.raises(PhotoTooLarge):
        prepare_photo(file, order_of(), find_faces, sides=SIDES, max_pixels=200_000)


@pytest.mark.parametrize(
    "spoil",
    [
        np.zeros_like,
        lambda alpha: np.full_like(alpha, 255),
        lambda alpha: 255 - alpha,
        lambda alpha: np.roll(alpha, alpha.shape[1] * 2 // 5, axis=1),
        lambda alpha: alpha // 2,
    ],
    ids=["nothing", "everything", "the background", "beside the face", "half transparent"],
)
def test_a_matte_that_misses_the_face(
    astronaut: tuple[Portrait, Alphas], spoil: Callable[[Alpha8], Alpha8]
) -> None:
    portrait, alphas = astronaut
    with pytest.raises(UnusablePhoto) as caught:
        finish_photo(
            portrait,
            {role: [spoil(alpha) for alpha in given] for role, given in alphas.items()},
            order_of(),
        )
    assert caught.value.code == "matte_unreliable"
