"""How much of a coloured screen stays on the person, before and after it is taken out.

python -m benchmarks.spill [--pairs FOLDER] [--photo FILE]

People with true alphas are put before a green or blue screen that also shines on them from behind;
``--photo`` is a portrait before real green, measured as a us-passport photo.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.grounds import composed, own_colours, wall
from benchmarks.mattes import pairs
from benchmarks.quality import TESTS
from benchmarks.studio import Studio, rendered
from pipeline import documents
from pipeline.decode import decode
from pipeline.errors import UnusablePhoto
from pipeline.foreground import estimate
from pipeline.geometry import estimate_head, measure_head, plan_crop
from pipeline.matte import render
from pipeline.resample import warp
from pipeline.values import Alpha, Rgb

SCREENS = {"green": (0, 177, 64), "blue": (0, 71, 187)}
OUTPUTS = {"white": (255, 255, 255), "blue": (67, 142, 219), "red": (255, 0, 0)}
# Share of the screen's light on the person's outline, and how far in it fades to a third (a
# fraction of the picture's longer side).
_REFLECTED, _REACH = 0.25, 0.008
_LONG_SIDE_PX, _MAX_PIXELS = 1280, 50_000_000
_Floats = npt.NDArray[np.float64]


class Spill(NamedTuple):
    """Excess of the screen's channel in the edge band, in levels, on one output colour."""

    plain: float
    """The picture itself blended by the alpha, as without any correction."""
    estimated: float
    """The colours of ``pipeline.foreground``."""
    true: float
    """The person's own colours by the true alpha."""


def lit(own: Rgb, alpha: Alpha, screen: tuple[int, int, int]) -> Rgb:
    """The person with the screen's reflection on the outline, fading inwards; uint8 HxWx3."""
    inside = cv2.distanceTransform((alpha > 0.95).astype(np.uint8), cv2.DIST_L2, 5)
    weight = _REFLECTED * np.exp(-np.asarray(inside) / (_REACH * max(alpha.shape)))[..., None]
    return np.asarray(np.clip(np.rint(own + weight * np.array(screen)), 0, 255), np.uint8)


def excess(own: Rgb, alpha: Alpha, output: tuple[int, int, int], channel: int) -> _Floats:
    """By how many levels the channel exceeds both others in the person put on the output colour,
    HxW; what the output colour itself exceeds is not counted.
    """
    cover = alpha[..., None].astype(np.float64)

    def over(picture: _Floats) -> _Floats:
        others = np.delete(picture, channel, axis=2).max(axis=2)
        return np.asarray(np.maximum(0, picture[..., channel] - others))

    ground = np.broadcast_to(np.array(output, float), own.shape)
    blend = over(cover * own + (1 - cover) * ground)
    return np.maximum(0, blend - (1 - alpha) * over(ground))


def edge_band(alpha: Alpha) -> npt.NDArray[np.bool_]:
    """15 pixels in 600 around where the alpha is neither 0 nor 1."""
    size = max(3, round(max(alpha.shape) / 40) | 1)
    square = np.ones((size, size), np.uint8)
    near = np.asarray(cv2.dilate((alpha > 0.05).astype(np.uint8), square)) > 0
    deep = np.asarray(cv2.erode((alpha > 0.95).astype(np.uint8), square)) > 0
    return np.asarray(near & ~deep & (alpha > 0.02))


def measure_screens(
    studio: Studio, folder: Path, screen: str
) -> Iterator[tuple[str, str, str, Spill]]:
    """Name, whose alpha ("true" or "ours"), output colour and spill of every person."""
    colour, channel = SCREENS[screen], int(np.argmax(SCREENS[screen]))
    for name, rgb, true in pairs(folder):
        size_px = true.shape[1], true.shape[0]
        own = own_colours(rgb, true)
        picture = composed(lit(own, true, colour), true, wall(colour, size_px))
        face = studio.face(picture)
        matte = studio.mattes(picture, estimate_head(face) if face else None)["best"]
        for whose, alpha in (("true", true), ("ours", rendered(matte, size_px))):
            for output, ground in OUTPUTS.items():
                yield name, whose, output, _spill(picture, alpha, ground, channel, own, true)


def measure_photo(studio: Studio, path: Path) -> Spill:
    """Green of a portrait on white, cut as a us-passport photo, in its own matte's edge band.

    Raises UnusablePhoto where no face is found. ``true`` is not known and 0.
    """
    document = documents.find("us-passport")
    photo = decode(path.read_bytes(), long_side_px=_LONG_SIDE_PX, max_pixels=_MAX_PIXELS)
    face = studio.face(photo.rgb)
    if face is None:
        raise UnusablePhoto("no_face")
    size_px = photo.rgb.shape[1], photo.rgb.shape[0]
    matte = studio.mattes(photo.rgb, estimate_head(face))["best"]
    plan = plan_crop(face, measure_head(face, matte), document, size_px)
    alpha = render(matte, plan, size_px)[0]
    picture = warp(photo.rgb, plan.matrix, plan.size_px)
    band = edge_band(alpha)
    green = [
        excess(rgb, alpha, OUTPUTS["white"], 1)[band].mean()
        for rgb in (picture, estimate(picture, alpha))
    ]
    return Spill(float(green[0]), float(green[1]), 0.0)


def _spill(
    picture: Rgb,
    alpha: Alpha,
    output: tuple[int, int, int],
    channel: int,
    own: Rgb,
    true: Alpha,
) -> Spill:
    band = edge_band(alpha)
    return Spill(
        float(excess(picture, alpha, output, channel)[band].mean()),
        float(excess(estimate(picture, alpha), alpha, output, channel)[band].mean()),
        float(excess(own, true, output, channel)[edge_band(true)].mean()),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spill", description=__doc__)
    parser.add_argument("--pairs", type=Path, default=TESTS)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(options.threads)
    studio = Studio(options.threads)
    print("| screen | alpha | on | plain | estimated | true colours | falls by, % |")
    print("|---|---|---|---|---|---|---|")
    for screen in SCREENS:
        rows: dict[tuple[str, str], list[Spill]] = defaultdict(list)
        for _, whose, output, spill in measure_screens(studio, options.pairs, screen):
            rows[whose, output].append(spill)
        for (whose, output), found in rows.items():
            _print_row((screen, whose, output), Spill(*np.mean(found, axis=0)))
    if options.photo:
        _print_row((options.photo.stem, "ours", "white"), measure_photo(studio, options.photo))


def _print_row(titles: tuple[str, str, str], spill: Spill) -> None:
    falls = 100 * (1 - spill.estimated / spill.plain)
    cells = [*titles, *(f"{value:.2f}" for value in spill), f"{falls:.0f}"]
    print("|", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
