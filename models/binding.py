"""Runs nets on a GPU in batches of a few sizes, with input and output in places that stay.

With CUDA graphs the launches of each size are recorded once and replayed, which needs those places.
ONNX Runtime 1.31 keeps the graphs of a session in the thread that runs it, several to a session on
CUDA (run option gpu_graph_id), but only one on TensorRT, whatever the shape of the batch: there
each size has a session of its own, and with it an engine for that size.
"""

import logging
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnxruntime import InferenceSession, OrtValue, RunOptions

from models import batches, gpu
from models.session import ProviderUnavailable, SessionOptions, open_session, resolve_device

_ROUNDS = 3
_NO_GRAPH = -1

Planes = npt.NDArray[np.float32]


class Slot:
    """Input and output of one batch size, and the session that fills the one from the other."""

    def __init__(self, session: InferenceSession, size: int, side_px: int, place: str) -> None:
        """``place`` is where they lie, "cuda" or "cpu"."""
        self._shape = (size, 3, side_px, side_px)
        self._given = OrtValue.ortvalue_from_shape_and_type(self._shape, np.float32, place)
        made = (size, 1, side_px, side_px)
        self._made = OrtValue.ortvalue_from_shape_and_type(made, np.float32, place)
        self._session = session
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(session.get_inputs()[0].name, self._given)
        self._binding.bind_ortvalue_output(session.get_outputs()[0].name, self._made)
        self._plain, self._graph = _run_options(_NO_GRAPH), _run_options(size)

    def run(self, photos: Planes, *, graph: bool = True) -> Planes:
        """The net's output of these photos, at most as many as the slot holds; the next run may
        write over it. ``graph=False`` neither records nor replays.
        """
        given = photos
        if len(photos) < self._shape[0]:
            given = np.zeros(self._shape, np.float32)
            given[: len(photos)] = photos
        self._given.update_inplace(given)
        self._session.run_with_iobinding(self._binding, self._graph if graph else self._plain)
        made: Planes = self._made.numpy()[: len(photos)]
        return made

    def warm(self) -> float:
        """Takes the memory and records the graph; the median seconds of a run after that."""
        photos = np.zeros(self._shape, np.float32)
        # While a graph is recorded the device gives no memory, so a plain run comes first.
        self.run(photos, graph=False)
        self.run(photos)
        taken = []
        for _ in range(_ROUNDS):
            start_s = time.perf_counter()
            self.run(photos)
            taken.append(time.perf_counter() - start_s)
        return statistics.median(taken)


class BoundNet:
    """A net behind a call, which takes any number of photos, float32 Nx3xSxS, and returns float32
    Nx1xSxS; safe to call from one thread at a time, and not always the same one.
    """

    def __init__(self, slots: Mapping[int, Slot], log: logging.Logger) -> None:
        """Runs each size, which records its graph and tells how long it takes. A size that does not
        fit the device's memory is left out; raises what the smallest one raises.
        """
        # See above: where the graphs are recorded, there they must be replayed.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="net")
        self._slots = dict(slots)
        self.seconds = self._thread.submit(self._warm, log).result()
        """How long a batch of each size takes."""

    def __call__(self, photos: Planes) -> Planes:
        return self._thread.submit(self._run, photos).result()

    def _run(self, photos: Planes) -> Planes:
        made, at = np.empty_like(photos[:, :1]), 0
        for size in batches.cover(len(photos), self.seconds):
            made[at : at + size] = self._slots[size].run(photos[at : at + size])
            at += size
        return made

    def _warm(self, log: logging.Logger) -> dict[int, float]:
        seconds = {}
        # The largest first: what the others need then fits into memory that is there already.
        for size in sorted(self._slots, reverse=True):
            try:
                seconds[size] = self._slots[size].warm()
            except Exception as error:  # ONNX Runtime's exceptions share no public base class
                if size == min(self._slots) or not gpu.says_memory_full(error):
                    raise
                log.warning("batches of %d do not fit the GPU's memory: %s", size, error)
        self._slots = {size: self._slots[size] for size in seconds}
        return seconds


def bind(
    model: Path,
    options: SessionOptions,
    side_px: int,
    sizes: Sequence[int],
    log: logging.Logger,
) -> BoundNet:
    """The matting net in the file ``model`` on the device of ``options``, in batches of ``sizes``;
    of its one size where the file has a fixed batch axis.

    Where CUDA graphs are asked for and the net cannot be recorded, ``log`` is warned and it runs
    without. Raises ProviderUnavailable, and what ONNX Runtime raises of a net that does not run.
    """
    if options.cuda_graphs:
        try:
            return bind_as_asked(model, options, side_px, sizes, log)
        except ProviderUnavailable:
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no public base class
            log.warning("%s runs without CUDA graphs: %s", model.stem, error)
    return bind_as_asked(model, replace(options, cuda_graphs=False), side_px, sizes, log)


def bind_as_asked(
    model: Path, options: SessionOptions, side_px: int, sizes: Sequence[int], log: logging.Logger
) -> BoundNet:
    """As ``bind``, but raises what ONNX Runtime raises of a net that cannot be recorded."""
    place = "cpu" if resolve_device(options.device) == "cpu" else "cuda"
    sessions = _sessions(model, options, side_px, sizes)
    slots = {size: Slot(session, size, side_px, place) for size, session in sessions.items()}
    return BoundNet(slots, log)


def _sessions(
    model: Path, options: SessionOptions, side_px: int, sizes: Sequence[int]
) -> dict[int, InferenceSession]:
    """The session for each size."""
    if resolve_device(options.device) != "tensorrt":
        session = open_session(model, options)
        fixed = session.get_inputs()[0].shape[0]
        return dict.fromkeys([fixed] if isinstance(fixed, int) else sizes, session)
    found: dict[int, InferenceSession] = {}
    for size in sizes:
        shape = {"N": size, "H": side_px, "W": side_px}
        session = open_session(model, replace(options, fixed_axes=shape))
        taken = session.get_inputs()[0].shape[0]
        found[taken] = session
        if taken != size:  # its batch axis is fixed in the file
            break
    return found


def _run_options(graph_id: int) -> RunOptions:
    options = RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(graph_id))
    return options
