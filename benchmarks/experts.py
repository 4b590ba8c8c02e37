"""What a stronger net makes of the photos whose mattes are not certain, by the flow that is served.

The mattes are those of the region that the crops of one document can reach, without what is not
connected to the person; so they are not those of ``benchmarks.mattes``.
"""

import io
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import photos
from benchmarks.figures import cell, table
from benchmarks.heads import MAX_PIXELS
from benchmarks.load import BACKGROUND, DOCUMENT
from benchmarks.mattes import pairs, score
from benchmarks.studio import SIDES, Studio, rendered
from models.catalog import find
from models.matting import Loader, interface
from models.session import SessionOptions
from models.weights import default_folder
from pipeline import colours, documents, flow
from pipeline.errors import IdPhotoError, UnusablePhoto
from pipeline.values import Alpha, Alpha8, Doubt, Matte, Order, Portrait, Rgb

ORDER = Order((documents.find(DOCUMENT),), (colours.parse(BACKGROUND),), "jpeg")
# Some of the pairs are so small that their faces would be refused.
_ENLARGE = 2


@dataclass(frozen=True, slots=True)
class Opinion:
    """What became of one photo without the expert and with it."""

    alone: Matte | None
    """None: refused."""
    joined: Matte | None
    asked: bool
    expert_cpu_ms: float
    """0 where it was not asked."""

    @property
    def changed(self) -> bool:
        """Whether the photo is another one, or refused by one way alone."""
        if self.alone is None or self.joined is None:
            return self.alone is not self.joined
        return not np.array_equal(self.alone.alpha, self.joined.alpha)


class Panel:
    """The nets of a studio, and an expert for what they are not sure of."""

    def __init__(self, studio: Studio, name: str, threads: int) -> None:
        """``name`` is the expert's in the catalogue. Raises WeightsUnavailable."""
        options = SessionOptions(device="cpu", threads=threads)
        self._studio = studio
        self._nets = dict(studio.nets) | Loader({flow.EXPERT: name}, options, default_folder())()
        self._side_px = interface(find(name)).size_px

    def portrait(self, data: bytes) -> Portrait:
        """What goes to the nets and beyond. Raises IdPhotoError."""
        faces = self._studio.finder.find
        return flow.prepare_photo(data, ORDER, faces, sides=SIDES, max_pixels=MAX_PIXELS)

    def opinion(self, portrait: Portrait) -> Opinion:
        """The mattes of the portrait's region by one round and, where that asks for it, another."""
        alphas = self._answers(portrait.frames)
        alone = matte_of(portrait, alphas)
        doubt = flow.finish_photo(portrait, alphas, ORDER, expert_side_px=self._side_px)
        if not isinstance(doubt, Doubt):
            return Opinion(alone, alone, False, 0.0)
        start_s = time.process_time()
        alphas |= self._answers(doubt.frames)
        spent_ms = 1000 * (time.process_time() - start_s)
        return Opinion(alone, matte_of(portrait, alphas), True, spent_ms)

    def _answers(self, frames: Mapping[str, Sequence[Rgb]]) -> dict[str, Sequence[Alpha8]]:
        return {role: self._nets[role].matte(seen) for role, seen in frames.items()}


def matte_of(portrait: Portrait, alphas: flow.Alphas) -> Matte | None:
    """The matte that the finished photos are cut by; None where the photo is refused for it."""
    assert portrait.face is not None
    try:
        # The steps give finished files, and a file's crop moves with its matte.
        return flow._person(portrait, alphas, portrait.face)[0]
    except UnusablePhoto:
        return None


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair's opinion, and how far the two mattes are from the true one (MAD x 1000)."""

    opinion: Opinion
    alone: float | None
    joined: float | None


def measure_pairs(panel: Panel, folder: Path) -> dict[str, Judged]:
    """By name, every person with a true alpha whose face is found; of many it is blurred."""
    found = {}
    for name, rgb, true in pairs(folder):
        try:
            portrait = panel.portrait(_enlarged(rgb))
        except IdPhotoError:
            continue
        opinion = panel.opinion(portrait)
        part = _region(true, portrait)
        found[name] = Judged(opinion, _mad(opinion.alone, part), _mad(opinion.joined, part))
    return found


def measure_portraits(panel: Panel, folder: Path) -> dict[str, Opinion]:
    """By file name, every photo of the folder that is not refused before the nets see it."""
    return dict(_opinions(panel, photos.read([folder])))


def _opinions(panel: Panel, found: Mapping[str, bytes]) -> Iterator[tuple[str, Opinion]]:
    for name, data in found.items():
        try:
            portrait = panel.portrait(data)
        except IdPhotoError:
            continue
        yield name, panel.opinion(portrait)


def _enlarged(rgb: Rgb) -> bytes:
    image, file = Image.fromarray(rgb), io.BytesIO()
    size_px = image.width * _ENLARGE, image.height * _ENLARGE
    image.resize(size_px, Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def _region(true: Alpha, portrait: Portrait) -> Alpha:
    """The true alpha of the portrait's region."""
    image = Image.fromarray(true).resize(portrait.photo_size_px, Image.Resampling.BICUBIC)
    whole = np.clip(np.asarray(image, np.float32), 0, 1)
    (x, y), (height, width) = portrait.region_xy_px, portrait.region_rgb.shape[:2]
    return whole[y : y + height, x : x + width]


def _mad(matte: Matte | None, true: Alpha) -> float | None:
    if matte is None:
        return None
    height, width = true.shape
    box = (0.0, 0.0, float(width), float(height))
    return score(rendered(Matte(matte.alpha, box), (width, height)), true).mad


def print_pairs(found: Mapping[str, Judged], expert: str) -> None:
    header = ("matte", "MAD", "worst", *(name.removeprefix("gt-") for name in found))
    rows = []
    both = [j for j in found.values() if j.alone is not None and j.joined is not None]
    for title, field in (("nets alone", "alone"), (f"or {expert}", "joined")):
        values = [getattr(judged, field) for judged in both]
        cells = (cell(float(np.mean(values)), 1), cell(max(values), 1))
        each = (_said(getattr(judged, field)) for judged in found.values())
        rows.append((title, *cells, *each))
    print(table(header, rows))
    print("Asked:", _names(name for name, judged in found.items() if judged.opinion.asked))
    print("Changed:", _names(name for name, judged in found.items() if judged.opinion.changed))


def _said(mad: float | None) -> str:
    return "refused" if mad is None else cell(mad, 1)


def print_portraits(found: Mapping[str, Opinion]) -> None:
    asked = {name: opinion for name, opinion in found.items() if opinion.asked}
    spent_ms = [opinion.expert_cpu_ms for opinion in asked.values()]
    median = f", {np.median(spent_ms):.0f} CPU-ms each (median)" if spent_ms else ""
    print(f"{len(found)} photos with one face; the expert was asked for {len(asked)}{median}")
    refused = {name for name, opinion in found.items() if opinion.alone is None}
    still = {name for name, opinion in found.items() if opinion.joined is None}
    print("Asked:", _names(asked))
    print("Changed:", _names(name for name, opinion in asked.items() if opinion.changed))
    print("Refused without it:", _names(refused))
    print("Refused with it:", _names(still))


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
