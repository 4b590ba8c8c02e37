"""People who are kept: what further orders get, and when they need the photo."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline import documents, flow, orders, reuse
from pipeline.errors import Gone
from pipeline.values import NUDGE_LIMITS, IdPhoto, Nudge, Order, Rgb
from pipeline.variants import Subject
from tests.unit.pipeline.orders import Answer, FindFaces, pixels, png, prepared

FIRST = replace(orders.photo_order(["cn-1-inch"]), reuse=True)
WIDE = Nudge(*(limits[0] for limits in NUDGE_LIMITS.values()))


def order_of(id: str, nudge: Nudge | None = None) -> Order:
    return orders.photo_order([id], ["blue"], format="png", nudge=nudge)


def subject_of(file: bytes, order: Order, find_faces: FindFaces, answer: Answer) -> Subject:
    portrait = prepared(file, find_faces, order)
    subject = flow.subject(portrait, answer(portrait))
    assert isinstance(subject, Subject)
    return subject


def in_front_of(wall: tuple[int, int, int], upright: Image.Image, enlarge: int) -> bytes:
    """The person small in a large photo."""
    size = upright.width * enlarge, upright.height * enlarge
    photo = Image.new("RGB", (size[0] * 2, size[1] * 2), wall)
    photo.paste(upright.resize(size), (size[0] // 2, size[1]))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture(scope="module")
def large(upright: Image.Image) -> bytes:
    """As from a camera, 3200 x 4096: a head of seven hundred pixels."""
    return in_front_of((200, 205, 210), upright, 4)


@pytest.fixture(scope="module")
def kept(large: bytes, find_faces: FindFaces, answer: Answer) -> reuse.Kept:
    return reuse.keep(subject_of(large, FIRST, find_faces, answer), FIRST)


def difference(one: IdPhoto, other: IdPhoto) -> float:
    return float(np.abs(pixels(one).astype(int) - pixels(other).astype(int)).mean())


@pytest.mark.parametrize("id", ["cn-1-inch", "us-passport"])
def test_other_documents_are_as_of_the_photo(
    id: str, kept: reuse.Kept, large: bytes, find_faces: FindFaces, answer: Answer
) -> None:
    order = order_of(id)
    portrait = prepared(large, find_faces, order)
    direct = flow.finish_photo(portrait, answer(portrait), order)
    (again,) = reuse.photos(kept, order)
    assert isinstance(direct, tuple)
    # Decoded at another scale the face is found a fraction of a pixel elsewhere.
    assert difference(direct[0], again) < 4
    # The certainty is that of what was first prepared.
    results = [
        {check.code: check.result for check in photo.checks if check.code != "matte"}
        for photo in (direct[0], again)
    ]
    assert results[0] == results[1]


def test_every_document_with_every_nudge_is_in_reach(kept: reuse.Kept) -> None:
    for document in documents.all_documents():
        if document.head_height.target * document.size_px[1] > 460:
            continue
        for nudge in (None, WIDE, Nudge(0.8, 20, 20, 15)):
            order = replace(order_of(document.id, nudge), documents=(document,))
            # Raises where the crop leaves what is kept; nothing needs to be drawn for that.
            reuse.require(kept, order)


def test_a_finer_document_than_what_is_kept_needs_the_photo(kept: reuse.Kept) -> None:
    order = orders.photo_order([], size_mm=(35.0, 45.0), dpi=600)
    with pytest.raises(Gone) as refused:
        reuse.photos(kept, order)
    assert refused.value.code == "cutout_too_small"


def test_a_panorama_needs_the_photo(kept: reuse.Kept) -> None:
    with pytest.raises(Gone):
        reuse.photos(kept, orders.photo_order([], size_px=(1500.0, 300.0)))


def test_a_small_photo_is_as_fine_as_it_will_be(
    upright: Image.Image, find_faces: FindFaces, answer: Answer
) -> None:
    small = subject_of(png(upright), FIRST, find_faces, answer)
    order = orders.photo_order([], size_mm=(35.0, 45.0), dpi=600)
    assert reuse.photos(reuse.keep(small, FIRST), order)[0].size_px == (827, 1063)


def test_what_is_kept_is_its_own_and_small(kept: reuse.Kept, large: bytes) -> None:
    region: Rgb = kept.subject.portrait.region_rgb
    assert region.base is None and not region.flags.writeable
    assert not kept.subject.portrait.views
    assert region.nbytes < kept.size_bytes < 12_000_000


def test_the_quality_is_that_of_the_matte(kept: reuse.Kept) -> None:
    fast = replace(kept, quality="fast")
    assert reuse.photos(fast, order_of("cn-1-inch"))[0].quality == "fast"
