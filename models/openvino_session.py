"""Opens nets with OpenVINO on the CPU, where it is installed."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.session import ProviderUnavailable, SessionOptions


class CompiledNet:
    """A net of one input and one output behind a call; safe to call from one thread at a time."""

    def __init__(self, model: Any) -> None:
        """``model`` is OpenVINO's CompiledModel for one frame."""
        self._request = model.create_infer_request()

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The net's output of each frame of the batch, which may be read-only and is not kept.

        Frames run one by one: on a CPU that takes as long as together, and a net that is compiled
        for any number of frames takes longer.
        """
        frames = [batch[at : at + 1] for at in range(len(batch))]
        return np.concatenate([self._request.infer([frame])[0] for frame in frames])


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
    return CompiledNet(compiled(model, options))


def compiled(model: Path, options: SessionOptions) -> Any:
    """OpenVINO's own CompiledModel of the net, for one frame."""
    check()
    core = _module().Core()
    net = core.read_model(model)
    shape = net.inputs[0].partial_shape
    shape[0] = 1
    net.reshape(shape)
    return core.compile_model(net, "CPU", _settings(options))


def _settings(options: SessionOptions) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
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
