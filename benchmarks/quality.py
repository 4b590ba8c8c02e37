"""How good the mattes are, held against true alphas, and the geometry, against labelled points.

python -m benchmarks.quality [--pairs FOLDER] [--portraits FOLDER] [--photos FOLDER]

``--pairs`` holds alphas/NAME.png beside NAME.* or photos/NAME.*; ``--portraits`` the photos that
benchmarks/landmarks.csv labels; a folder that is not given is not measured, but for the pairs that
come with the tests.
"""

import argparse
import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from models import finder
from models.matting import Loader, MattingNet
from models.session import SessionOptions
from models.weights import default_folder
from pipeline import views
from pipeline.affine import inverse
from pipeline.decode import decode
from pipeline.errors import UnusablePhoto
from pipeline.face import the_one
from pipeline.fusion import fuse
from pipeline.geometry import estimate_head, measure_head
from pipeline.matte import onto_grid
from pipeline.resample import fit, warp
from pipeline.values import Alpha, Face, Head, Matte, Photo, Rgb, View

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests" / "data"
SIDES = {"person": 256, "saliency": 320}
MODES = {"u2netp": ("saliency",), "fast": ("person",), "best": ("person", "saliency")}
MAX_PIXELS = 50_000_000
_Flags = npt.NDArray[np.bool_]


class Scores(NamedTuple):
    """Of one matte: mean absolute difference (whole picture, and the band around the edge), mean
    squared difference, and difference of the gradients; all times 1000."""

    mad: float
    band: float
    mse: float
    gradient: float


class Studio:
    """The nets and the face detector, in this process."""

    def __init__(self) -> None:
        options = SessionOptions(device="cpu", threads=2)
        nets = {"person": "selfie", "saliency": "u2netp"}
        self.nets: Mapping[str, MattingNet] = Loader(nets, options, default_folder())()
        self._faces = finder.load(default_folder())

    def face(self, rgb: Rgb, least_px: int = 20) -> Face | None:
        """The one face, or None."""
        small = fit(rgb, 640)
        try:
            face = the_one(self._faces.find(small, least_px), enlarge=10)
        except UnusablePhoto:
            return None
        return face.scaled(rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0])

    def mattes(self, rgb: Rgb, head: Head | None) -> dict[str, Matte]:
        """The whole picture's matte in each mode."""
        photo = Photo(rgb, (rgb.shape[1], rgb.shape[0]))
        whole = (0.0, 0.0, float(rgb.shape[1]), float(rgb.shape[0]))
        first = views.cut(photo, whole, max(SIDES.values()))
        asked: dict[str, tuple[View, ...]] = {"saliency": (first,), "person": (first,)}
        if head and (close := views.close_box(head, whole)):
            asked["person"] = first, views.cut(photo, close, SIDES["person"])
        alphas = {
            role: self.nets[role].matte([view.rgb for view in seen]) for role, seen in asked.items()
        }
        return {
            mode: fuse(alphas, {role: asked[role] for role in roles}, whole)
            for mode, roles in MODES.items()
        }


def score(alpha: Alpha, true: Alpha) -> Scores:
    """How far a matte is from the true one of the same size."""
    apart = np.abs(alpha - true)
    gradients = [
        np.hypot(*(cv2.Sobel(a, cv2.CV_32F, *d) for d in ((1, 0), (0, 1)))) for a in (alpha, true)
    ]
    return Scores(
        1000 * float(apart.mean()),
        1000 * float(apart[edge_band(true)].mean()),
        1000 * float((apart**2).mean()),
        1000 * float(np.abs(gradients[0] - gradients[1]).mean()) / 4,
    )


