"""The service's own application on GPUs that are not there, for ``benchmarks.cluster``.

Ray Serve calls ``build`` with the ``args`` of a configuration. What is real: all of
``deployments.app``, that is Gateway and Matting as they are, their queues, gates, deadlines and
retries. What is not: the nets, which sleep for as long as a stated device would compute and answer
the same alpha; and Cropping and Compositing, which answer the same arrays, of the sizes that a
photo of 1.5 megapixels has, without work.
"""

import fcntl
import io
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray
from PIL import Image
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat
from ray.serve import Application
from ray.serve.handle import DeploymentHandle

from deploy import gpus
from deployments import calls, metrics
from deployments.app import graph
from deployments.settings import Settings
from deployments.worker import Worker
from models import nets
from models.matting import MattingNet
from pipeline.values import Alpha8, IdPhoto, Portrait, Rgb, View

LAUNCHES_MS = 2.0
"""A batch's own time beside that of its photos: assumed, see ``device``."""
_REGION_PX = 800
"""Side of the region that a 1.5 megapixel portrait leaves for cn-1-inch, about."""
_FILE_SIZE_PX = (295, 413)
_VIEWS = {"person": 2, "saliency": 1}


class Device(BaseModel):
    """The time that a GPU takes for a batch: ``batch_ms`` + ``photo_ms`` x photos, times
    ``stretch``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_ms: NonNegativeFloat
    photo_ms: PositiveFloat
    stretch: PositiveFloat = 1
    """Two real cores carry many nodes only where the devices are slow: their clock is stretched,
    that of Ray and of what it costs is not.
    """

    def seconds(self, photos: int) -> float:
        return (self.batch_ms + self.photo_ms * photos) * self.stretch / 1000

    def photos_per_s(self, batch: int) -> float:
        """Of one GPU that always has a full batch."""
        return batch / self.seconds(batch)


def device(kind: str, stretch: float = 1) -> Device:
    """The GPU of an id in ``deploy.gpus``: a photo takes what is assumed there, a quarter of the
    roofline's rate. Never measured. Raises StopIteration for an unknown id.
    """
    found = next(gpu for gpu in gpus.GPUS if gpu.id == kind)
    rate = gpus.OF_ROOF * gpus.plan(found).roof_photos_per_s
    return Device(batch_ms=LAUNCHES_MS, photo_ms=1000 / rate, stretch=stretch)


class Simulation(BaseModel):
    """The ``args`` of the application."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: Settings
    device: Device
    folder: Path
    """Where the replicas that share a GPU meet; all nodes are on one machine."""
    region_px: int = _REGION_PX
    """Side of the region that goes from Cropping to Compositing."""


def build(simulation: Simulation) -> Application:
    """The application; asks the cluster for its resources, so Ray must be up."""
    load = Nets(simulation.device, simulation.folder, nets.sides(simulation.settings.all_nets))
    # Of that name: Ray names deployments after their classes.
    cropping = type("Cropping", (Cropping,), {"region_px": simulation.region_px})
    return graph(simulation.settings, "cuda", {None: load}, cpu_steps=(cropping, Compositing))


class Nets:
    """Loads the nets in the replica."""

    def __init__(self, of: Device, folder: Path, sides: Mapping[str, int]) -> None:
        self._device, self._folder, self._sides = of, folder, sides

    def __call__(self) -> dict[str, MattingNet]:
        node = ray.get_runtime_context().get_node_id()
        gpu = os.environ["CUDA_VISIBLE_DEVICES"]
        lock = self._folder / f"{node}-gpu{gpu}"
        # A photo costs the device what both nets take together; it is told of the one.
        timed = {"saliency": self._device}
        return {role: Net(side_px, timed.get(role), lock) for role, side_px in self._sides.items()}


class Net(MattingNet):
    """Sleeps and answers. A GPU computes one batch at a time, whoever of its replicas asks, as
    without NVIDIA's Multi-Process Service.
    """

    def __init__(self, side_px: int, of: Device | None, lock: Path) -> None:
        """``of`` is None for a net that takes no time."""
        self.halved_batches = 0
        self._device = of
        self._lock = lock.open("w")
        self._alpha = np.zeros((side_px, side_px), np.uint8)
        self._alpha[side_px // 2 :] = 255

    def matte(self, frames: Sequence[Rgb]) -> list[Alpha8]:
        if frames and self._device:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                time.sleep(self._device.seconds(len(frames)))
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        return [self._alpha] * len(frames)


class Cropping:
    """In the place of ``deployments.cropping``'s: answers with the same portrait each time."""

    region_px = _REGION_PX

    def __init__(self, settings: Settings, sides: Mapping[str | None, Mapping[str, int]]) -> None:
        self.worker = Worker(meter=metrics.StepMeter())
        side, file_size = self.region_px, 200_000
        views = {
            role: (View(_noise(side_px), (0, 0, side, side)),) * _VIEWS.get(role, 1)
            for role, side_px in sides[None].items()
        }
        size = (side, side)
        self._portrait = Portrait(_noise(side), (0, 0), size, size, file_size, None, views)

    @calls.step
    def photo(self, data: bytes, order: object, deadline_at: float) -> Portrait:
        calls.check(deadline_at)
        return self._portrait


class Compositing:
    """In the place of ``deployments.compositing``'s: answers with the same file each time."""

    def __init__(
        self,
        settings: Settings,
        expert_side_px: int | None,
        cutouts: DeploymentHandle[Any] | None = None,
    ) -> None:
        self.worker = Worker(meter=metrics.StepMeter())
        file = io.BytesIO()
        Image.fromarray(_noise(max(_FILE_SIZE_PX))).resize(_FILE_SIZE_PX).save(file, "JPEG")
        self._photo = IdPhoto(
            *(file.getvalue(), "image/jpeg", _FILE_SIZE_PX, "cn-1-inch", "blue", (), "best")
        )

    @calls.step
    def photo(
        self, portrait: Portrait, alphas: object, order: object, deadline_at: float
    ) -> tuple[IdPhoto, ...]:
        calls.check(deadline_at)
        return (self._photo,)


def _noise(side_px: int) -> Rgb:
    made: Rgb = np.random.default_rng(1).integers(0, 256, (side_px, side_px, 3), np.uint8)
    return made
