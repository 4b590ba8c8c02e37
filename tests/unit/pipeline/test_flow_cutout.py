import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from models.matting import MattingNet
from pipeline import colours, documents
from pipeline.errors import UnusablePhoto
from pipeline.flow import finish_cutout, finish_photo, prepare_cutout
from pipeline.values import CutoutOrder, IdPhoto, Order, Portrait, Rgb

FRAME_PX = 320
LIMIT = 50_000_000


def pixels(photo: IdPhoto) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(photo.data)) as image:
        assert image.size == photo.size_px
        return np.asarray(image)


def prepared(data: Path, name: str, order: CutoutOrder) -> Portrait:
    file = (data / name).read_bytes()
    return prepare_cutout(file, order, frame_px=FRAME_PX, max_pixels=LIMIT)


def cutout_order(kind: str = "rgba", format: str = "png", max_side_px: int = 2000) -> CutoutOrder:
    return CutoutOrder(format, kind, max_side_px)  # type: ignore[arg-type]


def cut_out(data: Path, name: str, u2netp: MattingNet, order: CutoutOrder) -> IdPhoto:
    portrait = prepared(data, name, order)
    assert portrait.face is None
    return finish_cutout(portrait, {"person": u2netp.matte([portrait.frame_rgb])[0]}, order)


@pytest.mark.parametrize(
    ("name", "size_px", "inside", "outside"),
    [
        ("coffee-cup.png", (600, 400), (330, 200), (20, 20)),
        ("astronaut.png", (512, 512), (225, 130), (100, 40)),
    ],
)
@pytest.mark.parametrize(("format", "media_type"), [("png", "image/png"), ("webp", "image/webp")])
def test_a_cutout(
    data: Path,
    u2netp: MattingNet,
    name: str,
    size_px: tuple[int, int],
    inside: tuple[int, int],
    outside: tuple[int, int],
    format: str,
    media_type: str,
) -> None:
    photo = cut_out(data, name, u2netp, cutout_order(format=format))
    assert (photo.size_px, photo.media_type) == (size_px, media_type)
    assert (photo.document, photo.background, photo.findings) == ("", "transparent", ())
    rgba = pixels(photo)
    assert rgba.shape == (size_px[1], size_px[0], 4)
    assert rgba[inside[1], inside[0], 3] > 230
    assert rgba[outside[1], outside[0], 3] < 25
    assert 0.1 < (rgba[..., 3] > 128).mean() < 0.9


def test_solid_parts_keep_their_colours(
    data: Path, u2netp: MattingNet, load_rgb: Callable[[str], Rgb]
) -> None:
    rgba = pixels(cut_out(data, "coffee-cup.png", u2netp, cutout_order()))
    solid = rgba[..., 3] == 255
    assert solid.mean() > 0.1
    np.testing.assert_array_equal(rgba[solid][:, :3], load_rgb("coffee-cup.png")[solid])


@pytest.mark.parametrize("name", ["coffee-cup.png", "astronaut.png"])
def test_the_mask_is_the_alpha_of_the_cutout(data: Path, u2netp: MattingNet, name: str) -> None:
    mask = pixels(cut_out(data, name, u2netp, cutout_order(kind="mask")))
    rgba = pixels(cut_out(data, name, u2netp, cutout_order()))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, rgba[..., 3])


@pytest.mark.parametrize(
    ("max_side_px", "size_px"),
    [(2000, (600, 400)), (600, (600, 400)), (599, (599, 399)), (300, (300, 200)), (64, (64, 43))],
)
def test_the_longer_side_of_a_cutout(
    data: Path, u2netp: MattingNet, max_side_px: int, size_px: tuple[int, int]
) -> None:
    photo = cut_out(data, "coffee-cup.png", u2netp, cutout_order(max_side_px=max_side_px))
    assert photo.size_px == size_px
    assert pixels(photo).shape == (size_px[1], size_px[0], 4)


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_without_a_subject(data: Path, value: int) -> None:
    order = cutout_order()
    portrait = prepared(data, "cat.png", order)
    with pytest.raises(UnusablePhoto) as caught:
        finish_cutout(portrait, {"person": np.full((320, 320), value, np.uint8)}, order)
    assert caught.value.code == "no_subject"


def test_an_id_photo_is_not_made_of_a_cutout_s_portrait(data: Path) -> None:
    portrait = prepared(data, "astronaut.png", cutout_order())
    order = Order((documents.find("us-passport"),), (colours.parse("white"),), "jpeg")
    with pytest.raises(ValueError, match="needs a face"):
        finish_photo(portrait, {"person": np.zeros((320, 320), np.uint8)}, order)


def test_arrays_that_crossed_a_process_are_left_alone(data: Path, u2netp: MattingNet) -> None:
    order = cutout_order()
    portrait = prepared(data, "astronaut.png", order)
    alpha = u2netp.matte([portrait.frame_rgb])[0]
    before = finish_cutout(portrait, {"person": alpha}, order)
    frozen = [array.copy() for array in (portrait.region_rgb, portrait.frame_rgb, alpha)]
    for array in frozen:
        array.setflags(write=False)
    read_only = replace(portrait, region_rgb=frozen[0], frame_rgb=frozen[1])
    assert finish_cutout(read_only, {"person": frozen[2]}, order) == before
