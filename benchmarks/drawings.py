"""How well drawings are told from photos, and the head that tells them.

python -m benchmarks.drawings --pictures FOLDER [--write]

The pictures are those of drawings.csv; README.md says which packages they come from. Each is looked
at as the service does, as it is and spoilt. What is printed is about sources that the head was not
made with: people, painters and packages are never on both sides. ``--write`` makes the head of
models/drawings.py of all pictures but the Mona Lisas.
"""

import argparse
import csv
import io
import math
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.spoilings import SPOILINGS
from models import drawings, finder
from models.weights import default_folder
from pipeline.decode import decode
from pipeline.errors import IdPhotoError
from pipeline.resample import glance
from pipeline.values import Face, Rgb

Array = npt.NDArray[Any]

_LIST = Path(__file__).with_name("drawings.csv")
_FOLDS = (
    ("shared", "pip", "openclip"),
    ("tabler", "flare", "gcompris"),
    ("npm", "naev", "freedroidrpg"),
    ("dlib", "wesnoth"),
    ("scraps", "pokerth"),
)
# FreeCol has most of the oil: its paintings, by as many painters, are dealt out one by one.
_DEALT = "freecol"
_UNTAUGHT = "monalisa"
_SIDE_PX, _MIN_EYES_PX, _MAX_PIXELS = 640, 16, 50_000_000
# Versions of one picture that the head is taught, besides the picture as it is.
_TAUGHT = 4
_RIDGE = 3.0
# Share of all versions of unseen photos that may be warned about.
_MAY_WARN = 0.01


class Row(NamedTuple):
    """A version of a face."""

    source: str
    kind: str
    name: str
    drawn: bool
    version: str
    features: Array


def rows(folder: Path, only: str | None) -> list[Row]:
    """Every version of every face of the list that is large enough, those of one source or all."""
    faces, net, found = finder.load(default_folder()), drawings.load(), []
    with _LIST.open(encoding="utf-8") as stream:
        for line in csv.DictReader(stream):
            if only and line["source"] != only:
                continue
            try:
                data = _data(folder / line["path"])
                photo = decode(data, long_side_px=_SIDE_PX, max_pixels=_MAX_PIXELS)
            except (OSError, IdPhotoError) as error:
                print(f"left out: {line['path']}: {error}")
                continue
            rgb = glance(photo.rgb, _SIDE_PX)
            seen = faces.find(rgb)
            if len(seen) <= int(line["face"]):
                continue
            face = seen[int(line["face"])]
            if _eyes_px(face) * photo.full_size_px[0] / rgb.shape[1] < _MIN_EYES_PX:
                continue
            about = line["source"], line["kind"], Path(line["path"]).stem, line["drawn"] == "1"
            for version, picture in _versions(rgb, face, line["path"]).items():
                eyes = face.left_eye_xy_px, face.right_eye_xy_px
                found.append(Row(*about, version, net.features(picture, *eyes).astype(np.float16)))
    return found


def _data(path: Path) -> bytes:
    """The file, or as PNG where the service does not read its format."""
    if path.suffix != ".pgm":
        return path.read_bytes()
    file = io.BytesIO()
    Image.open(path).save(file, "png")
    return file.getvalue()


def _eyes_px(face: Face) -> float:
    return math.dist(face.left_eye_xy_px, face.right_eye_xy_px)


def _versions(rgb: Rgb, face: Face, path: str) -> dict[str, Rgb]:
    chance = np.random.default_rng(zlib.crc32(path.encode()))
    eyes_px = _eyes_px(face)
    spoilt = {name: spoil(rgb, eyes_px, chance) for name, spoil in SPOILINGS.items()}
    return {"as it is": rgb, **spoilt}


def fold(row: Row) -> int:
    """Which of the parts the row is tested in."""
    if row.source == _DEALT:
        return zlib.crc32(row.name.split(".")[0].encode()) % len(_FOLDS)
    return next(place for place, sources in enumerate(_FOLDS) if row.source in sources)


def weights(found: list[Row]) -> Array:
    """Photos and drawings count alike; a source by the root of its pictures."""
    keys = [(row.drawn, row.source) for row in found]
    many = {key: keys.count(key) for key in set(keys)}
    each = np.array([many[key] ** -0.5 for key in keys])
    drawn = np.array([row.drawn for row in found])
    for side in (drawn, ~drawn):
        each[side] /= each[side].sum()
    return each * len(found) / 2


