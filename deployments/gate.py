"""The gate before a ``@serve.batch`` queue."""

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Place:
    """An item's place in a batch."""

    is_taken: bool = True
    """Until its batch begins, or the item leaves."""


class Gate:
    """Lets items into the batch queue only while a lane is free, and no more than fill one batch.

    Without it, ``@serve.batch`` starts collecting the next batch while one runs, gives up after its
    wait and parks what little came: under a steady trickle every batch holds one item (Ray 2.60).
    With it, the items that arrive during a batch form the next one, and an item that meets an idle
    net does not wait.
    """

    def __init__(self, size: int, lanes: int = 1) -> None:
        self.size = size
        """Items of one batch; may change at any time."""
        self._lanes = lanes
        """Batches that may run at once while they are of one item: larger ones are collected."""
        self._running = 0
        self._entered = 0
        # When each came, a number that tells those of one moment apart, and what it waits for.
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    @asynccontextmanager
    async def place(self, yields_s: float = 0) -> AsyncIterator[Place]:
        """A place in the batch that is being collected; the body joins the queue. First come, first
        served, but for those that yield to all that come so many seconds later.
        """
        if self._waiting or not self._is_open:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            came_s = time.monotonic() + yields_s
            heapq.heappush(self._waiting, (came_s, next(self._numbers), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():  # it had been let in already
                    self._entered -= 1
                    self._admit()
                raise
        else:
            self._entered += 1
        place = Place()
        try:
            yield place
        finally:
            # Unless its batch began, it was cancelled or refused before.
            self._clear(place)
            self._admit()

    @asynccontextmanager
    async def batch(self, places: Iterable[Place]) -> AsyncIterator[None]:
        """Takes a lane while the body runs the batch of these places."""
        for place in places:
            self._clear(place)
        self._running += 1
        self._admit()
        try:
            yield
        finally:
            self._running -= 1
            self._admit()

    @property
    def _is_open(self) -> bool:
        lanes = self._lanes if self.size == 1 else 1
        return self._running < lanes and self._entered < self.size

    def _clear(self, place: Place) -> None:
        if place.is_taken:
            place.is_taken = False
            self._entered -= 1

    def _admit(self) -> None:
        while self._waiting and self._is_open:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._entered += 1
                turn.set_result(None)
