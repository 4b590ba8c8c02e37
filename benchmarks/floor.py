"""The pipeline in bare processes, one thread each: what no service on these cores can pass.

python -m benchmarks.floor [--processes N] [--seconds 15] [--quality best|fast]
    [--precision auto|fp32|int8] [--photos PATH ...] [--megapixels 1.5]
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import cv2

from benchmarks import photos
from benchmarks.figures import cell, machine, table
from benchmarks.load import BACKGROUND, DOCUMENT, tell_refused
from benchmarks.processes import ProcFs
from models import drawings, finder
from models.catalog import WantedPrecision, find
from models.matting import Loader, interface
from models.session import SessionOptions
from models.weights import default_folder
from pipeline import colours, documents, flow
from pipeline.errors import IdPhotoError
from pipeline.values import IdPhoto, Order, Portrait, Quality

NETS = {"person": "selfie", "saliency": "u2netp"}
MAX_PIXELS = 50_000_000
# Time for every process to load its nets.
_START_S = 240
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Done:
    """What one process did in its time."""

    photos: int
    seconds: float
    cpu_s: float
    busy_s: float | None
    """CPU-seconds of all that ran on the machine meanwhile; None where that is not told."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What all processes did together."""

    photos_per_s: float
    cpu_s_per_photo: float
    other_cores: float | None
    """CPU-seconds a second of what else ran on the machine."""


class Pipeline:
    """All of the service's work on one photo, in this thread."""

    def __init__(self, quality: Quality, precision: WantedPrecision = "auto") -> None:
        cv2.setNumThreads(1)
        folder = default_folder()
        options = SessionOptions(device="cpu")
        self._nets = Loader(NETS, options, folder, precision=precision, runtime="auto")()
        self._sides = {role: interface(find(name)).size_px for role, name in NETS.items()}
        self._faces = finder.load(folder)
        self._how_drawn = drawings.load(folder).score
        document, background = documents.find(DOCUMENT), colours.parse(BACKGROUND)
        self._order = Order((document,), (background,), "jpeg", quality=quality)

    def portrait(self, data: bytes) -> Portrait:
        """What goes to the nets and beyond. Raises IdPhotoError."""
        return flow.prepare_photo(
            data,
            self._order,
            self._faces.find,
            sides=self._sides,
            max_pixels=MAX_PIXELS,
            how_drawn=self._how_drawn,
        )

    def photo(self, data: bytes) -> IdPhoto:
        """The finished photo. Raises IdPhotoError."""
        portrait = self.portrait(data)
        frames = portrait.frames.items()
        alphas = {role: self._nets[role].matte(seen) for role, seen in frames}
        finished = flow.finish_photo(portrait, alphas, self._order)
        assert isinstance(finished, tuple)  # a doubt needs an expert, and there is none here
        return finished[0]


def work(
    found: Sequence[bytes],
    quality: Quality,
    precision: WantedPrecision,
    seconds: float,
    start: Barrier,
    done: "Queue[Done]",
) -> None:
    """One process: loads, waits for the others, and makes photos for so long."""
    pipeline = Pipeline(quality, precision)
    for _ in range(_WARM_UP):
        pipeline.photo(found[0])
    start.wait(_START_S)
    start_s, start_cpu_s, start_busy_s = time.monotonic(), time.process_time(), _busy_s()
    count = 0
    while (spent_s := time.monotonic() - start_s) < seconds:
        pipeline.photo(found[count % len(found)])
        count += 1
    busy_s = None if start_busy_s is None else (_busy_s() or 0) - start_busy_s
    done.put(Done(count, spent_s, time.process_time() - start_cpu_s, busy_s))


def _busy_s() -> float | None:
    files = ProcFs()
    return files.busy_s() if files.there else None


def measure_floor(
    found: Sequence[bytes],
    quality: Quality,
    seconds: float,
    processes: int,
    precision: WantedPrecision = "auto",
) -> Floor:
    """What so many processes do at the same time."""
    fresh = multiprocessing.get_context("spawn")
    start, done = fresh.Barrier(processes), fresh.Queue()
    arguments = (found, quality, precision, seconds, start, done)
    workers = [fresh.Process(target=work, args=arguments, daemon=True) for _ in range(processes)]
    for worker in workers:
        worker.start()
    results = [done.get(timeout=_START_S + 2 * seconds) for _ in workers]
    for worker in workers:
        worker.join()
    return summed(results)


def accepted(found: Mapping[str, bytes], quality: Quality) -> tuple[list[bytes], dict[str, str]]:
    """The photos that become ID photos, and the codes of the others' errors."""
    pipeline = Pipeline(quality)
    kept, refused = [], {}
    for name, data in found.items():
        try:
            pipeline.photo(data)
            kept.append(data)
        except IdPhotoError as error:
            refused[name] = error.code
    return kept, refused


def summed(results: Sequence[Done]) -> Floor:
    """The processes together."""
    count = sum(result.photos for result in results)
    cpu_s = sum(result.cpu_s for result in results)
    used = sum(result.cpu_s / result.seconds for result in results)
    busy = [result.busy_s / result.seconds for result in results if result.busy_s is not None]
    return Floor(
        photos_per_s=sum(result.photos / result.seconds for result in results),
        cpu_s_per_photo=cpu_s / count,
        other_cores=max(0.0, statistics.mean(busy) - used) if busy else None,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.floor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--quality", choices=("best", "fast"), default="best")
    parser.add_argument("--precision", choices=("auto", "fp32", "int8"), default="auto")
    photos.add_options(parser)
    options = parser.parse_args(arguments)

    found = photos.chosen(options)
    kept, refused = accepted(found, options.quality)
    tell_refused(refused)
    if not kept:
        raise SystemExit("no photo is left")
    left = {name: data for name, data in found.items() if name not in refused}
    print(f"{machine()}; {photos.described(options, left)}; {DOCUMENT} on {BACKGROUND}")
    floor = measure_floor(
        kept, options.quality, options.seconds, options.processes, options.precision
    )
    cells = (cell(floor.photos_per_s), cell(floor.cpu_s_per_photo, 4))
    row = (options.quality, str(options.processes), *cells, cell(floor.other_cores))
    print(table(("quality", "processes", "photos/s", "CPU-s a photo", "other cores"), [row]))


if __name__ == "__main__":
    main()
