"""The documents' rules held against finished files: each is decoded and measured anew.

python -m benchmarks.rules --portraits FOLDER [--limit 15]
"""

import argparse
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

from models import finder
from models.matting import Loader
from models.session import SessionOptions
from models.weights import default_folder
from pipeline import colours, documents, finding, flow
from pipeline.errors import UnusablePhoto
from pipeline.values import Check, Document, IdPhoto, Order, Portrait

OWN_RULES = tuple(found for found in documents.all_documents() if not found.derived)
RULES = ("head_height", "eye_line", "top_margin", "face_width")
# The person net alone: where the head lies hangs on its matte, and the other net costs fifty times
# as much.
SIDES = {"person": 256}
MAX_PIXELS = 50_000_000
# Against each document's own white a white hat cannot be measured anew.
GROUND = colours.parse("blue")
# A document that rules all of RULES: what it measures is the same for all.
_ALL_RULES = "cn-id-card"

Ask = Callable[[Portrait], flow.Alphas]
Noise = Mapping[str, float]
"""By rule, as a share of the head's height."""


class Remeasured(NamedTuple):
    """One rule of one document on one portrait: as it was planned, and as the file shows it."""

    portrait: str
    document: str
    planned: Check
    shown: Check
    head_mm: float
    """Height of the head as planned."""

    @property
    def apart(self) -> float:
        """Shown less planned, as a share of the head's height."""
        return (_value(self.shown) - _value(self.planned)) / self.head_mm

    @property
    def beyond(self) -> float:
        """How far the file is outside the bounds, as a share of the head's height; 0 inside."""
        value, low, high = _value(self.shown), self.shown.min, self.shown.max
        assert low is not None and high is not None
        return max(0.0, low - value, value - high) / self.head_mm

    def is_silent(self, noise: Noise) -> bool:
        """Whether the file is outside its bounds by more than noise, and nothing said so."""
        return self.planned.result == "pass" and self.beyond > noise[self.planned.code]


class Bench:
    """Faces and the person net, in this process."""

    def __init__(self, find_faces: finding.FindFaces, ask: Ask) -> None:
        self._find_faces = find_faces
        self._ask = ask

    def make(self, file: bytes, wanted: tuple[Document, ...] = OWN_RULES) -> tuple[IdPhoto, ...]:
        """The finished JPEG of every document on blue. Raises UnusablePhoto."""
        order = Order(wanted, (GROUND,), "jpeg", quality="fast")
        portrait = flow.prepare_photo(
            file, order, self._find_faces, sides=SIDES, max_pixels=MAX_PIXELS
        )
        photos = flow.finish_photo(portrait, self._ask(portrait), order)
        assert isinstance(photos, tuple)
        return photos

    def judge(self, file: bytes, document: str) -> dict[str, Check]:
        """The checks of the file as it is, by code; none where its face or matte is refused."""
        order = Order((documents.find(document),), (), "jpeg", quality="fast")
        try:
            portrait = flow.prepare_check(
                file, order, self._find_faces, sides=SIDES, max_pixels=MAX_PIXELS
            )
            reports = flow.finish_check(portrait, self._ask(portrait), order)
        except UnusablePhoto:
            return {}
        assert isinstance(reports, tuple)
        return {check.code: check for check in reports[0].checks}

    def remeasure(self, name: str, photos: Iterable[IdPhoto]) -> list[Remeasured]:
        """Every rule of every finished photo whose file can be measured, in the order of RULES."""
        rows = []
        for photo in photos:
            planned = {check.code: check for check in photo.checks}
            shown = self.judge(photo.data, photo.document)
            head_mm = _value(planned["head_height"])
            rows += [
                Remeasured(name, photo.document, planned[code], shown[code], head_mm)
                for code in RULES
                if code in planned and code in shown
            ]
        return rows

    def mirrored(self, file: bytes) -> dict[str, float]:
        """By rule, how much a measure differs between the file and its mirror image, as a share of
        the head's height: an error of measuring alone. Empty where either cannot be measured."""
        mirror = io.BytesIO()
        ImageOps.mirror(Image.open(io.BytesIO(file)).convert("RGB")).save(mirror, "PNG")
        straight, other = (self.judge(f, _ALL_RULES) for f in (file, mirror.getvalue()))
        if not straight or not other:
            return {}
        return {
            code: (_value(other[code]) - _value(straight[code])) / _value(straight["head_height"])
            for code in RULES
            if code in straight and code in other
        }


def tolerances(snapshots: Sequence[dict[str, float]], files: Sequence[dict[str, float]]) -> Noise:
    """By rule, two standard deviations of what a second measurement differs by, from what the
    mirror images of the snapshots and of the finished files differ by.

    A difference of two measurements has twice the variance of one; the plan is one measurement of
    the snapshot, and the file is one more.
    """

    def variance(found: Sequence[dict[str, float]], code: str) -> float:
        return float(np.mean([apart[code] ** 2 for apart in found if code in apart])) / 2

    return {code: 2 * (variance(snapshots, code) + variance(files, code)) ** 0.5 for code in RULES}