def ridge(features: Array, drawn: Array, weight: Array) -> tuple[Array, float]:
    """The head: weights and bias of ridge regression on 1 for drawings and -1 for photos."""
    middle, spread = features.mean(0), features.std(0) + 1e-3
    root = np.sqrt(weight, dtype=np.float32)[:, None]
    seen = (features - middle) / spread * root
    wanted = 2.0 * drawn - 1
    # Both sides weigh alike, so that 0 is the middle of what is wanted.
    gram = seen @ seen.T
    gram[np.diag_indices_from(gram)] += np.float32(_RIDGE * len(seen))
    dual = np.linalg.solve(gram, (wanted * root[:, 0]).astype(np.float32))
    head = (seen.T @ dual) / spread
    return head, -float(middle @ head)


def taught(found: list[Row]) -> Array:
    """Of each picture as it is and a few of its versions, chosen by chance."""
    chance = np.random.default_rng(0)
    order = chance.random(len(found))
    keys = [(row.source, row.name, row.kind) for row in found]
    rank: dict[tuple[str, ...], int] = {}
    chosen = np.zeros(len(found), bool)
    for place in np.argsort(order):
        row, key = found[place], keys[place]
        if row.kind == _UNTAUGHT:
            continue
        if row.version == "as it is":
            chosen[place] = True
        elif rank.setdefault(key, 0) < _TAUGHT:
            rank[key] += 1
            chosen[place] = True
    return chosen


def _told(found: list[Row], scores: Array, limit: float) -> None:
    drawn = np.array([row.drawn for row in found])
    plain = np.array([row.version == "as it is" for row in found])
    over = scores > limit
    print(f"photos as they are: {over[plain & ~drawn].mean():.2%} of {(plain & ~drawn).sum()}")
    print(f"photos, every version: {over[~drawn].mean():.2%} of {(~drawn).sum()}")
    print(f"drawings as they are: {over[plain & drawn].mean():.0%} of {(plain & drawn).sum()}")
    print(f"drawings, every version: {over[drawn].mean():.0%} of {drawn.sum()}")
    for kind in sorted({row.kind for row in found if row.drawn}):
        of_kind = drawn & plain & np.array([row.kind == kind for row in found])
        print(f"  {kind}: {over[of_kind].mean():.0%} of {of_kind.sum()}")
    for version in dict.fromkeys(row.version for row in found):
        of_version = np.array([row.version == version for row in found])
        print(
            f"  {version}: photos {over[of_version & ~drawn].mean():.1%}, "
            f"drawings {over[of_version & drawn].mean():.0%}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="the packages, unpacked")
    parser.add_argument("--source", help="only look at this one, and keep what was seen")
    parser.add_argument("--kept", type=Path, required=True, help="folder of what was seen")
    parser.add_argument("--write", action="store_true", help="write the head")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with _LIST.open(encoding="utf-8") as stream:
        sources = list(dict.fromkeys(line["source"] for line in csv.DictReader(stream)))
    options.kept.mkdir(parents=True, exist_ok=True)
    found: list[Row] = []
    for source in sources if options.source is None else [options.source]:
        path = options.kept / f"{source}.npy"
        if not path.exists():
            np.save(path, np.array(rows(options.pictures, source), dtype=object))
        found += [Row(*row) for row in np.load(path, allow_pickle=True)]
    if options.source:
        return

    features = np.stack([row.features for row in found]).astype(np.float32)
    drawn = np.array([row.drawn for row in found])
    parts, chosen = np.array([fold(row) for row in found]), taught(found)
    scores = np.zeros(len(found))
    for part in range(len(_FOLDS)):
        mine = chosen & (parts != part)
        of_mine = [row for row, used in zip(found, mine, strict=True) if used]
        head, bias = ridge(features[mine], drawn[mine], weights(of_mine))
        scores[parts == part] = features[parts == part] @ head + bias
    limit = float(np.quantile(scores[~drawn], 1 - _MAY_WARN))
    print(f"limit {limit:.3f}")
    _told(found, scores, limit)
    if options.write:
        of_all = [row for row, used in zip(found, chosen, strict=True) if used]
        head, bias = ridge(features[chosen], drawn[chosen], weights(of_all))
        place = Path(drawings.__file__).with_name(drawings.HEAD)
        np.savez(place, weights=head.astype(np.float16), bias=np.float32(bias - limit))
        print(f"{place}: {place.stat().st_size} bytes")


if __name__ == "__main__":
    main()
