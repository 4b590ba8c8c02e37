"""The service with a person net that misbehaves when a file says so, for the tests of faults."""

import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ray.serve import Application

from deployments.app import graph
from deployments.settings import Scale, Settings
from models.matting import Loader, MattingNet, NotFinite
from models.session import SessionOptions
from models.weights import default_folder
from pipeline.values import Alpha8, Rgb

NAME = "fragile"
LEASE_S = 1.0
SLOW_S = 2.5


def build(folder: Path, **args: Any) -> Application:
    """``folder`` holds the orders to misbehave, see Net, and a log; ``args`` are settings."""
    one = Scale(min_replicas=1, max_replicas=1)
    few: dict[str, Any] = dict.fromkeys(("cropping", "matting", "compositing"), one)
    few["gateway"] = one.model_copy(update={"min_replicas": 2, "max_replicas": 2})
    nets = {"person": "selfie"}
    # In a folder of their own: the default one is the user's.
    jobs = {"folder": folder / "jobs", "sweep_s": 0.5, "lease_s": LEASE_S}
    # One thread: while the net works on a photo all others wait.
    kept: dict[str, Any] = {"device": "cpu", "threads_per_replica": 1, "deadline_s": 60}
    settings = Settings.model_validate({**kept, "nets": nets, "jobs": jobs, **few, **args})
    return graph(settings, "cpu", {None: partial(_load, folder)})


def _load(folder: Path) -> dict[str, MattingNet]:
    options = SessionOptions(device="cpu")
    (net,) = Loader({"person": "selfie"}, options, default_folder())().values()
    _note(folder, "loaded")
    return {"person": Net(net, folder)}


def _note(folder: Path, word: str) -> None:
    with (folder / "log").open("a") as log:
        log.write(f"{word}\n")


class Net(MattingNet):
    """Does what the file ``die``, ``wedge``, ``fail`` or ``slow`` says, which is gone when it has
    been followed; ``ill`` stays for the process that it met.
    """

    def __init__(self, net: MattingNet, folder: Path) -> None:
        self.halved_batches = 0
        self._net = net
        self._folder = folder
        self._ill = False

    def matte(self, frames: Sequence[Rgb]) -> list[Alpha8]:
        _note(self._folder, "asked")
        if self._told("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._told("wedge"):
            time.sleep(600)
        if self._told("slow"):
            time.sleep(SLOW_S)
        self._ill |= self._told("ill")
        if self._ill or self._told("fail"):
            raise NotFinite("told to fail")
        return self._net.matte(frames)

    def _told(self, order: str) -> bool:
        try:
            (self._folder / order).unlink()
        except FileNotFoundError:
            return False
        return True
