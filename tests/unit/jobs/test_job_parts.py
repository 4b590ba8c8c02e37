"""The smaller parts of the HTTP half of jobs."""

import asyncio
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from deployments.jobs import overrides, progress
from deployments.jobs.depot import Depot
from deployments.jobs.entries import Entry
from deployments.jobs.intake import Intake
from deployments.jobs.records import ItemState, Job, JobState
from deployments.jobs.schemas import error_text
from deployments.jobs.zip_stream import ZipStream
from deployments.settings import Jobs, Settings
from pipeline.errors import TEXTS, BadOrder
from tests.unit.jobs import zips

MB = 1_000_000


def test_a_streamed_zip_is_an_ordinary_one() -> None:
    files = [("a.jpg", b"one"), ("class/张伟.jpg", b"two" * 1000), ("empty", b"")]
    stream = ZipStream(made_at=1_800_000_000)
    pieces = [*(stream.file(name, data) for name, data in files), stream.end()]
    assert pieces[1].count(b"two") == 1000
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert [(info.filename, archive.read(info)) for info in archive.infolist()] == files
    assert archive.testzip() is None
    # Size and checksum stand before each file, so that it can be unpacked while it arrives.
    assert not any(info.flag_bits & 8 for info in archive.infolist())
    assert archive.infolist()[0].date_time == (2027, 1, 15, 8, 0, 0)


def test_a_streamed_zip_of_nothing() -> None:
    assert zipfile.ZipFile(io.BytesIO(ZipStream(0).end())).namelist() == []


def test_a_large_zip_is_taken_in_without_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(60):
            archive.writestr(f"{number}.jpg", zips.photo() + bytes(MB))
    depot = Depot(Jobs(folder=tmp_path / "jobs"))
    depot.store.totals()
    intake = Intake(depot, Settings())
    about = [(b"content-type", b"application/zip")]
    scope = {"type": "http", "headers": about, "query_string": b"document=us-passport"}

    with path.open("rb") as file:

        async def receive() -> dict[str, Any]:
            chunk = file.read(65_536)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

        tracemalloc.start()
        try:
            job, _ = asyncio.run(intake.receive(Request(scope, receive), ""))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (job.total, job.counts[ItemState.WAITING]) == (60, 60)
    assert path.stat().st_size > 60 * MB
    assert peak < 10 * MB
    depot.store.close()


TABLES: list[tuple[bytes, list[dict[str, Any]]]] = [
    (b"file,document\na.jpg,x\n", [{"document": ["x"]}]),
    (b"file;document\r\na.jpg;x\r\n", [{"document": ["x"]}]),
    (b"file\tbackground\na.jpg\tred\n", [{"background": ["red"]}]),
    ("\ufefffile,name\na.jpg,张伟\n".encode(), [{"name": "张伟"}]),
    ("file,name\na.jpg,张伟\n".encode("gb18030"), [{"name": "张伟"}]),
    (b'file,document\n"a.jpg","x, y"\n\n', [{"document": ["x", "y"]}]),
    (b" File , NAME \na.jpg,../../up\n", [{"name": "up"}]),
    (b"file,document,background,name\na.jpg,,,\n", [{}]),
    (b"file,document\na.jpg\n", [{}]),
    (b"file\n", []),
]


@pytest.mark.parametrize(("table", "found"), TABLES)
def test_tables_as_spreadsheets_write_them(table: bytes, found: list[dict[str, Any]]) -> None:
    rows = overrides.of_csv(table, 10)
    assert [row.by_photo for row in rows] == found
    assert all((row.file, row.line) == ("a.jpg", 2) for row in rows)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (b"", 1),
        (b"file,file\n", 1),
        (b"name\n", 1),
        (b"file,other\n", 1),
        (b"file\n\xff\xff\n", 1),
        (b"file,name\na.jpg,x\n,y\n", 3),
        (b"file\na.jpg,x\n", 2),
        (b"file\n" + b"x" * 501, 2),
        (b"file\n" + b"a\n" * 11, 12),
        (b'file\n"a', 2),
    ],
)
def test_tables_that_cannot_be_used(table: bytes, line: int) -> None:
    with pytest.raises(BadOrder) as refused:
        overrides.matched(overrides.of_csv(table, 10), [])
    assert (refused.value.code, refused.value.details["line"]) == ("bad_override", line)


@pytest.mark.parametrize(
    ("names", "file", "position"),
    [
        (["a.jpg", "b.jpg"], "b.jpg", 1),
        (["x/a.jpg", "y/b.jpg"], "b.jpg", 1),
        (["x/a.jpg", "a.jpg"], "a.jpg", 1),
        (["x\\a.jpg"], "a.jpg", 0),
        (["x/a.jpg", "y/a.jpg"], "y/a.jpg", 1),
        (["x/a.jpg", "y/a.jpg"], "a.jpg", None),
        (["a.jpg", "a.jpg"], "a.jpg", None),
        (["a.jpg"], "A.jpg", None),
    ],
)
def test_lines_find_their_files(names: list[str], file: str, position: int | None) -> None:
    entries = [Entry(name) for name in names]
    rows = overrides.of_rows([{"file": file, "document": "x"}])
    if position is None:
        with pytest.raises(BadOrder):
            overrides.matched(rows, entries)
        return
    found = overrides.matched(rows, entries)
    assert [number for number, row in enumerate(found) if row] == [position]


def job(state: JobState, *, waiting: int = 0, done: int = 0, **times: float) -> Job:
    counts = dict.fromkeys(ItemState, 0) | {ItemState.WAITING: waiting, ItemState.DONE: done}
    return Job("0" * 32, 0.0, state, counts, {}, "", **times)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("of", "recent", "rate", "left"),
    [
        (job(JobState.RUNNING, waiting=10), [], None, None),
        (job(JobState.RUNNING, waiting=10), [90.0], None, None),
        (job(JobState.RUNNING, waiting=10), [90.0, 95.0], 0.1, 100),
        (job(JobState.RUNNING, waiting=9), [80.0, 85.0, 90.0], 0.1, 90),
        (job(JobState.PAUSED, waiting=9), [90.0, 95.0], None, None),
        (job(JobState.DONE, done=50, started_at=0.0, ended_at=100.0), [], 0.5, 0),
        (job(JobState.DONE, started_at=5.0, ended_at=5.0), [], None, 0),
    ],
)
def test_pace(of: Job, recent: list[float], rate: float | None, left: float | None) -> None:
    found = progress.of(of, recent, now=100)
    assert (found.photos_per_s, found.seconds_left) == (rate, left)


@pytest.mark.parametrize("code", [*TEXTS, "gave_up", "of_a_later_version"])
def test_every_error_of_a_photo_can_be_said(code: str) -> None:
    text = error_text(code)
    assert all(part and "{" not in part for part in text)


def test_the_signature_check_of_the_documentation() -> None:
    import re
    import time

    from deployments.jobs.webhook import signature

    page = (Path(__file__).parents[3] / "docs" / "jobs.md").read_text("utf-8")
    match = re.search(r"    import hashlib.*?max_age_s\n", page, re.DOTALL)
    assert match is not None
    names: dict[str, Any] = {}
    exec("\n".join(line[4:] for line in match[0].splitlines()), names)
    is_genuine: Callable[[str, bytes, str], bool] = names["is_genuine"]
    now = int(time.time())
    header = signature("secret", now, b"body")
    assert is_genuine(header, b"body", "secret")
    assert not is_genuine(header, b"other", "secret")
    assert not is_genuine(header, b"body", "other")
    assert not is_genuine(signature("secret", now - 1000, b"body"), b"body", "secret")
