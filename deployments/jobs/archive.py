"""Everything that came of a job as one zip, sent while it is read."""

import csv
import io
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import PurePosixPath
from typing import Any

from deployments.jobs import names, schemas
from deployments.jobs.depot import Depot
from deployments.jobs.files import MissingFile
from deployments.jobs.names import Unique
from deployments.jobs.records import Item
from deployments.jobs.schemas import FindingInfo
from deployments.jobs.zip_stream import ZipStream

REPORT = "report.csv"
_COLUMNS = (
    *("position", "file", "state", "picture", "document", "background", "result", "checks"),
    *("error", "explanation", "hint"),
)
_PAGE = 200
_ENDINGS = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif", ".avif", ".mpo")
_RESULTS = ("pass", "warn", "fail")
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def of_job(depot: Depot, job_id: str, *, chinese: bool) -> AsyncIterator[bytes]:
    """The archive in pieces: every picture under the name of its photo, then ``report.csv``.

    It is cut short, without its directory, when the storage fails on the way.
    """
    archive, report, unique = ZipStream(time.time()), _Report(chinese), Unique()
    unique.name(REPORT)
    after = -1
    while page := await depot.run(_page, depot, job_id, after):
        after = page[-1].position
        for item in page:
            named = [unique.name(name) for name in picture_names(item)]
            kept = []
            for name, key in zip(named, item.result_keys, strict=True):
                data = await depot.run(_read, depot, key)
                kept.append("" if data is None else name)
                if data is not None:
                    yield archive.file(name, data)
            report.add(item, kept)
    yield archive.file(REPORT, report.text())
    yield archive.end()


def of_item(depot: Depot, item: Item) -> Iterator[bytes]:
    """The several pictures of one photo as a zip, in pieces. Raises StorageUnavailable."""
    archive, unique = ZipStream(time.time()), Unique()
    for name, key in zip(picture_names(item), item.result_keys, strict=True):
        data = _read(depot, key)
        if data is not None:
            yield archive.file(unique.name(PurePosixPath(name).name), data)
    yield archive.end()


def picture_names(item: Item) -> list[str]:
    """The name of each picture: the photo's own, or the one that its overrides say, with what tells
    the variants apart and the ending of what the picture is.
    """
    path = PurePosixPath(names.harmless(str(item.overrides.get("name") or item.name)))
    # Of a name that was chosen only the ending of a picture goes: A.B stays.
    stem = (
        path.stem if path.suffix.lower() in _ENDINGS or "name" not in item.overrides else path.name
    )
    suffixes = [PurePosixPath(key).suffix for key in item.result_keys]
    if len(suffixes) == 1:
        return [str(path.with_name(stem + suffixes[0]))]
    found = schemas.findings(item.checks)
    return [
        str(path.with_name(f"{stem}_{_variant(found, number)}{suffix}"))
        for number, suffix in enumerate(suffixes)
    ]


def _variant(found: list[FindingInfo], number: int) -> str:
    if number >= len(found):
        return str(number + 1)
    finding = found[number]
    return f"{finding.document}_{finding.background.removeprefix('#')}"


def _page(depot: Depot, job_id: str, after: int) -> list[Item]:
    return depot.store.items(job_id, after=after, limit=_PAGE)


def _read(depot: Depot, key: str) -> bytes | None:
    """None where the picture was erased meanwhile."""
    try:
        return depot.files.get(key)
    except MissingFile:
        return None


class _Report:
    """A line for each picture, and one for each photo without."""

    def __init__(self, chinese: bool) -> None:
        self._chinese = chinese
        self._file = io.StringIO(newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(_COLUMNS)

    def add(self, item: Item, pictures: list[str]) -> None:
        about: list[Any] = [item.position, _cell(item.name), item.state.value]
        error = ["", "", ""]
        if item.error:
            said = schemas.error_text(item.error)
            error = [item.error, said.title, said.hint]
            if self._chinese:
                error[1:] = [said.title_zh, said.hint_zh]
        found = schemas.findings(item.checks)
        for number in range(max(len(pictures), 1)):
            picture = _cell(pictures[number]) if number < len(pictures) else ""
            finding = _finding(found[number]) if number < len(found) else ["", "", "", ""]
            self._rows.writerow([*about, picture, *finding, *error])

    def text(self) -> bytes:
        """With the mark that makes spreadsheets read it as UTF-8."""
        return self._file.getvalue().encode("utf-8-sig", "replace")


def _finding(finding: FindingInfo) -> list[str]:
    unpassed = [check for check in finding.checks if check.result != "pass"]
    worst = max((check.result for check in finding.checks), key=_RESULTS.index, default="")
    said = ", ".join(f"{check.code}={check.result}" for check in unpassed)
    return [finding.document, finding.background, worst, said]


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
