"""Where a step works: in threads of its replica."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deployments import tracing
from deployments.line import Line, Meter, Ticket


class Worker:
    """A few threads, first come, first served.

    The photos that wait do so here, in the replica. Where it takes only as many as it works on,
    Ray's router asks again and again with pauses, in which the cores are idle. Pillow, OpenCV and
    ONNX Runtime let go of the interpreter while they work, so a second thread is of use.
    """

    def __init__(self, threads: int = 2, meter: Meter | None = None) -> None:
        self._threads = ThreadPoolExecutor(threads)
        self._line = Line(meter)

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """What ``work`` returns; where the caller leaves before it has begun, it never does."""
        loop = asyncio.get_running_loop()
        ticket = self._line.join()
        try:
            return await loop.run_in_executor(self._threads, self._timed, ticket, work, *args)
        finally:
            self._line.leave(ticket)
            tracing.tell(wait_ms=ticket.wait_ms, work_ms=ticket.work_ms)

    @property
    def longest_s(self) -> float:
        """For how long the oldest work in progress has been running; 0 where there is none."""
        return self._line.longest_s

    def _timed(self, ticket: Ticket, work: Callable[..., Any], *args: Any) -> Any:
        self._line.begin(ticket)
        try:
            return work(*args)
        finally:
            self._line.end(ticket)
