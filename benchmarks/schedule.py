"""When the photos of an open loop are due, whatever the server does."""

import random
from collections.abc import Callable, Iterator

Schedule = Callable[[float, float], Iterator[float]]
"""From a rate a second and a length in seconds to seconds from the start, rising."""


def even(rate: float, seconds: float) -> Iterator[float]:
    """One photo every 1 / rate seconds, the first at once."""
    count = 0
    while (due_s := count / rate) < seconds:
        yield due_s
        count += 1


def poisson(rate: float, seconds: float, seed: int = 1) -> Iterator[float]:
    """Arrivals that know nothing of each other, ``rate`` a second on average; the same for the
    same seed.
    """
    chance = random.Random(seed)
    due_s = chance.expovariate(rate)
    while due_s < seconds:
        yield due_s
        due_s += chance.expovariate(rate)


SCHEDULES: dict[str, Schedule] = {"poisson": poisson, "even": even}
