"""What makes a replica ill, and what does not."""

import asyncio
import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from deployments import health
from deployments.settings import Settings
from deployments.worker import Worker
from models.catalog import find
from models.matting import MattingNet

Planes = npt.NDArray[np.float32]


def settings(**values: float) -> Settings:
    return Settings.model_validate(values)


def checked_while_working(given: Settings, for_s: float) -> None:
    """Raises what the check raises while a thread has been at work for this long."""
    worker, end = Worker(1), threading.Event()

    async def main() -> None:
        work = asyncio.create_task(worker.run(end.wait))
        try:
            await asyncio.sleep(for_s)
            health.check(worker, given)
        finally:
            end.set()
            await work

    asyncio.run(main())
    health.check(worker, given)


def test_work_that_does_not_end() -> None:
    checked_while_working(settings(stuck_after_s=60), for_s=0.05)
    with pytest.raises(health.Ill, match="stuck"):
        checked_while_working(settings(stuck_after_s=0.02), for_s=0.05)


def test_work_that_fails_has_ended() -> None:
    worker = Worker(1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(worker.run(lambda: 1 // 0))
    assert worker.longest_s == 0


def test_memory() -> None:
    taken_mb = health.memory_mb()
    if taken_mb == 0:
        pytest.skip("this system does not tell")
    health.check(Worker(), settings(max_replica_mb=taken_mb * 2))
    with pytest.raises(health.Ill, match="max_replica_mb"):
        health.check(Worker(), settings(max_replica_mb=taken_mb / 2))


def brightness(batch: Planes) -> Planes:
    return np.clip(batch[:, :1] / 4 + 0.5, 0, 1)


def blank(batch: Planes) -> Planes:
    return np.zeros_like(batch[:, :1])


def broken(batch: Planes) -> Planes:
    raise RuntimeError("CUDA failure 700: an illegal memory access was encountered")


def nan(batch: Planes) -> Planes:
    return np.full_like(batch[:, :1], np.nan)


class Net(MattingNet):
    """One whose session changes."""

    def __init__(self) -> None:
        self.session: Callable[[Planes], Planes] = brightness
        super().__init__(find("u2netp"), lambda batch: self.session(batch))


@pytest.mark.parametrize("session", [blank, broken, nan])
def test_a_session_that_turned_ill(session: Callable[[Planes], Planes]) -> None:
    net = Net()
    probe = health.Probe({"saliency": net})
    net.session = session
    with pytest.raises(RuntimeError):
        probe.run()
    net.session = brightness
    probe.run()


def test_a_blank_alpha_is_a_reason_to_ask_and_no_more() -> None:
    probe = health.Probe({"saliency": Net()})
    alpha = np.zeros((4, 4), np.uint8)
    probe.see([np.eye(4, dtype=np.uint8)])
    assert not probe.suspect
    probe.see([np.eye(4, dtype=np.uint8), alpha])
    assert probe.suspect
    probe.run()
    assert not probe.suspect
