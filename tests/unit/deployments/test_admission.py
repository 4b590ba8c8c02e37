import collections
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from deployments import admission
from deployments.admission import Admission
from pipeline.errors import Overloaded


class Clock:
    def __init__(self) -> None:
        self.now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(admission.time, "monotonic", lambda: clock.now)
    return clock


def test_no_more_than_the_limit_at_once(clock: Clock) -> None:
    gate = Admission(2, 10)
    with gate.place(), gate.place():
        with pytest.raises(Overloaded):
            gate.require_room()
        with pytest.raises(Overloaded), gate.place():
            pass
    gate.require_room()


def test_a_failed_photo_gives_its_place_back(clock: Clock) -> None:
    gate = Admission(1, 10)
    for _ in range(3):
        with pytest.raises(RuntimeError), gate.place():
            raise RuntimeError
    gate.require_room()


def rounds(gate: Admission, clock: Clock, latency_s: Callable[[int], float], times: int) -> None:
    """As many photos at once as there may be, which all take as long as so many take."""
    for _ in range(times):
        places = [gate.place() for _ in range(gate.limit)]
        for place in places:
            place.__enter__()
        clock.now += latency_s(len(places))
        for place in places:
            place.__exit__(None, None, None)


@pytest.mark.parametrize("a_second", [0.8, 1.5, 2.4])
def test_a_slow_machine_takes_on_what_it_can_finish(clock: Clock, a_second: float) -> None:
    gate = Admission(24, 10)
    rounds(gate, clock, lambda count: count / a_second, 40)
    assert gate.limit / a_second < 10 * 0.75
    assert gate.limit / a_second > 10 * 0.25


def test_a_fast_machine_keeps_all_its_places(clock: Clock) -> None:
    gate = Admission(24, 10)
    rounds(gate, clock, lambda count: count / 20, 10)
    assert gate.limit == 24


def test_one_late_crowd_is_one_cut(clock: Clock) -> None:
    gate = Admission(24, 10)
    rounds(gate, clock, lambda count: 9.9, 1)
    assert gate.limit == 19


def test_it_recovers_when_the_machine_does(clock: Clock) -> None:
    gate = Admission(24, 10)
    rounds(gate, clock, lambda count: 9.9, 30)
    assert gate.limit == 2
    rounds(gate, clock, lambda count: 1.0, 30)
    assert gate.limit == 24


def test_a_single_place_stays(clock: Clock) -> None:
    gate = Admission(1, 10)
    rounds(gate, clock, lambda count: 9.9, 5)
    assert gate.limit == 1


def waits_s(gate: Admission, times: int) -> list[float]:
    waits = []
    for _ in range(times):
        with pytest.raises(Overloaded) as refused:
            gate.require_room()
        waits.append(float(refused.value.details["retry_after_s"]))
    return waits


def test_the_refused_are_asked_back_at_the_pace_of_the_answers(clock: Clock) -> None:
    gate = Admission(8, 10)
    places = collections.deque(gate.place() for _ in range(8))
    for place in places:
        place.__enter__()
    for _ in range(100):  # full all the time, two answers a second
        clock.now += 0.501
        places.popleft().__exit__(None, None, None)
        places.append(gate.place())
        places[-1].__enter__()
    assert waits_s(gate, 6) == [1, 2, 2, 3, 3, 4]
    clock.now += 3
    assert waits_s(gate, 2) == [1, 2]


def test_nobody_is_sent_away_for_longer_than_half_a_minute(clock: Clock) -> None:
    gate = Admission(4, 10)
    with ExitStack() as places:
        for _ in range(4):
            places.enter_context(gate.place())
        assert waits_s(gate, 100) == [3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28] + [30] * 89
        clock.now += 9
        # Not after the hundred: those who came again and again do not send others away.
        assert waits_s(gate, 1) == [24]
