"""Adjustments, marks and backgrounds on their way through the flow."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline import documents, orders, papers
from pipeline.errors import BadOrder, IdPhotoError
from pipeline.finish_values import Adjustments, AiLabel, Finish, Watermark
from pipeline.flow import print_as_is
from pipeline.values import IdPhoto
from tests.unit.pipeline.orders import LIMIT, Answer, FindFaces, finished, pixels, png, prepared

Make = Callable[..., IdPhoto]
UNEVEN = "tiny-dark-skin-white-bg.jpg"
PLAIN_CODES = {"us-passport", "uk-passport", "fr-passport", "cn-id-card", "cn-visa", "cn-chsi"}


@pytest.fixture(scope="module")
def make(data: Path, find_faces: FindFaces, answer: Answer) -> Make:
    """One photo of the astronaut, or of another one."""

    def one(id: str = "cn-1-inch", *, photo: str = "astronaut.png", **named: Any) -> IdPhoto:
        order = orders.photo_order([id], quality="fast", **{"format": "png", **named})
        portrait = prepared((data / photo).read_bytes(), find_faces, order)
        (made,) = finished(portrait, answer(portrait), order)
        return made

    return one


def values(photo: IdPhoto) -> dict[str, float | None]:
    return {check.code: check.value for check in photo.checks}


def test_what_was_done_is_told_and_the_checks_are_of_what_came_of_it(make: Make) -> None:
    plain = make(photo=UNEVEN)
    lit = make(photo=UNEVEN, finish=Finish(Adjustments(fill_light=True)))
    assert plain.adjusted.none and not lit.adjusted.none
    before, after = values(plain)["light_balance"], values(lit)["light_balance"]
    assert before is not None and after is not None
    assert abs(after) < 0.7 * abs(before)
    # All else is said of the upload, as ever.
    assert values(plain).keys() == values(lit).keys()
    assert values(plain)["sharpness"] == values(lit)["sharpness"]


def test_only_the_person_is_adjusted(make: Make) -> None:
    plain, bright = (
        pixels(make(backgrounds=["blue"], finish=Finish(Adjustments(brightness=amount))))
        for amount in (0, 60)
    )
    assert (plain[:5, :5] == bright[:5, :5]).all()
    assert bright[200, 140].mean() > plain[200, 140].mean() + 3


def test_the_person_is_the_same_before_any_background(make: Make) -> None:
    """What was taken of the old background's colour does not depend on the new one."""
    image = png(Image.new("RGB", (90, 50), (173, 206, 235)))
    flat, gradient, picture = (
        pixels(make(backgrounds=[name], **named)).astype(int)
        for name, named in (
            ("light-blue", {}),
            ("gradient:#adceeb-#adceeb", {}),
            ("image", {"background_image": image}),
        )
    )
    assert (flat == gradient).all()
    assert (flat == picture).all()


def test_a_picture_alone_is_the_background(make: Make) -> None:
    image = png(Image.linear_gradient("L").convert("RGB"))
    made = make(background_image=image)
    assert made.background == "image"
    column = pixels(made)[:200, 2, 0].astype(int)
    assert column[0] < 10 and column[-1] > 100 and (np.diff(column) >= 0).all()


@pytest.mark.parametrize("file", [b"no picture", b""])
def test_a_background_that_cannot_be_read(make: Make, file: bytes) -> None:
    with pytest.raises(IdPhotoError) as caught:
        make(background_image=file)
    assert caught.value.code in ("unsupported_format", "empty_body")


@pytest.mark.parametrize(
    ("id", "named", "code"),
    [
        ("us-passport", {"backgrounds": ["gradient:#fff-#000"]}, "background_forbidden"),
        ("spain-passport", {"backgrounds": ["radial:#fff-#000"]}, "background_forbidden"),
        ("us-passport", {"background_image": b"x"}, "background_forbidden"),
        ("cn-1-inch", {"backgrounds": ["image"]}, "bad_parameter"),
        ("cn-1-inch", {"backgrounds": ["red"], "background_image": b"x"}, "bad_parameter"),
        ("us-passport", {"finish": Finish(Adjustments(brightness=5))}, "retouching_forbidden"),
        ("cn-passport", {"finish": Finish(Adjustments(sharpness=5))}, "retouching_forbidden"),
    ],
)
def test_what_a_document_does_not_allow(id: str, named: dict[str, Any], code: str) -> None:
    with pytest.raises(BadOrder) as caught:
        orders.photo_order([id], **named)
    assert caught.value.code == code
    if "forbidden" in code:
        assert id in str(caught.value)


