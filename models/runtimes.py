"""The programs that can run a net, behind one function."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from models.openvino_session import compile_net
from models.session import SessionOptions, open_session

Runtime: TypeAlias = Literal["onnxruntime", "openvino"]
WantedRuntime: TypeAlias = Literal["auto", "onnxruntime", "openvino"]
Run: TypeAlias = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]


def open_run(model: Path, runtime: Runtime, options: SessionOptions) -> Run:
    """A function from a batch of the one input of ``model``, an ONNX file, to its first output.

    OpenVINO runs on the CPU, whatever the options' device. Raises ProviderUnavailable where the
    runtime, or the device in ONNX Runtime, cannot be used.
    """
    return compile_net(model, options) if runtime == "openvino" else _opened(model, options)


def _opened(model: Path, options: SessionOptions) -> Run:
    session = open_session(model, options)
    # Several threads of its own would wait for each other, and each run takes memory.
    running = Lock() if options.threads > 1 else nullcontext()
    given = session.get_inputs()[0]
    # A net whose batch axis is fixed (BiRefNet) takes its photos one by one.
    at_once = given.shape[0] if isinstance(given.shape[0], int) else None

    def run(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        size = at_once or len(batch)
        parts = [batch[at : at + size] for at in range(0, len(batch), size)]
        with running:
            return np.concatenate([session.run(None, {given.name: part})[0] for part in parts])

    return run
