"""Percentiles and tables of the benchmarks."""

import math
import os
import platform
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least ``percent`` of 100 of the values do not exceed (nearest
    rank), or None of no values. Below 100 values, the 99th percentile is the largest of them.
    """
    if not values:
        return None
    rank = max(1, math.ceil(round(percent / 100 * len(values), 9)))
    return sorted(values)[rank - 1]


def cell(value: float | None, digits: int = 2) -> str:
    """The figure, or a dash for what was not measured."""
    return "-" if value is None else f"{value:.{digits}f}"


def ratio(value: float | None, base: float | None) -> float | None:
    """value / base, or None where one of them is not known or the base is 0."""
    return None if value is None or not base else value / base


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with its columns aligned."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def machine() -> str:
    """Where a figure was measured, in one line."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
