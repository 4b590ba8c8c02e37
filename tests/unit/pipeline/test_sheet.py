"""Where photos lie on paper, in millimetres alone."""

import math
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline import papers
from pipeline.errors import BadOrder
from pipeline.sheet import lay_out
from pipeline.sheet_values import Layout

ONE_INCH, TWO_INCH, US = (25.0, 35.0), (35.0, 49.0), (51.0, 51.0)


def kinds(layout: Layout) -> list[int]:
    return [slot.kind for slot in layout.slots]


@pytest.mark.parametrize(
    ("paper", "size_mm", "gap_mm", "margin_mm", "number", "held"),
    [
        # 3 x 25 + 2 x 2 = 79 of 96 mm; 4 x 35 + 3 x 2 = 146 of 146 mm.
        ("4r", ONE_INCH, 2, 3, 12, (102, 152)),
        # A millimetre less, and it is 5 x 2, across.
        ("4r", ONE_INCH, 2, 4, 10, (152, 102)),
        ("3r", ONE_INCH, 2, 3, 9, (89, 127)),
        ("3r", ONE_INCH, 0, 0, 10, (127, 89)),
        ("4r", TWO_INCH, 2, 3, 4, (102, 152)),
        ("5r", US, 2, 3, 6, (127, 178)),
        ("a4", US, 2, 3, 15, (210, 297)),
        ("a4", US, 0, 0, 20, (210, 297)),
        ("a4", ONE_INCH, 2, 3, 50, (297, 210)),
        ("letter", US, 2, 3, 15, (215.9, 279.4)),
        ("a6", (105.0, 148.0), 2, 0, 1, (105, 148)),
        ("a6", (148.0, 105.0), 2, 0, 1, (148, 105)),
    ],
)
def test_one_size_fills_the_paper(
    paper: str,
    size_mm: tuple[float, float],
    gap_mm: float,
    margin_mm: float,
    number: int,
    held: tuple[float, float],
) -> None:
    found = lay_out(papers.find(paper).size_mm, [size_mm], gap_mm=gap_mm, margin_mm=margin_mm)
    assert (len(found.slots), found.size_mm) == (number, held)


def test_the_block_lies_in_the_middle_in_straight_rows() -> None:
    slots = lay_out((102, 152), [ONE_INCH]).slots
    assert {slot.xy_mm[0] for slot in slots} == {11.5, 38.5, 65.5}
    assert {slot.xy_mm[1] for slot in slots} == {3.0, 40.0, 77.0, 114.0}


@pytest.mark.parametrize(
    ("sizes_mm", "counts", "wanted"),
    [
        ([ONE_INCH], [5], [0] * 5),
        ([ONE_INCH, TWO_INCH], [4, 4], [1] * 4 + [0] * 4),
        # The small ones stand beside the tall ones while there is room.
        ([ONE_INCH, TWO_INCH], [2, 2], [1, 1, 0, 0]),
    ],
)
def test_so_many_as_are_asked_for(
    sizes_mm: list[tuple[float, float]], counts: list[int], wanted: list[int]
) -> None:
    assert kinds(lay_out((102, 152), sizes_mm, counts)) == wanted


def test_several_sizes_share_the_paper_alike() -> None:
    found = kinds(lay_out((210, 297), [ONE_INCH, TWO_INCH, US]))
    numbers = [found.count(kind) for kind in range(3)]
    assert min(numbers) >= 6
    # Only what is left over is given to some.
    assert sorted(numbers)[1] - min(numbers) <= 2


@pytest.mark.parametrize("orientation", ["portrait", "landscape"])
def test_the_paper_is_held_as_it_was_asked_for(orientation: str) -> None:
    found = lay_out((152, 102), [ONE_INCH], orientation=orientation)  # type: ignore[arg-type]
    wide, high = found.size_mm
    assert (wide < high) == (orientation == "portrait")
    assert len(found.slots) == {"portrait": 12, "landscape": 10}[orientation]


