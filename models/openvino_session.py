"""Opens nets with OpenVINO on the CPU, where it is installed."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from models.session import ProviderUnavailable, SessionOptions


class CompiledNet:
    """A net of one input and one output behind a call; safe to call from several threads at once.

    A caller who is alone has all the net's threads. Threads that share a frame wait for each other
    at every layer, so of several callers each has one, and those beyond wait for one.
    """

    def __init__(self, lanes: Sequence[Any], alone: Any = None) -> None:
        """OpenVINO's requests for one frame: ``lanes`` have a thread each, ``alone`` has all of
        them, where there are several.
        """
        self._lanes: SimpleQueue[Any] = SimpleQueue()
        for lane in lanes:
            self._lanes.put(lane)
        self._alone = alone
        self._callers = 0
        self._counting = Lock()

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The net's output of each frame of the batch, which may be read-only and is not kept.

        Frames run one by one: on a CPU that takes as long as together, and a net that is compiled
        for any number of frames takes longer.
        """
        frames = [batch[at : at + 1] for at in range(len(batch))]
        with self._request() as request:
            return np.concatenate([request.infer([frame])[0] for frame in frames])

    @contextmanager
    def _request(self) -> Iterator[Any]:
        with self._counting:
            self._callers += 1
            is_alone = self._callers == 1
        try:
            if is_alone and self._alone is not None:
                yield self._alone
            else:
                lane = self._lanes.get()
                try:
                    yield lane
                finally:
                    self._lanes.put(lane)
        finally:
            with self._counting:
                self._callers -= 1


def why_not() -> str | None:
    """Why OpenVINO cannot be used in this process; None if it can."""
    try:
        _module()
    except ImportError as error:
        return " ".join(str(error).split())
    return None


def check() -> None:
    """Raises ProviderUnavailable where OpenVINO is not installed or cannot be loaded."""
    if reason := why_not():
        raise ProviderUnavailable(
            f"OpenVINO was asked for and cannot be used: {reason.rstrip('.')}; "
            "it comes with the extra idphoto-serve[openvino]."
        )


def compile_net(model: Path, options: SessionOptions) -> CompiledNet:
    """The net in the ONNX file ``model``, whose first axis counts frames, ready for the CPU.

    Raises ProviderUnavailable as ``check`` does, and RuntimeError for a file that is no model.
    """
    streams = compiled(model, options, streams=options.threads)
    lanes = [streams.create_infer_request() for _ in range(options.threads)]
    if options.threads == 1:
        return CompiledNet(lanes)
    return CompiledNet(lanes, compiled(model, options).create_infer_request())


def compiled(model: Path, options: SessionOptions, streams: int = 1) -> Any:
    """OpenVINO's own CompiledModel of the net, for so many frames at a time, each by itself."""
    check()
    core = _module().Core()
    net = core.read_model(model)
    shape = net.inputs[0].partial_shape
    shape[0] = 1
    net.reshape(shape)
    return core.compile_model(net, "CPU", _settings(options, streams))


def _settings(options: SessionOptions, streams: int) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": options.threads,
        # Replicas share the cores: each of them would pin its threads to the first ones.
        "ENABLE_CPU_PINNING": False,
        # The default, on CPUs that have it, is bfloat16.
        "INFERENCE_PRECISION_HINT": "f32",
    }


@cache
def _module() -> Any:
    # Its import reports to its maker, whatever the environment says. Without the package that does
    # so it takes a stand-in of its own; None makes Python say that the package is not there.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino
