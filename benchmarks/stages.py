"""The pipeline in one process, stage by stage: the floor that no service can go below.

python -m benchmarks.stages [--threads N] [--rounds N] [--precision auto|fp32|int8] [PHOTO ...]

Without a precision u2netp is measured in both, in turn; the selfie net has only fp32.
"""

import argparse
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2

from benchmarks.photos import enlarged
from models import finder
from models.catalog import WantedPrecision
from models.matting import Loader, MattingNet
from models.session import SessionOptions
from models.weights import default_folder
from pipeline import colours, documents, flow
from pipeline.values import Order

MEGAPIXELS = (1.5, 3, 12)
SIDES = {"person": 256, "saliency": 320}
_T = TypeVar("_T")


class Clock:
    """CPU milliseconds of named stages over many rounds."""

    def __init__(self) -> None:
        self.rounds: dict[str, list[float]] = defaultdict(list)

    def time(self, stage: str, work: Callable[..., _T], *args: Any, **more: Any) -> _T:
        start = time.process_time()
        result = work(*args, **more)
        self.rounds[stage].append((time.process_time() - start) * 1000)
        return result

    def medians(self) -> dict[str, float]:
        return {stage: statistics.median(rounds) for stage, rounds in self.rounds.items()}


def measure(
    data: bytes, nets: Mapping[str, Mapping[str, MattingNet]], rounds: int
) -> dict[str, float]:
    """Median CPU milliseconds of each stage for one photo, with the nets by precision and role.

    Finishes with the first precision's alphas.
    """
    faces = finder.load(default_folder())
    order = Order((documents.find("cn-1-inch"),), (colours.parse("blue"),), "jpeg")
    clock = Clock()
    for _ in range(rounds):
        portrait = clock.time(
            "decode, face, cut",
            flow.prepare_photo,
            data,
            order,
            lambda rgb: clock.time("  of it face", faces.find, rgb),
            sides=SIDES,
            max_pixels=50_000_000,
        )
        alphas = [
            {
                role: clock.time(f"{role} net {precision}", chosen[role].matte, frames)
                for role, frames in portrait.frames.items()
            }
            for precision, chosen in nets.items()
        ]
        clock.time("fuse, compose, encode", flow.finish_photo, portrait, alphas[0], order)
    return clock.medians()


def total(medians: Mapping[str, float], precision: str, measured: Sequence[str]) -> float:
    """The sum of the stages, of the nets only those in this one of the measured precisions."""
    others = tuple(f" net {other}" for other in measured if other != precision)
    return sum(
        value
        for stage, value in medians.items()
        if not stage.startswith(" ") and not stage.endswith(others)
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path, help="default: a portrait in three sizes")
    parser.add_argument("--threads", type=int, default=1, help="of the net (default 1)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--precision", choices=("auto", "fp32", "int8"))
    parser.add_argument(
        "--runtime", choices=("auto", "onnxruntime", "openvino"), default="onnxruntime"
    )
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)

    photos = {path.name: path.read_bytes() for path in options.photos}
    photos = photos or {f"{size} MP": enlarged(size) for size in MEGAPIXELS}
    session = SessionOptions(device="cpu", threads=options.threads)
    names = {"person": "selfie", "saliency": "u2netp"}
    wanted: list[WantedPrecision] = [options.precision] if options.precision else ["fp32", "int8"]
    nets: dict[str, dict[str, MattingNet]] = {
        precision: Loader(
            names, session, default_folder(), precision=precision, runtime=options.runtime
        )()
        for precision in wanted
    }
    print(
        f"{platform.machine()}, Python {platform.python_version()}, runtime {options.runtime}, "
        f"{options.threads} thread(s), selfie in fp32, u2netp in "
        f"{' and '.join(wanted)}; CPU-ms a photo, median of {options.rounds}"
    )
    for name, data in photos.items():
        medians = measure(data, nets, options.rounds)
        stages = "; ".join(f"{stage.strip()} {value:.1f}" for stage, value in medians.items())
        totals = "; ".join(
            f"total {precision} {total(medians, precision, wanted):.1f}" for precision in wanted
        )
        print(f"{name:>8} ({len(data) / 1e6:.2f} MB): {stages}; {totals}")


if __name__ == "__main__":
    main()
