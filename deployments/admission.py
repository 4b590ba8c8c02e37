"""How many photos a Gateway takes on at once: no more than it can finish in time."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import Overloaded

# A photo that took more than this share of its deadline says that there were too many; one that
# took less than that, that there may be more.
_LATE, _EARLY = 0.6, 0.4
_CUT = 0.8
_LEAST = 2
# Weight of the latest photo in the pace.
_NEWS = 0.1


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
        self._pace_s = deadline_s / most
        self._invited_at = float("-inf")

    @property
    def limit(self) -> int:
        """Photos that may be in flight at present."""
        return int(self._limit)

    @property
    def full_share(self) -> float:
        """Photos in flight as a share of those that may be."""
        return self._in_flight / self.limit

    def require_room(self) -> None:
        """Raises Overloaded where a further photo would have no place; takes none.

        The error's ``retry_after_s`` asks clients back one after the other, at the pace at which
        photos are finished: a crowd that returns together is refused again, and each refusal costs
        as much as a step of a photo.
        """
        if self._in_flight >= self.limit:
            now = time.monotonic()
            self._invited_at = max(self._invited_at, now) + self._pace_s
            wait_s = min(self._invited_at - now, self._deadline_s)
            raise Overloaded("overloaded", retry_after_s=math.ceil(wait_s))

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for the photo that the body works on. Raises Overloaded."""
        self.require_room()
        self._in_flight += 1
        together, start = self._in_flight, time.monotonic()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._learn(start, time.monotonic(), together)

    def _learn(self, start: float, end: float, together: int) -> None:
        # Little's law: the time between two answers is the time of one over those in flight.
        self._pace_s += _NEWS * ((end - start) / together - self._pace_s)
        took = (end - start) / self._deadline_s
        if took > _LATE:
            # Those that were admitted before the cut tell nothing about what it did.
            if start > self._cut_at:
                self._cut_at = end
                self._limit = max(float(min(_LEAST, self._most)), self._limit * _CUT)
        elif took < _EARLY:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)
