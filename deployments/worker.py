"""Where a step works: in threads of its replica."""

import asyncio
import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Worker:
    """A few threads, first come, first served.

    The photos that wait do so here, in the replica. Where it takes only as many as it works on,
    Ray's router asks again and again with pauses, in which the cores are idle. Pillow, OpenCV and
    ONNX Runtime let go of the interpreter while they work, so a second thread is of use.
    """

    def __init__(self, threads: int = 2) -> None:
        self._threads = ThreadPoolExecutor(threads)
        self._numbers = itertools.count()
        self._began: dict[int, float] = {}

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """What ``work`` returns; where the caller leaves before it has begun, it never does."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._timed, work, *args)

    @property
    def longest_s(self) -> float:
        """For how long the oldest work in progress has been running; 0 where there is none."""
        now = time.monotonic()
        return max((now - began for began in tuple(self._began.values())), default=0.0)

    def _timed(self, work: Callable[..., Any], *args: Any) -> Any:
        number = next(self._numbers)
        self._began[number] = time.monotonic()
        try:
            return work(*args)
        finally:
            del self._began[number]
