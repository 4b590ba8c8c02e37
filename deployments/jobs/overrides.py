"""What differs by photo within a job: a table with the columns file, document, background, name."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from deployments.jobs import names
from deployments.jobs.entries import Entry, Override
from pipeline.errors import BadOrder

COLUMNS = ("file", "document", "background", "name")
MAX_BYTES = 8_000_000
_MAX_CELL = 500
_DELIMITERS = ",;\t"


def of_csv(data: bytes, max_rows: int) -> list[Override]:
    """The lines of a CSV as spreadsheets write it: separated by comma, semicolon or tab, in UTF-8
    or GB 18030. Several documents or backgrounds are separated by commas within the cell.

    Raises BadOrder (``bad_override``).
    """
    if len(data) > MAX_BYTES:
        raise _bad(1, f"the table is larger than {MAX_BYTES // 1_000_000} MB")
    text = _text(data)
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    found: list[Override] = []
    try:
        for cells in reader:
            line = reader.line_num
            if header is None:
                header = _header(cells)
            elif any(cell.strip() for cell in cells):
                if len(cells) > len(header):
                    raise _bad(line, "it has more cells than the header")
                found.append(_row(line, dict(zip(header, cells, strict=False))))
                if len(found) > max_rows:
                    raise _bad(line, f"more than {max_rows} lines")
    except csv.Error as error:
        raise _bad(reader.line_num, str(error)) from None
    if header is None:
        raise _bad(1, "it has no header")
    return found


def of_rows(rows: Sequence[Mapping[str, str]]) -> list[Override]:
    """The same as a list of objects, from JSON. Raises BadOrder."""
    for line, row in enumerate(rows, 1):
        for column in row:
            _check_column(line, column)
    return [_row(line, row) for line, row in enumerate(rows, 1)]


def matched(found: Sequence[Override], entries: Sequence[Entry]) -> list[Override | None]:
    """The override of each entry, None where it has none.

    ``file`` is the whole name, or that without its folders where only one entry has it. Raises
    BadOrder (``bad_override``) for a file that is not there, is there twice, or has two lines.
    """
    whole, short = _index(entries, whole=True), _index(entries, whole=False)
    taken: list[Override | None] = [None] * len(entries)
    for override in found:
        at = whole.get(override.file) or short.get(override.file) or []
        if not at:
            raise _bad(override.line, f"there is no file {names.shown(override.file)}")
        if len(at) > 1:
            raise _bad(override.line, f"several files are named {names.shown(override.file)}")
        if taken[at[0]] is not None:
            raise _bad(override.line, f"{names.shown(override.file)} has a line before")
        taken[at[0]] = override
    return taken


def _index(entries: Sequence[Entry], *, whole: bool) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for position, entry in enumerate(entries):
        path = entry.name.replace("\\", "/")
        index.setdefault(entry.name if whole else PurePosixPath(path).name, []).append(position)
    return index


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _bad(1, "it is neither UTF-8 nor GB 18030")


def _header(cells: Sequence[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    for column in header:
        _check_column(1, column)
    if "file" not in header or len(set(header)) < len(header):
        raise _bad(1, "each column is named once, and file among them")
    return header


def _check_column(line: int, column: str) -> None:
    if column not in COLUMNS:
        raise _bad(line, f"there is no column {names.shown(column)}")


def _row(line: int, cells: Mapping[str, str]) -> Override:
    values = {column: cell.strip() for column, cell in cells.items()}
    if any(len(value) > _MAX_CELL for value in values.values()):
        raise _bad(line, f"a cell is longer than {_MAX_CELL} characters")
    if not values.get("file"):
        raise _bad(line, "it names no file")
    by_photo: dict[str, Any] = {}
    for column in ("document", "background"):
        parts = [part.strip() for part in values.get(column, "").split(",")]
        if any(parts):
            by_photo[column] = [part for part in parts if part]
    if values.get("name"):
        by_photo["name"] = names.harmless(values["name"])
    return Override(line, values["file"], by_photo)


def _bad(line: int, reason: str) -> BadOrder:
    return BadOrder("bad_override", line=line, reason=reason)
