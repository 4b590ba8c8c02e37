from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline import colours, documents
from pipeline.errors import UnusablePhoto
from pipeline.flow import finish_cutout, finish_photo, prepare_cutout
from pipeline.values import Alpha8, CutoutOrder, IdPhoto, Order, Portrait, Quality, Rgb
from tests.unit.pipeline.orders import LIMIT, SIDES, Answer, FindFaces, pixels

ReadOnly = Callable[..., tuple[Portrait, dict[str, list[Alpha8]]]]
CutOut = Callable[[str, CutoutOrder], IdPhoto]
Prepare = Callable[[str, CutoutOrder], Portrait]


def cutout_order(
    kind: str = "rgba", format: str = "png", max_side_px: int = 2000, quality: Quality = "best"
) -> CutoutOrder:
    return CutoutOrder(format, kind, max_side_px, quality)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def prepared(data: Path, find_faces: FindFaces) -> Prepare:
    def prepare(name: str, order: CutoutOrder) -> Portrait:
        file = (data / name).read_bytes()
        return prepare_cutout(file, order, find_faces, sides=SIDES, max_pixels=LIMIT)

    return prepare


@pytest.fixture(scope="module")
def cut_out(prepared: Prepare, answer: Answer) -> CutOut:
    def cut(name: str, order: CutoutOrder) -> IdPhoto:
        portrait = prepared(name, order)
        return finish_cutout(portrait, answer(portrait), order)

    return cut


@pytest.mark.parametrize("quality", ["best", "fast"])
def test_a_thing_is_shown_to_the_saliency_net_alone(prepared: Prepare, quality: Quality) -> None:
    """Even in haste: the person net knows nothing of things."""
    portrait = prepared("coffee-cup.png", cutout_order(quality=quality))
    assert portrait.face is None
    (view,) = portrait.views["saliency"]
    assert portrait.views.keys() == {"saliency"}
    assert (view.rgb.shape, view.box_xyxy_px) == ((320, 320, 3), (0, 0, 600, 400))


def test_a_person_is_shown_to_both_nets(prepared: Prepare) -> None:
    portrait = prepared("astronaut.png", cutout_order())
    assert portrait.face is not None
    assert portrait.views.keys() == SIDES.keys()
    for views in portrait.views.values():
        assert views[0].box_xyxy_px == (0, 0, 512, 512)
    assert portrait.frames["person"][0] is portrait.frames["saliency"][0]


def test_a_fast_cutout_of_a_person_asks_the_person_net_alone(
    prepared: Prepare, cut_out: CutOut
) -> None:
    order = cutout_order(kind="mask", quality="fast")
    assert prepared("astronaut.png", order).views.keys() == {"person"}
    fast = pixels(cut_out("astronaut.png", order))
    best = pixels(cut_out("astronaut.png", cutout_order(kind="mask")))
    assert 0.9 < ((fast > 128) == (best > 128)).mean() < 1


def test_a_single_net_of_either_role_is_enough(data: Path, find_faces: FindFaces) -> None:
    order = cutout_order()
    for role, side in SIDES.items():
        for name in ("coffee-cup.png", "astronaut.png"):
            file = (data / name).read_bytes()
            portrait = prepare_cutout(file, order, find_faces, sides={role: side}, max_pixels=LIMIT)
            assert portrait.views.keys() == {role}


@pytest.mark.parametrize(
    ("name", "size_px", "inside", "outside"),
    [
        ("coffee-cup.png", (600, 400), (330, 200), (20, 20)),
        ("astronaut.png", (512, 512), (225, 130), (100, 40)),
    ],
)
@pytest.mark.parametrize(("format", "media_type"), [("png", "image/png"), ("webp", "image/webp")])
def test_a_cutout(
    cut_out: CutOut,
    name: str,
    size_px: tuple[int, int],
    inside: tuple[int, int],
    outside: tuple[int, int],
    format: str,
    media_type: str,
) -> None:
    photo = cut_out(name, cutout_order(format=format))
    assert (photo.size_px, photo.media_type) == (size_px, media_type)
    assert (photo.document, photo.background, photo.checks) == ("", "transparent", ())
    rgba = pixels(photo)
    assert rgba.shape == (size_px[1], size_px[0], 4)
    assert rgba[inside[1], inside[0], 3] > 230
    assert rgba[outside[1], outside[0], 3] < 25
    assert 0.1 < (rgba[..., 3] > 128).mean() < 0.9


def test_solid_parts_keep_their_colours(cut_out: CutOut, load_rgb: Callable[[str], Rgb]) -> None:
    rgba = pixels(cut_out("coffee-cup.png", cutout_order()))
    # Near its edge the matte is not believed.
    solid = cv2.erode((rgba[..., 3] == 255).astype(np.uint8), np.ones((25, 25))) == 1
    assert solid.mean() > 0.1
    np.testing.assert_array_equal(rgba[solid][:, :3], load_rgb("coffee-cup.png")[solid])


@pytest.mark.parametrize("name", ["coffee-cup.png", "astronaut.png"])
def test_the_mask_is_the_alpha_of_the_cutout(cut_out: CutOut, name: str) -> None:
    mask = pixels(cut_out(name, cutout_order(kind="mask")))
    rgba = pixels(cut_out(name, cutout_order()))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, rgba[..., 3])


@pytest.mark.parametrize(
    ("max_side_px", "size_px"),
    [(2000, (600, 400)), (600, (600, 400)), (599, (599, 399)), (300, (300, 200)), (64, (64, 43))],
)
def test_the_longer_side_of_a_cutout(
    cut_out: CutOut, max_side_px: int, size_px: tuple[int, int]
) -> None:
    photo = cut_out("coffee-cup.png", cutout_order(max_side_px=max_side_px))
    assert photo.size_px == size_px
    assert pixels(photo).shape == (size_px[1], size_px[0], 4)


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_without_a_subject(prepared: Prepare, value: int) -> None:
    order = cutout_order()
    portrait = prepared("cat.png", order)
    with pytest.raises(UnusablePhoto) as caught:
        finish_cutout(portrait, {"saliency": [np.full((320, 320), value, np.uint8)]}, order)
    assert caught.value.code == "no_subject"


def test_an_id_photo_is_not_made_of_a_thing(prepared: Prepare) -> None:
    portrait = prepared("coffee-cup.png", cutout_order())
    order = Order((documents.find("us-passport"),), (colours.parse("white"),), "jpeg")
    with pytest.raises(ValueError, match="needs a face"):
        finish_photo(portrait, {"saliency": [np.zeros((320, 320), np.uint8)]}, order)


@pytest.mark.parametrize("name", ["coffee-cup.png", "astronaut.png"])
def test_arrays_that_crossed_a_process_are_left_alone(
    prepared: Prepare, answer: Answer, read_only: ReadOnly, name: str
) -> None:
    order = cutout_order()
    portrait = prepared(name, order)
    alphas = answer(portrait)
    before = finish_cutout(portrait, alphas, order)
    assert finish_cutout(*read_only(portrait, alphas), order) == before
