"""The matting nets alone, by batch, precision and way of calling; on a GPU where there is one.

python -m benchmarks.gpu [--nets u2netp,selfie] [--batches 1,2,4,8,16,32] [--rounds 20]
    [--tflops 60 --gb-per-s 4000]

"run" copies from and to the CPU with each call, "bound" keeps input and output on the device, and
"graph" is that with the launches recorded in a CUDA graph. ``--tflops`` and ``--gb-per-s`` are the
device's peaks, for the precision that is of interest: with them the table says which share of the
roofline a net reaches. TensorRT builds an engine for every batch, which takes minutes; its float32
is TF32.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime

from benchmarks.figures import cell, machine, table
from benchmarks.load import numbers
from benchmarks.roofline import Work, work
from models import gpu
from models.catalog import Net, find
from models.matting import interface
from models.prepare import prepare
from models.session import KnownDevice, ProviderUnavailable, SessionOptions, open_session
from models.weights import default_folder, fetch

Precision = Literal["fp32", "tf32", "fp16"]
Way = Literal["run", "bound", "graph"]

HEADER = ("net", "device", "precision", "way", "batch", "ms a batch", "photos/s")
_WARM_UP = 5
_BATCHES = {"cpu": [1, 2, 4], "gpu": [1, 2, 4, 8, 16, 32]}
_LOG_FATAL = 4


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


def opened(case: Case, folder: Path, engines: Path) -> onnxruntime.InferenceSession:
    """The session of a case; the folder ``engines`` keeps what TensorRT builds.

    Raises ProviderUnavailable where another device would run it, and what ONNX Runtime raises.
    """
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = _LOG_FATAL
    providers = [*_providers(case, engines), ("CPUExecutionProvider", {})]
    # TensorRT halves the full model by itself.
    halved = case.precision == "fp16" and case.device == "cuda"
    (source,) = fetch(case.net, folder).values()
    model = prepare(case.net, source, folder, "fp16" if halved else "fp32")
    session = onnxruntime.InferenceSession(
        model, settings, providers=providers, enable_fallback=False
    )
    if session.get_providers()[0] != providers[0][0]:
        raise ProviderUnavailable(f"{providers[0][0]} was left out")
    return session


def _providers(case: Case, engines: Path) -> list[tuple[str, dict[str, str]]]:
    if case.device == "cpu":
        return []
    cuda = {
        "use_tf32": str(int(case.precision != "fp32")),
        "enable_cuda_graph": str(int(case.way == "graph" and case.device == "cuda")),
        "cudnn_conv_algo_search": "EXHAUSTIVE",
    }
    if case.device == "cuda":
        return [("CUDAExecutionProvider", cuda)]
    # An engine is the best for the batch that it was built for.
    place = engines / f"{case.net.name}-{case.precision}-{case.batch}"
    tensorrt = {
        "trt_fp16_enable": str(case.precision == "fp16"),
        "trt_cuda_graph_enable": str(case.way == "graph"),
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(place),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(engines),
    }
    place.mkdir(exist_ok=True)
    return [("TensorrtExecutionProvider", tensorrt), ("CUDAExecutionProvider", cuda)]


def call(session: onnxruntime.InferenceSession, case: Case) -> Callable[[], Any]:
    """One run of a batch, which returns when its output is there."""
    side = interface(case.net).size_px
    batch = np.random.default_rng(1).random((case.batch, 3, side, side), np.float32)
    name, out = session.get_inputs()[0].name, session.get_outputs()[0].name
    if case.way == "run":
        return lambda: session.run(None, {name: batch})
    device = "cpu" if case.device == "cpu" else "cuda"
    given = onnxruntime.OrtValue.ortvalue_from_numpy(batch, device, 0)
    shape = (case.batch, 1, side, side)
    made = onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, device, 0)
    binding = session.io_binding()
    binding.bind_ortvalue_input(name, given)
    binding.bind_ortvalue_output(out, made)

    def bound() -> None:
        binding.synchronize_inputs()
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    return bound


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


def row(case: Case, seconds: float, needed: Work, options: argparse.Namespace) -> list[str]:
    """The cells below HEADER, and the share of the roofline where its peaks are given."""
    cells = [*case.cells, cell(seconds * 1000), cell(case.batch / seconds, 1)]
    if options.tflops and options.gb_per_s:
        width = 2 if case.precision == "fp16" else 4
        roof_s = needed.roof_s(case.batch, options.tflops * 1e12, options.gb_per_s * 1e9, width)
        cells.append(f"{100 * roof_s / seconds:.0f} %")
    return cells


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nets", default="u2netp,selfie")
    parser.add_argument("--batches", type=numbers, help="default: to 32 on a GPU, to 4 on the CPU")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--tflops", type=float, help="the device's peak of arithmetic")
    parser.add_argument("--gb-per-s", type=float, help="the device's peak of memory traffic")
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
    shares = ("of the roofline",) if options.tflops and options.gb_per_s else ()
    rows = []
    with tempfile.TemporaryDirectory() as engines:
        for case in cases(nets, devices(), options.batches):
            try:
                run = call(opened(case, folder, Path(engines)), case)
                rows.append(row(case, timed(run, options.rounds), needed[case.net.name], options))
            except Exception as error:  # ONNX Runtime's exceptions share no public base class
                print(
                    f"left out: {case.net.name} {case.device} {case.precision} {case.way}: {error}"
                )
    print(table((*HEADER, *shares), rows))


if __name__ == "__main__":
    main()