def _value(check: Check) -> float:
    assert check.value is not None
    return check.value


def load() -> Bench:
    """The default detector and person net."""
    options = SessionOptions(device="cpu", threads=1)
    nets = Loader({"person": "selfie"}, options, default_folder())()

    def ask(portrait: Portrait) -> flow.Alphas:
        return {role: nets[role].matte(list(frames)) for role, frames in portrait.frames.items()}

    return Bench(finder.load(default_folder()).find, ask)


def chosen(bench: Bench, folder: Path, limit: int) -> dict[str, tuple[IdPhoto, ...]]:
    """The finished photos of the portraits of landmarks.csv that suit the most documents: looking
    into the camera, with room around the head, and fine enough."""
    labels = (Path(__file__).parent / "landmarks.csv").read_text("utf-8").splitlines()
    suited: dict[str, int] = {}
    made: dict[str, tuple[IdPhoto, ...]] = {}
    for row in csv.DictReader(labels):
        path = next(folder.glob(row["name"] + ".*"), None)
        if path is None:
            continue
        try:
            made[row["name"]] = photos = bench.make(path.read_bytes())
        except UnusablePhoto:
            continue
        suited[row["name"]] = sum(map(_suits, photos))
    best = sorted(suited, key=lambda name: -suited[name])[:limit]
    return {name: made[name] for name in best if suited[name]}


def _suits(photo: IdPhoto) -> bool:
    results = {check.code: check.result for check in photo.checks}
    return results.get("yaw") == results["body_cut"] == "pass" and results["enlargement"] != "fail"


def print_table(rows: Sequence[Remeasured], noise: Noise) -> None:
    """For each document: of how many portraits the file obeys each rule, and what of the rest."""
    titles = [code.replace("_", " ") for code in RULES]
    print("| document |", " | ".join(titles), "| outside, and said | within noise | silent |")
    print("|---|" + "---|" * (len(titles) + 3))
    for document in dict.fromkeys(row.document for row in rows):
        own = [row for row in rows if row.document == document]
        print(f"| {document} |", " | ".join(_cells(own, noise)), "|")
    print("| **all** |", " | ".join(_cells(rows, noise)), "|")


def _cells(rows: Sequence[Remeasured], noise: Noise) -> list[str]:
    cells = []
    for code in RULES:
        of_rule = [row for row in rows if row.planned.code == code]
        inside = sum(row.beyond == 0 for row in of_rule)
        cells.append(f"{inside} of {len(of_rule)}" if of_rule else "")
    said = [row.planned.code for row in rows if row.beyond and row.planned.result != "pass"]
    silent = sum(row.is_silent(noise) for row in rows)
    near = sum(row.beyond > 0 for row in rows) - len(said) - silent
    counts = (f"{said.count(code)} {code.replace('_', ' ')}" for code in RULES if code in said)
    return [*cells, ", ".join(counts), str(near or ""), str(silent)]


def print_silent(rows: Sequence[Remeasured], noise: Noise) -> None:
    """Every file that is outside its bounds although nothing said so."""
    for row in rows:
        if row.is_silent(noise):
            print(
                f"{row.portrait}, {row.document}: {row.planned.code} is {_value(row.shown):.2f}, "
                f"planned {_value(row.planned):.2f}, {100 * row.beyond:.1f} % of the head outside"
            )


def print_noise(noise: Noise, rows: Sequence[Remeasured]) -> None:
    print(
        "| % of the head's height | tolerance | mean, file less plan | RMS | 95 % below | worst |"
    )
    print("|---|---|---|---|---|---|")
    for code in RULES:
        of_rule = [row for row in rows if row.planned.code == code]
        apart = 100 * np.array([row.apart for row in of_rule])
        sizes = np.abs(apart)
        cells = (
            *(100 * noise[code], apart.mean(), np.sqrt(np.mean(sizes**2))),
            *(np.percentile(sizes, 95), sizes.max()),
        )
        print(f"| {code.replace('_', ' ')} |", " | ".join(f"{cell:.1f}" for cell in cells), "|")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--limit", type=int, default=15, help="portraits (default 15)")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)

    bench = load()
    made = chosen(bench, options.portraits, options.limit)
    rows = [row for name, photos in made.items() for row in bench.remeasure(name, photos)]
    snapshots = [bench.mirrored(_read(options.portraits, name)) for name in made]
    files = [bench.mirrored(photo.data) for photos in made.values() for photo in photos[::5]]
    noise = tolerances(snapshots, files)
    measured = {(row.portrait, row.document) for row in rows}
    total = sum(map(len, made.values()))
    print(f"{len(made)} portraits: {', '.join(made)}; quality fast, on {GROUND.name}")
    print(f"{len(measured)} of {total} files could be measured anew\n")
    print_noise(noise, rows)
    print()
    print_table(rows, noise)
    print()
    print_silent(rows, noise)


def _read(folder: Path, name: str) -> bytes:
    return next(folder.glob(name + ".*")).read_bytes()


if __name__ == "__main__":
    main()
