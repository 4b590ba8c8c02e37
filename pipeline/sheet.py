"""Where photos lie on a sheet of paper; sizes in millimetres in, places in millimetres out.

Photos stand upright in rows, the tallest rows first, a gap between all of them, the whole in the
middle of the paper: straight cuts from edge to edge part the rows.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from pipeline.errors import BadOrder
from pipeline.sheet_values import Layout, Slot

SizeMm: TypeAlias = tuple[float, float]
Orientation: TypeAlias = Literal["auto", "portrait", "landscape"]

# What floating point makes of millimetres that just fit.
_SLACK_MM = 1e-6


class _Row(NamedTuple):
    """Photos side by side; the first is the tallest."""

    kinds: list[int]
    width_mm: float
    height_mm: float


def lay_out(
    paper_mm: SizeMm,
    sizes_mm: Sequence[SizeMm],
    counts: Sequence[int] | None = None,
    *,
    orientation: Orientation = "auto",
    gap_mm: float = 2.0,
    margin_mm: float = 3.0,
) -> Layout:
    """The sheet with so many photos of each size; without counts as many as there is room for, of
    each size alike, and of some one more where only these still fit.

    ``auto`` holds the paper so that it takes more. Raises BadOrder bad_parameter where the photos
    do not fit.
    """
    upright = min(paper_mm), max(paper_mm)
    held = {"portrait": upright, "landscape": (upright[1], upright[0])}
    wanted = [orientation] if orientation != "auto" else ["portrait", "landscape"]
    found = []
    for name in wanted:
        room_mm = (held[name][0] - 2 * margin_mm, held[name][1] - 2 * margin_mm)
        kept = list(counts) if counts else _most(sizes_mm, room_mm, gap_mm)
        rows = _rows(sizes_mm, kept, room_mm, gap_mm)
        if rows is not None and all(kept):
            found.append((min(kept), sum(kept), held[name], rows))
    if not found:
        name, reason = "paper", "there is no room for one photo of each kind"
        if counts:
            name, reason = "count", f"{sum(counts)} photos do not fit on the paper"
        raise BadOrder("bad_parameter", name=name, reason=reason)
    # Of equals the first.
    *_, size_mm, rows = max(found, key=lambda each: each[:2])
    return Layout(size_mm, _places(rows, sizes_mm, size_mm, gap_mm))


def _most(sizes_mm: Sequence[SizeMm], room_mm: SizeMm, gap_mm: float) -> list[int]:
    """As many as fit of all kinds alike, and then of each, in their order."""
    every = range(len(sizes_mm))
    counts = [0 for _ in every]
    for kinds in (every, *([kind] for kind in every)):
        counts = _filled(counts, kinds, sizes_mm, room_mm, gap_mm)
    return counts


def _filled(
    counts: list[int],
    kinds: Sequence[int],
    sizes_mm: Sequence[SizeMm],
    room_mm: SizeMm,
    gap_mm: float,
) -> list[int]:
    """``counts`` and as many more of these kinds as fit."""

    def more(number: int) -> list[int]:
        return [count + number * (kind in kinds) for kind, count in enumerate(counts)]

    def fit(number: int) -> bool:
        return _rows(sizes_mm, more(number), room_mm, gap_mm) is not None

    too_many = 1
    while fit(too_many):
        too_many *= 2
    enough = too_many // 2
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        enough, too_many = (middle, too_many) if fit(middle) else (enough, middle)
    return more(enough)


def _rows(
    sizes_mm: Sequence[SizeMm], counts: Sequence[int], room_mm: SizeMm, gap_mm: float
) -> list[_Row] | None:
    """The photos in rows: the tallest first, each in the first row that still has room. None where
    they do not fit.
    """
    width_mm, height_mm = room_mm[0] + _SLACK_MM, room_mm[1] + _SLACK_MM
    rows: list[_Row] = []
    left_mm = height_mm
    for kind in sorted(range(len(sizes_mm)), key=lambda kind: -sizes_mm[kind][1]):
        wide, high = sizes_mm[kind]
        remaining = counts[kind]
        for index, row in enumerate(rows):
            number = min(remaining, int((width_mm - row.width_mm) // (wide + gap_mm)))
            added = row.width_mm + number * (wide + gap_mm)
            rows[index] = _Row(row.kinds + [kind] * number, added, row.height_mm)
            remaining -= number
        in_row = int((width_mm + gap_mm) // (wide + gap_mm))
        while remaining:
            if not in_row or high > left_mm:
                return None
            number = min(remaining, in_row)
            rows.append(_Row([kind] * number, number * (wide + gap_mm) - gap_mm, high))
            left_mm -= high + gap_mm
            remaining -= number
    return rows


def _places(
    rows: Sequence[_Row], sizes_mm: Sequence[SizeMm], paper_mm: SizeMm, gap_mm: float
) -> tuple[Slot, ...]:
    """The block of rows in the middle; every row starts where the widest does, so that cuts run
    through.
    """
    width_mm = max(row.width_mm for row in rows)
    height_mm = sum(row.height_mm for row in rows) + gap_mm * (len(rows) - 1)
    slots = []
    y_mm = (paper_mm[1] - height_mm) / 2
    for row in rows:
        x_mm = (paper_mm[0] - width_mm) / 2
        for kind in row.kinds:
            slots.append(Slot(kind, (x_mm, y_mm), sizes_mm[kind]))
            x_mm += sizes_mm[kind][0] + gap_mm
        y_mm += row.height_mm + gap_mm
    return tuple(slots)
