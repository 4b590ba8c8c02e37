"""Decides how a net runs on this machine, by which runtime and in which precision: on a CPU by
trying, not by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from models import openvino_session, ranges
from models.catalog import Net, Precision, WantedPrecision
from models.runtimes import Runtime, WantedRuntime
from models.saturation import saturates
from models.session import SessionOptions, resolve_device
from models.trial import Trial, Way, measured_s

# Below that int8 is not worth what it costs the matte, nor OpenVINO its 80 MB, and a busy machine's
# noise may decide.
_LEAST_GAIN = 1.3
_LEAST_GAIN_OF_RUNTIME = 1.15


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings ask for."""

    precision: WantedPrecision = "auto"
    runtime: WantedRuntime = "auto"


class Choice(NamedTuple):
    way: Way
    why: str
    """Half a sentence for the log."""


def choose(net: Net, source: Path, folder: Path, wanted: Wanted, options: SessionOptions) -> Choice:
    """How to run ``net``, a matting net with its weights in ``source``, on the device of
    ``options``.

    "auto" is ONNX Runtime in fp16 on a GPU. On a CPU the ways that could be best are tried, which
    takes some seconds once: int8 where the net has ranges and the runtime's sums are exact, and
    OpenVINO where it is installed and the net has ranges; a net without them is too large to be
    tried, or too small to gain anything. Asked for, int8 is taken wherever the net has ranges.
    Raises ValueError for what a GPU does not run, and ProviderUnavailable for OpenVINO asked for
    but not there.
    """
    if resolve_device(options.device) != "cpu":
        check_on_gpu(wanted)
        precision: Precision = "fp16" if wanted.precision == "auto" else wanted.precision
        why = "on a GPU" if wanted.precision == "auto" else "asked for"
        return Choice(Way("onnxruntime", precision), why)
    if wanted.runtime == "openvino":
        openvino_session.check()
    ways, why = candidates(net, wanted)
    if len(ways) == 1:
        return Choice(ways[0], why)
    trial = Trial(net.name, source, folder, options.threads)
    return best(dict(zip(ways, measured_s(trial, ways), strict=True)))


def check_on_gpu(wanted: Wanted) -> None:
    """Raises ValueError for int8, which the nets' files are not made for on a GPU, and for
    OpenVINO.
    """
    if wanted.precision == "int8":
        raise ValueError("precision int8 is for the CPU; on a GPU take auto, fp16 or fp32")
    if wanted.runtime == "openvino":
        raise ValueError("runtime openvino is for the CPU; on a GPU take auto or onnxruntime")


def candidates(net: Net, wanted: Wanted) -> tuple[list[Way], str]:
    """The ways on a CPU of which one is to be taken, and, where it is one alone, why."""
    has_ranges = ranges.load(net.name) is not None
    runtimes: list[Runtime] = ["onnxruntime"]
    if wanted.runtime != "auto":
        runtimes = [wanted.runtime]
    elif has_ranges and openvino_session.why_not() is None:
        runtimes = ["onnxruntime", "openvino"]
    if wanted.precision in ("fp32", "fp16"):
        return [Way(runtime, wanted.precision) for runtime in runtimes], "asked for"
    if not has_ranges:
        return [Way(runtime, "fp32") for runtime in runtimes], "it has no ranges for int8"
    exact = [runtime for runtime in runtimes if not saturates(runtime)]
    if wanted.precision == "int8":
        why = "asked for" + (", but its sums saturate here" * (not exact))
        return [Way(runtime, "int8") for runtime in exact or runtimes[:1]], why
    # Where int8 is exact it is faster than fp32 by far, and there is one way less to try.
    fp32 = [runtime for runtime in runtimes if runtime == runtimes[0] or runtime not in exact]
    ways = [Way(runtime, "fp32") for runtime in fp32] + [Way(runtime, "int8") for runtime in exact]
    return ways, "this CPU has no exact int8 products"


def best(taken_s: Mapping[Way, float]) -> Choice:
    """The way that these CPU times of one photo speak for, given in the order of ``candidates``.

    Within a precision a later runtime must be faster than the earlier one by a seventh, and then
    int8 must be faster than fp32 by a third.
    """
    by_precision: dict[Precision, Way] = {}
    for way in taken_s:
        rival = by_precision.setdefault(way.precision, way)
        if taken_s[rival] >= taken_s[way] * _LEAST_GAIN_OF_RUNTIME:
            by_precision[way.precision] = way
    chosen, *others = by_precision.values()
    for way in others:
        if taken_s[chosen] >= taken_s[way] * _LEAST_GAIN:
            chosen = way
    times = ", ".join(f"{way} {seconds * 1000:.0f}" for way, seconds in taken_s.items())
    return Choice(chosen, f"CPU-ms a photo here: {times}")
