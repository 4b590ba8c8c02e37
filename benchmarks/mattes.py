"""How far mattes are from true alphas, on the photos themselves and on other grounds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.grounds import composed, grounds, own_colours
from benchmarks.studio import MODES, Studio, rendered
from pipeline.geometry import estimate_head
from pipeline.values import Alpha, Rgb

_Flags = npt.NDArray[np.bool_]


class Scores(NamedTuple):
    """Of one matte: mean absolute difference (whole picture, and the band around the edge), mean
    squared difference, and difference of the gradients; all times 1000."""

    mad: float
    band: float
    mse: float
    gradient: float


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
    solid = (true > 0.5).astype(np.uint8)
    edge = np.asarray(cv2.morphologyEx(solid, cv2.MORPH_GRADIENT, np.ones((3, 3))), np.uint8)
    width = max(3, max(true.shape) // 50) | 1
    return np.asarray(cv2.dilate(soft | edge, np.ones((width, width)))) > 0


def pairs(folder: Path) -> Iterator[tuple[str, Rgb, Alpha]]:
    """Name, picture and true alpha of every person in the folder."""
    for path in sorted((folder / "alphas").glob("gt-*.png")):
        picture = folder / "photos" / path.name
        picture = picture if picture.exists() else folder / path.name
        true = np.asarray(np.asarray(Image.open(path).convert("L")) / 255, np.float32)
        yield path.stem, np.asarray(Image.open(picture).convert("RGB"), np.uint8), true


def score_mattes(studio: Studio, rgb: Rgb, true: Alpha) -> dict[str, Scores]:
    """Of one picture in every mode."""
    face = studio.face(rgb)
    mattes = studio.mattes(rgb, estimate_head(face) if face else None)
    size_px = true.shape[1], true.shape[0]
    return {mode: score(rendered(matte, size_px), true) for mode, matte in mattes.items()}


def measure_mattes(studio: Studio, folder: Path) -> dict[str, dict[str, Scores]]:
    """Scores by mode and name."""
    table: dict[str, dict[str, Scores]] = {mode: {} for mode in MODES}
    for name, rgb, true in pairs(folder):
        for mode, scores in score_mattes(studio, rgb, true).items():
            table[mode][name] = scores
    return table


def measure_composed(studio: Studio, folder: Path) -> dict[tuple[str, str], dict[str, Scores]]:
    """By kind and name of the ground, and by mode: the mean over every person of the folder."""
    people = [(own_colours(rgb, true), true) for _, rgb, true in pairs(folder)]
    table = {}
    for kind, name, draw in grounds(folder):
        rows: dict[str, list[Scores]] = defaultdict(list)
        for own, true in people:
            picture = composed(own, true, draw((true.shape[1], true.shape[0])))
            for mode, scores in score_mattes(studio, picture, true).items():
                rows[mode].append(scores)
        table[kind, name] = {mode: _mean(found) for mode, found in rows.items()}
    return table


def print_mattes(table: Mapping[str, Mapping[str, Scores]]) -> None:
    names = list(next(iter(table.values())))
    print("| matte | MAD | band | MSE | gradient | worst |", *(f"{name[3:]} |" for name in names))
    print("|---|---|---|---|---|---|" + "---|" * len(names))
    for mode, rows in table.items():
        means = np.mean(list(rows.values()), axis=0)
        cells = [f"{value:.1f}" for value in (*means, max(row.mad for row in rows.values()))]
        print(f"| {mode} |", " | ".join(cells + [f"{rows[name].mad:.1f}" for name in names]), "|")


def print_composed(table: Mapping[tuple[str, str], Mapping[str, Scores]]) -> None:
    print("| ground |", *(f"{mode} MAD | band |" for mode in MODES))
    print("|---|" + "---|---|" * len(MODES))
    for (kind, name), rows in table.items():
        _print_row(f"{kind}: {name}", rows)
    for kind in dict.fromkeys(kind for kind, _ in table):
        own = [rows for (other, _), rows in table.items() if other == kind]
        means = {mode: _mean([rows[mode] for rows in own]) for mode in MODES}
        _print_row(f"**{kind}, mean of {len(own)}**", means)


def _print_row(title: str, rows: Mapping[str, Scores]) -> None:
    print(f"| {title} |", *(f"{rows[mode].mad:.1f} | {rows[mode].band:.1f} |" for mode in MODES))


def _mean(found: Sequence[Scores]) -> Scores:
    return Scores(*(float(value) for value in np.mean(found, axis=0)))
