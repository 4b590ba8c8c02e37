"""What a person's words mean: sizes, densities, bytes, sheets."""

from typing import Any

import pytest

from pipeline import documents, orders, papers
from pipeline.errors import BadOrder


def refusal(make: Any, *args: Any, **named: Any) -> tuple[str, str]:
    with pytest.raises(BadOrder) as caught:
        make(*args, **named)
    return caught.value.code, str(caught.value.details.get("name", ""))


@pytest.mark.parametrize(
    ("id", "dpi", "size_px"),
    [
        ("cn-1-inch", None, (295, 413)),
        ("cn-1-inch", 600, (591, 827)),
        ("us-passport", 300, (600, 600)),  # as the authority rounds
        ("us-passport", 600, (1205, 1205)),
        ("cn-visa-digital", 350, (413, 551)),
    ],
)
def test_a_density_chooses_the_pixels(id: str, dpi: int | None, size_px: tuple[int, int]) -> None:
    (document,) = orders.photo_order([id], dpi=dpi).documents
    assert document.size_px == size_px
    assert document.size_mm == documents.find(id).size_mm
    wide_mm = document.size_px[0] / document.dpi * 25.4
    assert wide_mm == pytest.approx(document.size_mm[0], abs=0.25)


def test_a_density_that_a_document_does_not_take() -> None:
    assert refusal(orders.photo_order, ["cn-visa-digital"], dpi=600) == ("bad_parameter", "dpi")


@pytest.mark.parametrize(
    ("id", "min_kb", "max_kb", "limit"),
    [
        ("cn-1-inch", None, 40, (0, 40_000)),
        ("cn-1-inch", 100, None, (102_400, 1 << 40)),
        ("cn-1-inch", 40, 40, (40_000, 40_960)),
        ("cn-chsi", None, 200, (102_400, 200_000)),
        ("cn-chsi", None, 900, (102_400, 500_000)),
        ("cn-chsi", 120, None, (122_880, 500_000)),
        ("cn-visa-digital", None, 40, (40_000, 40_960)),
    ],
)
def test_the_stricter_limit_of_bytes_wins(
    id: str, min_kb: int | None, max_kb: int | None, limit: tuple[int, int]
) -> None:
    order = orders.photo_order([id], min_kb=min_kb, max_kb=max_kb)
    assert order.documents[0].bytes_limit == limit
    assert order.bytes_limit is not None


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ({"min_kb": 50, "max_kb": 40}, "min_kb"),
        ({"max_kb": 90}, "max_kb"),
        ({"min_kb": 600}, "min_kb"),
        ({"progressive": True, "format": "png"}, "progressive"),
    ],
)
def test_limits_that_exclude_each_other(named: dict[str, Any], name: str) -> None:
    assert refusal(orders.photo_order, ["cn-chsi"], **named) == ("bad_parameter", name)


@pytest.mark.parametrize(
    ("named", "free"),
    [
        ({"size_mm": (35.0, 45.0)}, True),
        ({"size_mm": (35.0, 45.0), "dpi": 300}, False),
        ({"size_px": (413.0, 531.0)}, False),
    ],
)
def test_pixels_are_free_where_nobody_named_them(named: dict[str, Any], free: bool) -> None:
    (document,) = orders.photo_order([], **named).documents
    assert (len(documents.densities(document)) > 1) == free
    for dpi in documents.densities(document):
        wide, high = documents.at_dpi(document, dpi).size_px
        assert (wide / dpi * 25.4, high / dpi * 25.4) == pytest.approx((35, 45), abs=0.1)


@pytest.mark.parametrize(
    ("id", "lowest", "highest"),
    [("cn-visa-digital", (354, 472), (419, 559)), ("us-ds160", (600, 600), (1200, 1200))],
)
def test_a_document_may_have_the_pixels_that_it_accepts(
    id: str, lowest: tuple[int, int], highest: tuple[int, int]
) -> None:
    document = documents.find(id)
    every = documents.densities(document)
    found = [documents.at_dpi(document, dpi).size_px for dpi in (every[0], every[-1])]
    assert found == [lowest, highest]


def test_a_document_of_fixed_pixels_has_one_density() -> None:
    assert documents.densities(documents.find("cn-id-card")) == (350,)


# --- Sheets --------------------------------------------------------------------------------------

PAPER = papers.find("4r")


@pytest.mark.parametrize(
    ("dpi", "size_px"), [(300, (602, 602)), (350, (703, 703)), (600, (1205, 1205))]
)
def test_photos_on_paper_have_true_millimetres(dpi: int, size_px: tuple[int, int]) -> None:
    order = orders.sheet_order(["us-passport"], paper=PAPER, dpi=dpi)
    (document,) = order.photos.documents
    assert (document.size_px, document.dpi, document.bytes_limit) == (size_px, dpi, None)
    assert {slot.size_mm for slot in order.layout.slots} == {(51.0, 51.0)}


def test_every_document_comes_in_every_background() -> None:
    ids, colours = ["cn-1-inch", "cn-2-inch"], ["red", "blue"]
    order = orders.sheet_order(ids, colours, paper=PAPER, counts=[1, 2, 1, 1])
    kinds = [slot.kind for slot in order.layout.slots]
    assert [kinds.count(kind) for kind in range(4)] == [1, 2, 1, 1]
    sizes = {slot.kind: slot.size_mm for slot in order.layout.slots}
    assert sizes == {0: (25, 35), 1: (25, 35), 2: (35, 49), 3: (35, 49)}


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ({"names": []}, "document"),
        ({"backgrounds": ["transparent"]}, "background"),
        ({"counts": [1, 2]}, "count"),
        ({"counts": [200]}, "count"),
        ({"dpi": 299}, "dpi"),
        ({"dpi": 601}, "dpi"),
        ({"dpi": 600, "paper": papers.custom((300, 420))}, "dpi"),
        ({"margin_mm": 50}, "paper"),
        ({"progressive": True, "format": "pdf"}, "progressive"),
    ],
)
def test_sheets_that_cannot_be(named: dict[str, Any], name: str) -> None:
    wanted = {"names": ["cn-1-inch"], "paper": PAPER, **named}
    assert refusal(orders.sheet_order, **wanted) == ("bad_parameter", name)
