"""The parts of a batch that need no Ray: the plan, the blocks, the manifest, the storage."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli import wish
from cli.batch.manifest import SCHEMA, Manifest
from cli.batch.plan import blocks, plan
from cli.batch.storage import Entry, Folder, open_storage
from cli.batch.work import Job
from cli.exits import Failure
from cli.outcome import Outcome
from cli.wish import Wish

VARIANTS = ("us-passport_white.jpg",)


@pytest.fixture
def job() -> Job:
    order = Wish(("us-passport",)).order()
    return Job(order, wish.variants(order), {}, 1000, 1000, skip_written=False)


def filled(root: Path, *names: str) -> Folder:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return Folder(root)


def test_the_plan_leaves_out_what_is_written_hidden_or_no_picture(tmp_path: Path, job: Job) -> None:
    names = ("a.jpg", "b.JPG", "sub/a.jpg", ".c.jpg", ".hidden/d.jpg", "list.csv", "out/e.jpg")
    source = filled(tmp_path, *names, "out/a.jpg_us-passport_white.jpg")
    (tmp_path / "out" / "b.JPG_us-passport_white.jpg").touch()  # left empty by a power cut
    found = plan(source, Folder(tmp_path / "out"), job)
    assert sorted(found.pending.to_pylist()) == ["b.JPG", "sub/a.jpg"]
    assert found.written.to_pylist() == ["a.jpg"]
    assert (found.others, found.unusable) == (1, ())
    everything = plan(source, Folder(tmp_path / "out"), job, overwrite=True, any_name=True)
    assert sorted(everything.pending.to_pylist()) == ["a.jpg", "b.JPG", "list.csv", "sub/a.jpg"]


class Named:
    """A source of these names."""

    reads_ahead = 1

    def __init__(self, *names: str) -> None:
        self._names = names

    def listed(self, below: str = "") -> Any:
        return (Entry(name, 1) for name in self._names)


@pytest.mark.parametrize(
    "name", ["../up.jpg", "a/../../up.jpg", "/root.jpg", "a//b.jpg", "a\0.jpg", "a\udcff.jpg"]
)
def test_a_name_that_leads_out_of_the_target_is_told(tmp_path: Path, job: Job, name: str) -> None:
    found = plan(Named(name, "fine.jpg"), Folder(tmp_path), job)  # type: ignore[arg-type]
    assert len(found.unusable) == 1
    assert found.pending.to_pylist() == ["fine.jpg"]


def test_results_are_never_taken_for_photos(tmp_path: Path, job: Job) -> None:
    with pytest.raises(Failure):
        plan(filled(tmp_path, "a.jpg"), Folder(tmp_path / "sub" / ".."), job)


def test_blocks_hold_every_photo_once_and_end_small() -> None:
    names = pa.array([f"{index}.jpg" for index in range(1000)], pa.large_string())
    made = list(blocks(names, 2))
    assert [name for block in made for name in block["source"].to_pylist()] == names.to_pylist()
    assert [place for block in made for place in block["place"].to_pylist()] == list(range(1000))
    sizes = [block.num_rows for block in made]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 16 and sizes[-1] == 1


def table(*outcomes: Outcome) -> pa.Table:
    return pa.Table.from_pylist([outcome.as_json() for outcome in outcomes], SCHEMA)


def closed(
    root: Path, rows: pa.Table, written: list[str], variants: tuple[str, ...]
) -> dict[str, Any]:
    manifest = Manifest(Folder(root), variants)
    manifest.add(rows)
    manifest.close(pa.array(written, pa.large_string()))
    listed = pq.read_table(root / "manifest.parquet").to_pylist()
    assert len({row["source"] for row in listed}) == len(listed)
    return {row["source"]: (row["code"], row["seconds"]) for row in listed}


def test_the_manifest_keeps_what_earlier_runs_knew(tmp_path: Path) -> None:
    killed = Manifest(Folder(tmp_path), VARIANTS)
    killed.add(table(Outcome("a.jpg", seconds=1.0), Outcome("b.jpg", code="no_face", seconds=2.0)))
    killed.save()
    later = Manifest(Folder(tmp_path), VARIANTS)
    later.add(table(Outcome("a.jpg", seconds=3.0)))
    later.save()
    assert closed(tmp_path, table(Outcome("b.jpg", seconds=4.0)), ["a.jpg", "c.jpg"], VARIANTS) == {
        "b.jpg": ("", 4.0),
        "a.jpg": ("", 3.0),
        "c.jpg": ("", None),
    }
    # The parts are gone; the next run finds the manifest itself, and leaves out who is gone.
    again = closed(tmp_path, table(), ["a.jpg", "b.jpg"], VARIANTS)
    assert again == {"a.jpg": ("", 3.0), "b.jpg": ("", 4.0)}
    assert closed(tmp_path, table(), ["a.jpg"], ("other_white.jpg",)) == {"a.jpg": ("", None)}
    assert [path for path in (tmp_path / ".idphoto").rglob("*") if path.is_file()] == []


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("sub/a.jpg", b"1234")
    assert folder.has("sub/a.jpg")
    assert folder.read("sub/a.jpg", 3) == b"1234"
    assert folder.read("sub/a.jpg", 2) == b"123"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "sub" / "a.jpg"]
    with pytest.raises(OSError):
        folder.write("sub/a.jpg/b.jpg", b"")
    with pytest.raises(OSError):
        folder.read("sub", 10)
    assert list(folder.listed("nowhere")) == []


def test_a_place_is_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert open_storage(f"file://{tmp_path}") == Folder(tmp_path) == open_storage(str(tmp_path))
    bucket = open_storage("memory://people/in/")
    bucket.write("sub/a.jpg", b"1234")
    assert list(bucket.listed()) == [("sub/a.jpg", 4)]
    assert bucket.read("sub/a.jpg", 2) == b"123"
    has = bucket.index()
    assert (has("sub/a.jpg"), has("a.jpg"), bucket.has("a.jpg")) == (True, False, False)