@pytest.mark.parametrize(
    ("sizes_mm", "counts", "name"),
    [
        ([(120.0, 120.0)], None, "paper"),
        ([ONE_INCH, (100.0, 140.0)], None, "paper"),
        ([ONE_INCH], [13], "count"),
        ([ONE_INCH, TWO_INCH], [1, 40], "count"),
    ],
)
def test_what_does_not_fit_is_refused(
    sizes_mm: list[tuple[float, float]], counts: list[int] | None, name: str
) -> None:
    with pytest.raises(BadOrder) as caught:
        lay_out((102, 152), sizes_mm, counts)
    assert (caught.value.code, caught.value.details["name"]) == ("bad_parameter", name)


lengths = st.floats(5, 120).map(lambda mm: round(mm, 1))
sizes = st.tuples(lengths, lengths)
papers_mm = st.tuples(st.floats(60, 300), st.floats(60, 300))


def inside(layout: Layout, margin_mm: float) -> None:
    wide, high = layout.size_mm
    for slot in layout.slots:
        (x, y), (width, height) = slot.xy_mm, slot.size_mm
        assert min(x, y) >= margin_mm - 1e-5
        assert x + width <= wide - margin_mm + 1e-5
        assert y + height <= high - margin_mm + 1e-5


def apart(layout: Layout, gap_mm: float) -> None:
    for one, other in combinations(layout.slots, 2):
        between = [
            max(
                one.xy_mm[axis] - other.xy_mm[axis] - other.size_mm[axis],
                other.xy_mm[axis] - one.xy_mm[axis] - one.size_mm[axis],
            )
            for axis in (0, 1)
        ]
        assert max(between) >= gap_mm - 1e-5


def simple(paper_mm: Sequence[float], size_mm: Sequence[float], gap: float, margin: float) -> int:
    return math.prod(
        max(0, math.floor((side - 2 * margin + gap) / (part + gap)))
        for side, part in zip(paper_mm, size_mm, strict=True)
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(papers_mm, st.lists(sizes, min_size=1, max_size=4), st.floats(0, 8), st.floats(0, 12))
def test_no_photo_overlaps_another_or_the_margin(
    paper_mm: tuple[float, float],
    sizes_mm: list[tuple[float, float]],
    gap_mm: float,
    margin_mm: float,
) -> None:
    try:
        found = lay_out(paper_mm, sizes_mm, gap_mm=gap_mm, margin_mm=margin_mm)
    except BadOrder:
        assume(False)
    inside(found, margin_mm)
    apart(found, gap_mm)
    assert set(kinds(found)) == set(range(len(sizes_mm)))
    assert all(slot.size_mm == sizes_mm[slot.kind] for slot in found.slots)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(papers_mm, sizes, st.floats(0, 8), st.floats(0, 12))
def test_one_size_comes_as_often_as_arithmetic_says(
    paper_mm: tuple[float, float], size_mm: tuple[float, float], gap_mm: float, margin_mm: float
) -> None:
    def most(more_mm: float = 0) -> int:
        held = [side + more_mm for side in paper_mm]
        return max(simple(paper, size_mm, gap_mm, margin_mm) for paper in (held, held[::-1]))

    # Between the two it is for floating point to say.
    if most(more_mm=0.001) == 0:
        with pytest.raises(BadOrder):
            lay_out(paper_mm, [size_mm], gap_mm=gap_mm, margin_mm=margin_mm)
    elif most():
        found = lay_out(paper_mm, [size_mm], gap_mm=gap_mm, margin_mm=margin_mm)
        assert len(found.slots) >= most()


@pytest.mark.parametrize(
    ("name", "size_mm"),
    [("4R", (102, 152)), ("6-inch", (102, 152)), ("5-inch", (89, 127)), ("LETTER", (215.9, 279.4))],
)
def test_papers_have_names(name: str, size_mm: tuple[float, float]) -> None:
    assert papers.find(name).size_mm == size_mm


def test_every_paper_says_where_its_size_is_from() -> None:
    ids = [paper.id for paper in papers.all_papers()]
    assert ids == ["3r", "4r", "5r", "a6", "a5", "a4", "letter"]
    assert all(paper.source and paper.name_zh for paper in papers.all_papers())


@pytest.mark.parametrize("size_mm", [(39.0, 100.0), (100.0, 451.0)])
def test_a_paper_of_a_size_that_is_none(size_mm: tuple[float, float]) -> None:
    with pytest.raises(BadOrder):
        papers.custom(size_mm)


def test_a_free_paper_is_a_portrait_too() -> None:
    assert papers.custom((150, 100)).size_mm == (100, 150)
