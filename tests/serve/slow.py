"""An application whose net is slow and says what batch a photo was in, for the tests of Matting."""

import os
import time
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from ray.serve import Application

from deployments.app import graph
from deployments.settings import Batch, Scale, Settings
from models.catalog import find
from models.matting import MattingNet

NAME = "slow"


def build(args: dict[str, Any]) -> Application:
    """Takes ``device``, ``seconds`` a batch, ``batch`` size, ``replicas``, ``threads`` and ``log``,
    a file.
    """
    few = Scale(min_replicas=1, max_replicas=1, cpus_per_replica=0.1)
    count = int(args.get("replicas", 1))
    matting = few.model_copy(update={"min_replicas": count, "max_replicas": count})
    settings = Settings(
        gateway=few,
        cropping=few,
        matting=matting,
        compositing=few,
        batch=Batch(max_size=int(args["batch"])),
        threads_per_replica=args.get("threads"),
        jobs=None,
    )
    load = partial(_load, float(args["seconds"]), Path(args["log"]))
    return graph(settings, args.get("device", "cpu"), {None: load})


def _load(seconds: float, log: Path) -> dict[str, MattingNet]:
    """Roles that tell, as the value of every pixel, the size of the batch, the most batches that
    were worked on at once, the GPU and the replica.
    """
    with log.open("a") as lines:
        lines.write("loaded\n")
    gpu = int(os.environ.get("CUDA_VISIBLE_DEVICES") or 0)

    def paint(value: int, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.full((len(batch), 1, 320, 320), value / 255, np.float32)

    counting, most = Lock(), [0]
    working: list[npt.NDArray[np.float32]] = []

    def size(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with counting:
            working.append(batch)
            most[0] = max(most[0], len(working))
        time.sleep(seconds)
        with counting:
            working.pop()
        return paint(len(batch), batch)

    def abreast(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return paint(most[0], batch)

    net = find("u2netp")
    return {
        "size": MattingNet(net, size),
        "abreast": MattingNet(net, abreast),
        "gpu": MattingNet(net, partial(paint, gpu)),
        "replica": MattingNet(net, partial(paint, os.getpid() % 256)),
    }
