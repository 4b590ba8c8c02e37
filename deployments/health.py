"""What makes a replica ill. Ray asks every few seconds and replaces one that is ill three times."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

from deployments.settings import Settings
from deployments.worker import Worker
from models.matting import MattingNet
from pipeline.values import Alpha8, Rgb

_PSS = Path("/proc/self/smaps_rollup")
# Mean difference of a net's alpha, of 255, from what it answered when it was new. The order of
# sums, and with it the last bits, depends on the size of the batch; that comes to less than 1.
_TOLERANCE = 4


class Ill(RuntimeError):
    """This replica must be replaced; the text is one sentence that says why."""


def check(worker: Worker, settings: Settings) -> None:
    """Raises Ill where a thread of the worker is stuck, or the process takes too much memory."""
    if (longest_s := worker.longest_s) > settings.stuck_after_s:
        raise Ill(f"A photo has been worked on for {longest_s:.0f} s; the thread is stuck.")
    limit_mb = settings.max_replica_mb
    if limit_mb is not None and (taken_mb := memory_mb()) > limit_mb:
        raise Ill(f"It takes {taken_mb:.0f} MB of memory, more than max_replica_mb, {limit_mb:g}.")


def memory_mb() -> float:
    """The proportional set size of this process in MB; 0 where the system does not tell it.

    The resident size would count in full what is shared with other processes: the pages of Ray's
    object store that the replica has read, and all libraries.
    """
    try:
        lines = _PSS.read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:"))


class Probe:
    """Asks nets about one picture, and again when they are suspect: the answer must be the same."""

    def __init__(self, nets: Mapping[str, MattingNet]) -> None:
        self._nets = nets
        self._sound = self._answers()
        self.suspect = False
        """Whether something happened that an ill session may be the reason of."""

    def see(self, alphas: Iterable[Alpha8]) -> None:
        """Becomes suspect where an alpha is the same everywhere."""
        if any(alpha.min() == alpha.max() for alpha in alphas):
            self.suspect = True

    def run(self) -> None:
        """Raises Ill where a net does not answer as it did when it was new, or what it raises."""
        for role, alpha in self._answers().items():
            change = np.abs(alpha.astype(np.float32) - self._sound[role]).mean()
            if change > _TOLERANCE:
                raise Ill(f"The net {role} answers otherwise than at first, by {change:.0f} levels")
        self.suspect = False

    def _answers(self) -> dict[str, Alpha8]:
        return {role: net.matte([_bust()])[0] for role, net in self._nets.items()}


def _bust() -> Rgb:
    """A bright head and shoulders on dark ground, which every matting net tells apart."""
    picture = np.full((320, 320, 3), (40, 60, 90), np.uint8)
    cv2.ellipse(picture, (160, 330), (120, 110), 0, 0, 360, (150, 60, 60), -1)
    cv2.ellipse(picture, (160, 140), (60, 80), 0, 0, 360, (225, 180, 160), -1)
    return picture
