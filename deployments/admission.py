"""How many photos a Gateway takes on at once: no more than it can finish in time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.pace import Pace
from pipeline.errors import Overloaded

# A photo that took more than this share of its deadline says that there were too many; one that
# took less than that, that there may be more.
_LATE, _EARLY = 0.6, 0.4
_CUT = 0.8
_LEAST = 2


class Admission:
    """A limit on the photos in flight that follows the machine, as TCP's window follows the net.

    It falls by a fifth when photos become late, once for all that were in flight together, and
    rises by one for each round of early ones (additive increase, multiplicative decrease).
    """

    def __init__(self, most: int, deadline_s: float) -> None:
        self._most = most
        self._deadline_s = deadline_s
        self._limit = float(most)
        self._in_flight = 0
        self._cut_at = float("-inf")
        self._pace = Pace(deadline_s / most)

    @property
    def limit(self) -> int:
        """Photos that may be in flight at present."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """Photos that have a place."""
        return self._in_flight

    @property
    def full_share(self) -> float:
        """Photos in flight as a share of those that may be."""
        return self._in_flight / self.limit

    def require_room(self) -> None:
        """Raises Overloaded where a further photo would have no place; takes none.

        The error's ``retry_after_s`` asks clients back at the pace at which photos are finished.
        """
        if self._in_flight >= self.limit:
            raise Overloaded("overloaded", retry_after_s=self._pace.invite())

    @contextmanager
    def place(self, *, typical: bool = True) -> Iterator[None]:
        """A place for the photo that the body works on; one that may take longer than others tells
        nothing about the machine. Raises Overloaded.
        """
        self.require_room()
        self._in_flight += 1
        together, start = self._in_flight, time.monotonic()
        try:
            yield
        finally:
            self._in_flight -= 1
            if typical:
                self._learn(start, time.monotonic(), together)

    def _learn(self, start: float, end: float, together: int) -> None:
        self._pace.learn(end - start, together)
        took = (end - start) / self._deadline_s
        if took > _LATE:
            # Those that were admitted before the cut tell nothing about what it did.
            if start > self._cut_at:
                self._cut_at = end
                self._limit = max(float(min(_LEAST, self._most)), self._limit * _CUT)
        elif took < _EARLY:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)