def edge_band(true: Alpha) -> _Flags:
    """Where the true alpha is soft or changes, and a fiftieth of the picture around."""
    soft = ((true > 0.02) & (true < 0.98)).astype(np.uint8)
    edge = cv2.morphologyEx((true > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    width = max(3, max(true.shape) // 50) | 1
    return np.asarray(cv2.dilate(soft | edge, np.ones((width, width)))) > 0


def pairs(folder: Path) -> Iterator[tuple[str, Rgb, Alpha]]:
    """Name, picture and true alpha of every person in the folder."""
    for path in sorted((folder / "alphas").glob("gt-*.png")):
        picture = folder / "photos" / path.name
        picture = picture if picture.exists() else folder / path.name
        true = np.asarray(Image.open(path).convert("L"), np.float32) / 255
        yield path.stem, np.asarray(Image.open(picture).convert("RGB")), true


def rendered(matte: Matte, size_px: tuple[int, int]) -> Alpha:
    """A whole picture's matte at the picture's size."""
    return np.clip(warp(matte.alpha, inverse(onto_grid(matte)), size_px), 0, 1)


def measure_mattes(studio: Studio, folder: Path) -> dict[str, dict[str, Scores]]:
    """Scores by mode and name."""
    table: dict[str, dict[str, Scores]] = {mode: {} for mode in MODES}
    for name, rgb, true in pairs(folder):
        face = studio.face(rgb)
        mattes = studio.mattes(rgb, estimate_head(face) if face else None)
        for mode, matte in mattes.items():
            alpha = rendered(matte, (true.shape[1], true.shape[0]))
            table[mode][name] = score(alpha, true)
    return table


def measure_geometry(studio: Studio, folder: Path) -> dict[str, tuple[float, float, float, float]]:
    """By name: error of the eyes (share of their distance), the roll (degrees), the chin and the
    crown (shares of the head's height), where the face was found."""
    errors = {}
    labels = (HERE / "landmarks.csv").read_text("utf-8").splitlines()
    for row in csv.DictReader(labels):
        path = next(folder.glob(row["name"] + ".*"), None)
        if path is None:
            continue
        photo = decode(path.read_bytes(), long_side_px=1024, max_pixels=MAX_PIXELS)
        face = studio.face(photo.rgb)
        if face is None:
            continue
        head = measure_head(face, studio.mattes(photo.rgb, estimate_head(face))["best"])
        scale = photo.rgb.shape[1] / photo.full_size_px[0]
        errors[row["name"]] = _compare(head, row, scale)
    return errors


def _compare(head: Head, row: Mapping[str, str], scale: float) -> tuple[float, float, float, float]:
    def point(name: str) -> npt.NDArray[np.float64]:
        return scale * np.array([float(row[f"{name}_x"]), float(row[f"{name}_y"])])

    left, right = point("left_eye"), point("right_eye")
    across = (right - left) / np.linalg.norm(right - left)
    down = np.array([-across[1], across[0]])
    middle = (left + right) / 2
    chin, crown = (point("chin") - middle) @ down, (middle - point("crown")) @ down
    eyes = float(np.linalg.norm(np.array(head.eyes_xy_px) - middle) / np.linalg.norm(right - left))
    roll = head.roll_deg - math.degrees(math.atan2(across[1], across[0]))
    height = chin + crown
    return (
        eyes,
        roll,
        float((head.chin_below_eyes_px - chin) / height),
        float((head.crown_above_eyes_px - crown) / height),
    )


def print_mattes(table: Mapping[str, Mapping[str, Scores]]) -> None:
    names = list(next(iter(table.values())))
    print("| matte | MAD | band | MSE | gradient | worst |", *(f"{name[3:]} |" for name in names))
    print("|---|---|---|---|---|---|" + "---|" * len(names))
    for mode, rows in table.items():
        means = np.mean(list(rows.values()), axis=0)
        cells = [f"{value:.1f}" for value in (*means, max(row.mad for row in rows.values()))]
        print(f"| {mode} |", " | ".join(cells + [f"{rows[name].mad:.1f}" for name in names]), "|")


def print_geometry(errors: Mapping[str, tuple[float, float, float, float]]) -> None:
    table = np.abs(list(errors.values()))
    print(f"| {len(errors)} portraits | eyes, % of IPD | roll, deg | chin, % of head | crown, % |")
    print("|---|---|---|---|---|")
    percent = np.array([100, 1, 100, 100])
    for title, values in (("mean", table.mean(axis=0)), ("worst", table.max(axis=0))):
        print(f"| {title} | " + " | ".join(f"{value:.1f}" for value in values * percent) + " |")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--pairs", type=Path, default=TESTS)
    parser.add_argument("--portraits", type=Path)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(2)
    studio = Studio()
    print_mattes(measure_mattes(studio, options.pairs))
    if options.portraits:
        print()
        print_geometry(measure_geometry(studio, options.portraits))


if __name__ == "__main__":
    main()
