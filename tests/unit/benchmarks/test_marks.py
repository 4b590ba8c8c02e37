"""An answer that belongs to another client is noticed."""

import io
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from benchmarks.marks import DOCUMENTS, Mark, fault, marks

MARK = Mark("a.jpg", "cn-1-inch", (20, 75, 240))


def picture(
    mark: Mark = MARK,
    person_rgb: tuple[int, int, int] = (200, 150, 120),
    size: tuple[int, int] = (295, 413),
    shift_px: int = 0,
) -> bytes:
    """A person of one colour on the mark's ground, with shoulders in both lower corners."""
    image = Image.new("RGB", size, mark.background_rgb)
    width, height = size
    image.paste(person_rgb, (width // 4 + shift_px, height // 5, 3 * width // 4 + shift_px, height))
    image.paste(person_rgb, (0, 3 * height // 4, width, height))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (picture(), None),
        (picture(shift_px=1), None),
        (picture(person_rgb=(203, 152, 121)), None),
        (picture(person_rgb=(90, 60, 50)), "face"),
        (picture(replace(MARK, background_rgb=(20, 130, 240))), "background"),
        (picture(replace(MARK, background_rgb=(75, 75, 240))), "background"),
        (picture(size=(413, 579)), "size"),
        (picture()[:-3000], "unreadable"),
        (b"{}", "unreadable"),
        (b"", "unreadable"),
    ],
)
def test_what_is_wrong_with_an_answer(answer: bytes, expected: str | None) -> None:
    assert fault(MARK, picture(), answer) == expected


def test_hair_may_reach_a_corner() -> None:
    with Image.open(io.BytesIO(picture())) as image:
        hairy = image.convert("RGB")
    hairy.paste((30, 20, 10), (0, 0, 20, 60))
    file = io.BytesIO()
    hairy.save(file, "PNG")
    assert fault(MARK, file.getvalue(), file.getvalue()) is None


def test_a_hundred_clients_have_grounds_that_differ_by_more_than_is_tolerated() -> None:
    found = list(islice(marks(["a", "b", "c"]), 100))
    colours = np.array([mark.background_rgb for mark in found])
    apart = np.abs(colours[:, None] - colours[None]).max(axis=2)
    assert apart[~np.eye(len(found), dtype=bool)].min() > 2 * 16
    assert {(mark.photo, mark.document) for mark in found} == {
        (photo, document) for photo in "abc" for document in DOCUMENTS
    }
    assert found[0].background == "#" + "14" * 3
