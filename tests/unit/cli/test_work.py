"""A worker: each photo has an outcome, whatever happens to it, to the nets or to the storage."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import wish
from cli.batch.storage import Folder
from cli.batch.work import Job, OwnNets, Work
from cli.wish import Wish
from models import finder, nets
from models.matting import MattingNet
from models.weights import default_folder
from pipeline.finding import FindFaces

SIDES = {"person": nets.sides(nets.NETS)["person"]}
NAMES = ("good-0.jpg", "bad.jpg", "good-1.jpg", "large.jpg", "good-2.jpg")


@pytest.fixture(scope="module")
def find_all() -> FindFaces:
    return finder.load(default_folder()).find


@pytest.fixture
def source(tmp_path: Path, data: Path) -> Folder:
    root = tmp_path / "in"
    root.mkdir()
    photo = (data / "tiny-long-hair.jpg").read_bytes()
    for name in NAMES:
        (root / name).write_bytes(photo)
    (root / "bad.jpg").write_bytes(b"bad")
    (root / "large.jpg").write_bytes(photo + bytes(1_000_000))
    return Folder(root)


@pytest.fixture
def job() -> Job:
    order = Wish(("us-passport",), quality="fast").order()
    return Job(order, wish.variants(order), SIDES, 1_000_000, 50_000_000, skip_written=False)


class Faulty:
    """Nets that answer for several photos at once as told, and for one rightly."""

    batch = 3
    ahead = 1

    def __init__(self, own: OwnNets, fails: Callable[[int], bool]) -> None:
        self._own = own
        self._fails = fails
        self.asked: list[int] = []

    def ask(self, photos: Sequence[Any]) -> Callable[[], Any]:
        self.asked.append(len(photos))
        if self._fails(len(photos)):
            return self._fail
        return self._own.ask(photos)

    def _fail(self) -> Any:
        raise RuntimeError("out of memory")


@pytest.mark.parametrize(
    ("fails", "code"),
    [
        (lambda size: False, ""),
        (lambda size: size > 1, ""),  # then each photo is asked about alone
        (lambda size: True, "internal_error"),
    ],
)
def test_a_batch_that_fails_costs_no_sound_photo(
    source: Folder,
    job: Job,
    tmp_path: Path,
    find_all: FindFaces,
    nets: dict[str, MattingNet],
    fails: Callable[[int], bool],
    code: str,
) -> None:
    faulty = Faulty(OwnNets({"person": nets["person"]}), fails)
    work = Work(job, source, Folder(tmp_path / "out"), find_all, faulty)
    outcomes = list(work.outcomes(NAMES))
    assert [outcome.source for outcome in outcomes] == list(NAMES)
    assert [outcome.code for outcome in outcomes] == [
        code,
        "unsupported_format",
        code,
        "body_too_large",
        code,
    ]
    assert max(faulty.asked) == 2
    there = {path.name for path in (tmp_path / "out").glob("*.jpg")}
    assert there == {key for outcome in outcomes for key in outcome.results}
    assert len(there) == (0 if code else 3)


def test_what_cannot_be_written_is_told(
    source: Folder, job: Job, tmp_path: Path, find_all: FindFaces, nets: dict[str, MattingNet]
) -> None:
    (tmp_path / "out").write_bytes(b"in the way")
    own = OwnNets({"person": nets["person"]})
    (outcome,) = Work(job, source, Folder(tmp_path / "out"), find_all, own).outcomes(["good-0.jpg"])
    assert (outcome.code, outcome.results) == ("not_written", ())


def test_what_an_earlier_try_has_written_is_left_as_it_is(
    source: Folder, job: Job, tmp_path: Path, find_all: FindFaces
) -> None:
    target = Folder(tmp_path / "out")
    target.write("good-0.jpg_us-passport_white.jpg", b"done")
    again = replace(job, skip_written=True)
    (outcome,) = Work(again, source, target, find_all, OwnNets({})).outcomes(["good-0.jpg"])
    assert (outcome.code, outcome.seconds) == ("", None)
    assert target.read("good-0.jpg_us-passport_white.jpg", 100) == b"done"
