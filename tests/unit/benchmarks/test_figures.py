"""Percentiles by nearest rank, and tables."""

import pytest

from benchmarks.figures import cell, percentile, ratio, table


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7], 50, 7),
        ([7], 99, 7),
        ([3, 1, 2], 50, 2),
        ([4, 1, 3, 2], 50, 2),
        (range(1, 101), 50, 50),
        (range(1, 101), 95, 95),
        (range(1, 101), 99, 99),
        (range(1, 1001), 99, 990),
        (range(1, 11), 99, 10),
        (range(1, 11), 0, 1),
        (range(1, 11), 100, 10),
    ],
)
def test_percentile_is_the_nearest_rank(
    values: list[float], percent: float, expected: float | None
) -> None:
    assert percentile(list(values), percent) == expected


@pytest.mark.parametrize(
    ("value", "base", "expected"), [(3, 2, 1.5), (None, 2, None), (3, None, None), (3, 0, None)]
)
def test_ratio_is_none_where_it_means_nothing(
    value: float | None, base: float | None, expected: float | None
) -> None:
    assert ratio(value, base) == expected


def test_cells_show_what_was_not_measured() -> None:
    assert cell(None) == "-"
    assert cell(0.12345, 3) == "0.123"


def test_table_is_markdown_with_aligned_columns() -> None:
    assert table(("a", "server"), [("1234", "x"), ("5", "yy")]).splitlines() == [
        "| a    | server |",
        "| ---- | ------ |",
        "| 1234 | x      |",
        "| 5    | yy     |",
    ]


def test_table_refuses_a_row_of_another_width() -> None:
    with pytest.raises(ValueError, match="zip"):
        table(("a", "b"), [("1",)])
