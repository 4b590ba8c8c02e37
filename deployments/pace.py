"""When the refused are to come back: one after the other, as fast as photos are finished."""

import math
import time

# Four hundred clients of ten photos a second have their turn within forty seconds; nobody is asked
# to wait for longer than half a minute.
_LONGEST_S = 30.0
# Weight of the latest photo.
_NEWS = 0.1


class Pace:
    """A crowd that returns together is refused again, and each refusal costs as much as a step of a
    photo.
    """

    def __init__(self, first_s: float) -> None:
        """``first_s``: seconds between two photos, until some are seen."""
        self._between_s = first_s
        self._invited_at = float("-inf")

    def learn(self, took_s: float, together: int) -> None:
        """A photo took so long, one of so many: by Little's law the time between two answers is the
        time of one over those in flight.
        """
        self._between_s += _NEWS * (took_s / together - self._between_s)

    def invite(self) -> int:
        """Whole seconds after which the next one may come."""
        now = time.monotonic()
        next_at = max(self._invited_at, now) + self._between_s
        # A crowd that does not obey is invited over and over: that must not send others away.
        self._invited_at = min(next_at, now + _LONGEST_S)
        return math.ceil(self._invited_at - now)
