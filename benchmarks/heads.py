"""Where the pipeline puts eyes, chin and crown, held against points labelled by hand."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.studio import Studio
from pipeline.decode import decode
from pipeline.geometry import estimate_head, measure_head
from pipeline.values import Head

HERE = Path(__file__).parent
MAX_PIXELS = 50_000_000


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


def print_geometry(errors: Mapping[str, tuple[float, float, float, float]]) -> None:
    table = np.abs(list(errors.values()))
    print(f"| {len(errors)} portraits | eyes, % of IPD | roll, deg | chin, % of head | crown, % |")
    print("|---|---|---|---|---|")
    percent = np.array([100, 1, 100, 100])
    for title, values in (("mean", table.mean(axis=0)), ("worst", table.max(axis=0))):
        print(f"| {title} | " + " | ".join(f"{value:.1f}" for value in values * percent) + " |")
