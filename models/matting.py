"""A matting net: square pictures in, alphas at the net's resolution out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models import gpu
from models.binding import bind
from models.catalog import Interface, Net, WantedPrecision, find
from models.precision import Wanted, choose
from models.prepare import prepare
from models.runtimes import Run, WantedRuntime, open_run
from models.session import SessionOptions, resolve_device
from models.weights import fetch
from pipeline.values import Alpha8, Rgb

_LOG = logging.getLogger(__name__)
# A smaller net has less to do in a layer than handing it to a second thread takes.
_SMALL_BYTES = 1_000_000


class NotFinite(RuntimeError):
    """A net answered with something that is not a number: its session or its device is ill."""


class MattingNet:
    """One net behind ``matte``; safe to call from several threads at once where ``run`` is."""

    def __init__(self, net: Net, run: Run) -> None:
        """``run`` takes float32 Nx3xSxS and returns float32 Nx1xSxS."""
        self._name = net.name
        self._interface = interface(net)
        self._run = run
        self.halved_batches = 0
        """How often a batch did not fit the device's memory and was cut in two."""

    def matte(self, frames: Sequence[Rgb]) -> list[Alpha8]:
        """The alpha of each frame, uint8 SxS, S being the net's side; frames may have any size.

        A batch that does not fit the device's memory is halved until it does; a single frame that
        does not fit raises what the runtime raised. Raises NotFinite.
        """
        if not frames:
            return []
        try:
            outputs = self._run(normalise(frames, self._interface))
        except Exception as error:  # ONNX Runtime's exceptions share no public base class
            if len(frames) == 1 or not gpu.says_memory_full(error):
                raise
            self.halved_batches += 1
            middle = len(frames) // 2
            return self.matte(frames[:middle]) + self.matte(frames[middle:])
        if not np.isfinite(outputs).all():
            raise NotFinite(f"{self._name} answered with numbers that are not finite.")
        if self._interface.activation == "sigmoid":
            # The logistic function, without overflow far from 0.
            outputs = np.asarray((1 + np.tanh(outputs / 2)) / 2, np.float32)
        return list(np.rint(np.clip(outputs[:, 0], 0, 1) * 255).astype(np.uint8))


def interface(net: Net) -> Interface:
    """What the net takes and gives. Raises ValueError for a net that is not a matting net."""
    if net.interface is None:
        raise ValueError(f"{net.name} is not a matting net")
    return net.interface


def normalise(frames: Sequence[Rgb], interface: Interface) -> npt.NDArray[np.float32]:
    """The net's input of these frames, float32 Nx3xSxS."""
    side = interface.size_px
    batch = np.empty((len(frames), 3, side, side), np.float32)
    for planes, frame in zip(batch, frames, strict=True):
        if frame.shape[:2] != (side, side):
            frame = np.asarray(cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA))
        scale = 255 if interface.scale == "255" else max(int(frame.max()), 1)
        for channel in range(3):
            mean, std = interface.mean[channel], interface.std[channel]
            np.multiply(frame[..., channel], np.float32(1 / (scale * std)), out=planes[channel])
            planes[channel] -= np.float32(mean / std)
    return batch


@dataclass(frozen=True, slots=True)
class Loader:
    """Everything needed to load nets in another process than the one that decided which."""

    nets: Mapping[str, str]
    """Catalogue names by role."""
    options: SessionOptions
    folder: Path
    warm_batches: tuple[int, ...] = (1,)
    """Sizes that are run before the first photo, smallest first. On a GPU others are not run at
    all, see models/binding.py.
    """
    precision: WantedPrecision = "fp32"
    """auto: as ``models.precision.choose`` finds best; it takes the place of the options' own."""
    runtime: WantedRuntime = "onnxruntime"
    """auto: OpenVINO where ``models.precision.choose`` finds that it pays."""
    log: logging.Logger = _LOG
    """Told how each net runs, and why."""

    def __call__(self) -> dict[str, MattingNet]:
        """The nets by role, on their device. Raises WeightsUnavailable or ProviderUnavailable."""
        return {role: self._load(find(name)) for role, name in self.nets.items()}

    def _load(self, net: Net) -> MattingNet:
        side = interface(net).size_px
        (source,) = fetch(net, self.folder).values()
        wanted, options = Wanted(self.precision, self.runtime), self.options
        if source.stat().st_size < _SMALL_BYTES:
            options = replace(options, threads=1)
        way, why = choose(net, source, self.folder, wanted, options)
        self.log.info("%s runs in %s: %s", net.name, way, why)
        model = prepare(net, source, self.folder, way.precision)
        options = replace(options, precision=way.precision)
        if resolve_device(options.device) == "cpu":
            run = open_run(model, way.runtime, options)
        else:
            run = bind(model, options, side, self.warm_batches, self.log)
        matting = MattingNet(net, run)
        grey = np.full((side, side, 3), 127, np.uint8)
        for size in self.warm_batches:
            matting.matte([grey] * size)
        return matting
