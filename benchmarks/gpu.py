"""The matting nets alone, by batch, precision and way of calling, and then the service; on a GPU
where there is one, else the nets on the CPU.

python -m benchmarks.gpu [--nets u2netp,selfie] [--batches 1,2,4,8,16,32] [--rounds 20]
    [--tflops 60 --gb-per-s 4000] [--nets-only]

"run" is ONNX Runtime's plain call, "bound" keeps input and output in one place on the device, as
the service does (models/binding.py), and "graph" is that with the launches recorded in a CUDA
graph. All of them count the copies to and from the device. The share of the roofline is that of the
GPU's data sheet (benchmarks/peaks.py); ``--tflops`` and ``--gb-per-s`` take its place. TensorRT
builds an engine for every batch, which takes minutes; its float32 is TF32.
"""

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime

from benchmarks import load, peaks
from benchmarks.figures import cell, machine, table
from benchmarks.roofline import Work, work
from benchmarks.service import free_port, ours, running
from models import gpu
from models.binding import bind_as_asked
from models.catalog import Net, find
from models.matting import interface
from models.prepare import prepare
from models.session import KnownDevice, ProviderUnavailable, SessionOptions, open_session
from models.weights import default_folder, fetch

Precision = Literal["fp32", "tf32", "fp16"]
Way = Literal["run", "bound", "graph"]

HEADER = ("net", "device", "precision", "way", "batch", "ms a batch", "photos/s", "of the roofline")
_WARM_UP = 5
_BATCHES = {"cpu": [1, 2, 4], "gpu": [1, 2, 4, 8, 16, 32]}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Case:
    """One way to run one net."""

    net: Net
    device: KnownDevice
    precision: Precision
    way: Way
    batch: int

    @property
    def cells(self) -> list[str]:
        return [self.net.name, self.device, self.precision, self.way, str(self.batch)]


def devices() -> list[KnownDevice]:
    """Where the nets can run here: on GPUs, else on the CPU. Prints why one is left out."""
    found: list[KnownDevice] = []
    if reason := gpu.why_none():
        print(f"not run on a GPU: {reason}")
        return ["cpu"]
    (source,) = fetch("selfie").values()
    model = prepare(find("selfie"), source, default_folder(), "fp32")
    candidates: tuple[KnownDevice, ...] = ("cuda", "tensorrt")
    for device in candidates:
        try:
            open_session(model, SessionOptions(device=device))
            found.append(device)
        except ProviderUnavailable as error:
            print(f"not run: {error}")
    if not found:
        print("not run on a GPU")
    return found or ["cpu"]


def cases(
    nets: Sequence[Net], found: Sequence[KnownDevice], batches: Sequence[int] | None
) -> Iterator[Case]:
    """Every combination that makes sense."""
    for net in nets:
        for device in found:
            precisions: tuple[Precision, ...] = ("fp32", "tf32", "fp16")
            ways: tuple[Way, ...] = ("run", "bound", "graph")
            if device == "cpu":
                # float16 is slower than float32 there, and there is nothing to record.
                precisions, ways = ("fp32",), ("run", "bound")
            elif device == "tensorrt":
                precisions = ("tf32", "fp16")
            for precision in precisions:
                for way in ways:
                    for batch in batches or _BATCHES["cpu" if device == "cpu" else "gpu"]:
                        yield Case(net, device, precision, way, batch)


def call(case: Case, folder: Path, engines: Path) -> Callable[[], Any]:
    """One run of a batch, which returns when its output is there; the folder ``engines`` keeps what
    TensorRT builds. Raises ProviderUnavailable and what ONNX Runtime raises.
    """
    halved = case.precision == "fp16"
    options = SessionOptions(
        device=case.device,
        tensorrt_cache=engines,
        precision="fp16" if halved else "fp32",
        tf32=case.precision == "tf32",
        cuda_graphs=case.way == "graph",
    )
    (source,) = fetch(case.net, folder).values()
    model = prepare(case.net, source, folder, options.precision)
    side = interface(case.net).size_px
    batch = np.random.default_rng(1).random((case.batch, 3, side, side), np.float32)
    if case.way != "run":
        bound = bind_as_asked(model, options, side, (case.batch,), _LOG)
        return lambda: bound(batch)
    session = open_session(model, options)
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: batch})


def timed(run: Callable[[], Any], rounds: int) -> float:
    """Median seconds of a call."""
    for _ in range(_WARM_UP):
        run()
    spent = []
    for _ in range(rounds):
        start_s = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start_s)
    return statistics.median(spent)


def peak_of(options: argparse.Namespace, precision: Precision) -> tuple[float, float] | None:
    """FLOP/s and bytes/s that the device could do at best; None where they are not known."""
    if options.tflops and options.gb_per_s:
        return options.tflops * 1e12, options.gb_per_s * 1e9
    found = None if gpu.why_none() else peaks.find(gpu.name())
    return found and (getattr(found, precision) * 1e12, found.gb_per_s * 1e9)


def row(case: Case, seconds: float, needed: Work, peak: tuple[float, float] | None) -> list[str]:
    """The cells below HEADER."""
    share = "-"
    if peak is not None:
        roof_s = needed.roof_s(case.batch, *peak, 2 if case.precision == "fp16" else 4)
        share = f"{100 * roof_s / seconds:.0f} %"
    return [*case.cells, cell(seconds * 1000), cell(case.batch / seconds, 1), share]


def serve() -> None:
    """Starts the service with its default settings and prints what it does under load."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with running(ours(port, Path(folder)), f"{url}/readyz") as pid:
            load.main(["--url", url, "--clients", "1,16", "--pid", str(pid)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nets", default="u2netp,selfie")
    parser.add_argument(
        "--batches", type=load.numbers, help="default: to 32 on a GPU, to 4 on the CPU"
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tflops", type=float, help="the device's peak of arithmetic")
    parser.add_argument("--gb-per-s", type=float, help="the device's peak of memory traffic")
    parser.add_argument("--nets-only", action="store_true", help="leave the service out")
    options = parser.parse_args(arguments)

    folder = default_folder()
    nets = [find(name) for name in options.nets.split(",")]
    print(f"{machine()}, onnxruntime {onnxruntime.__version__}; median of {options.rounds} calls")
    needed = {}
    for net in nets:
        (source,) = fetch(net, folder).values()
        needed[net.name] = work(prepare(net, source, folder, "fp32"), interface(net).size_px)
        found = needed[net.name]
        print(
            f"{net.name}: {found.flops / 1e9:.2f} GFLOP and {found.activations / 1e6:.1f} million "
            f"activations a photo, {found.weights / 1e6:.2f} million weights"
        )
    places = devices()
    if places != ["cpu"]:
        print(gpu.name())
    rows = []
    with tempfile.TemporaryDirectory() as engines:
        for case in cases(nets, places, options.batches):
            try:
                seconds = timed(call(case, folder, Path(engines)), options.rounds)
            except Exception as error:  # ONNX Runtime's exceptions share no public base class
                print(f"left out: {' '.join(case.cells)}: {error}")
                continue
            rows.append(row(case, seconds, needed[case.net.name], peak_of(options, case.precision)))
    print(table(HEADER, rows))
    if places != ["cpu"] and not options.nets_only:
        serve()


if __name__ == "__main__":
    main()
