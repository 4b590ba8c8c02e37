"""The open loop's arrivals."""

from itertools import pairwise

import pytest

from benchmarks.schedule import SCHEDULES, even, poisson


def test_even_arrivals_start_at_once_and_end_before_the_end() -> None:
    assert list(even(2, 2)) == [0, 0.5, 1, 1.5]


def test_even_arrivals_do_not_drift() -> None:
    assert list(even(3, 1000))[2999] == pytest.approx(2999 / 3)


def test_poisson_arrivals_keep_the_rate_and_spread_as_poisson_does() -> None:
    moments = list(poisson(50, 200))
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    # Of 10,000 exponential gaps; the mean equals the standard deviation.
    assert mean == pytest.approx(1 / 50, rel=0.05)
    assert deviation == pytest.approx(1 / 50, rel=0.1)
    assert moments[0] > 0 and moments[-1] < 200


def test_poisson_arrivals_repeat_with_their_seed() -> None:
    assert list(poisson(5, 10, seed=3)) == list(poisson(5, 10, seed=3))
    assert list(poisson(5, 10, seed=3)) != list(poisson(5, 10, seed=4))


@pytest.mark.parametrize("name", SCHEDULES)
def test_arrivals_rise(name: str) -> None:
    moments = list(SCHEDULES[name](7, 30))
    assert all(earlier < later for earlier, later in pairwise(moments))
