"""The gate before a ``@serve.batch`` queue."""

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Lets items into the batch queue only while no batch is running, and no more than fill one.

    Without it, ``@serve.batch`` starts collecting the next batch while one runs, gives up after its
    wait and parks what little came: under a steady trickle every batch holds one item (Ray 2.60).
    With it, the items that arrive during a batch form the next one, and an item that meets an idle
    net does not wait.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        """Items of one batch; may change at any time."""
        self._running = False
        self._entered = 0
        # When each came, a number that tells those of one moment apart, and what it waits for.
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    @asynccontextmanager
    async def place(self, yields_s: float = 0) -> AsyncIterator[None]:
        """A place in the batch that is being collected; the body joins the queue. First come, first
        served, but for those that yield to all that come so many seconds later.
        """
        if self._running or self._waiting or self._entered >= self.size:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            came_s = time.monotonic() + yields_s
            heapq.heappush(self._waiting, (came_s, next(self._numbers), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():  # it had been let in already
                    self._leave()
                raise
        else:
            self._entered += 1
        try:
            yield
        except BaseException:
            # Cancelled or refused before its batch began, or else the batch is over and the count
            # is 0 anyway.
            self._leave()
            raise

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Closed while the body runs one batch; open for the next one afterwards."""
        self._running = True
        try:
            yield
        finally:
            self._running = False
            self._entered = 0
            self._admit()

    def _leave(self) -> None:
        self._entered = max(0, self._entered - 1)
        self._admit()

    def _admit(self) -> None:
        while not self._running and self._waiting and self._entered < self.size:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._entered += 1
                turn.set_result(None)