def test_which_documents_allow_what() -> None:
    every = documents.all_documents()
    free = {document.id for document in every if not document.plain_background}
    assert free and all(id.startswith("cn-") and id.endswith("-inch") for id in free)
    assert not documents.custom(size_mm=(35, 45)).plain_background
    assert not free & PLAIN_CODES
    assert {documents.find(id).retouching for id in ("us-passport", "ca-passport")} == {"none"}
    assert documents.find("cn-passport").retouching == "tone"
    assert documents.find("cn-1-inch").retouching == "any"


def test_marks_lie_on_the_photo(make: Make) -> None:
    plain = pixels(make()).astype(int)
    tiled = pixels(make(finish=Finish(watermark=Watermark("SAMPLE"))))
    labelled = pixels(make(finish=Finish(label=AiLabel("me", "AI生成"))))
    assert np.abs(tiled - plain).reshape(7, 59, 5, 59, 3).max(axis=(1, 3, 4)).min() > 20
    changed = np.argwhere(np.abs(labelled - plain).max(axis=2) > 20)
    assert changed[:, 0].min() > 0.9 * plain.shape[0] and changed[:, 1].max() < 0.5 * plain.shape[1]


def test_a_watermark_without_a_font_is_refused_before_the_photo_is_read(
    find_faces: FindFaces,
) -> None:
    order = orders.photo_order(["cn-1-inch"], finish=Finish(watermark=Watermark("😀")))
    with pytest.raises(BadOrder) as caught:
        prepared(b"no picture", find_faces, order)
    assert caught.value.code == "no_font"


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_a_label_is_in_the_file_and_only_where_it_is_asked_for(make: Make, format: str) -> None:
    for label in (None, AiLabel("Example 照相馆")):
        data = make(format=format, finish=Finish(label=label)).data
        with Image.open(io.BytesIO(data)) as image:
            assert ("xmp" in image.info) == (label is not None)
        assert ("Example 照相馆".encode() in data) == (label is not None)


def test_a_finished_photo_is_printed_as_it_is(make: Make) -> None:
    photo = make("cn-1-inch")
    order = orders.sheet_order(
        ["cn-1-inch"], paper=papers.find("4r"), format="png", cut="none", counts=[2], as_is=True
    )
    sheet = print_as_is(photo.data, order, max_pixels=LIMIT)
    (told,) = sheet.photos
    assert (told.document, told.background, told.count) == ("cn-1-inch", "as-is", 2)
    with Image.open(io.BytesIO(sheet.data)) as image:
        paper = np.asarray(image)
    corners = np.argwhere(np.any(paper != 255, axis=2))
    assert len(corners) > 0
    # At its own density not a pixel of it changes.
    wanted = pixels(photo)
    height, width = wanted.shape[:2]
    found = any(
        np.array_equal(paper[y : y + height, x : x + width], wanted)
        for y in range(paper.shape[0] // 2 - height, paper.shape[0] // 2 + 2)
        for x in (paper.shape[1] // 2 - width - 12 + shift for shift in range(4))
    )
    assert found


@pytest.mark.parametrize(
    "named",
    [
        {"backgrounds": ["red"]},
        {"finish": Finish(Adjustments(auto=True))},
        {"names": ["cn-1-inch", "cn-2-inch"]},
    ],
)
def test_a_finished_photo_is_not_made_anew(named: dict[str, Any]) -> None:
    names = named.pop("names", ["cn-1-inch"])
    with pytest.raises(BadOrder) as caught:
        orders.sheet_order(names, paper=papers.find("4r"), as_is=True, **named)
    assert caught.value.details["name"] == "as_is"


def test_a_finished_photo_of_another_shape_is_refused() -> None:
    order = orders.sheet_order(["cn-1-inch"], paper=papers.find("4r"), as_is=True)
    with pytest.raises(BadOrder, match="shape"):
        print_as_is(png(Image.new("RGB", (300, 300))), order, max_pixels=LIMIT)
