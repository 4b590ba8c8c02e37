"""What counts as lost, wrong and recovered when a service is broken on purpose."""

from collections.abc import Sequence

import pytest

from benchmarks.recovery import (
    LEFT,
    WINDOW_S,
    Fault,
    Kind,
    Sent,
    account,
    blamed,
    recoveries,
    recovery_s,
)


def sent(
    outcome: str, kind: Kind = "photo", *, retry_after: bool = False, took_s: float = 1
) -> Sent:
    return Sent(kind, 100, 100 + took_s, outcome, retry_after)


@pytest.mark.parametrize(
    ("request_", "allowed"),
    [
        (sent("200"), True),
        (sent("429 overloaded", retry_after=True), True),
        (sent("429 overloaded"), False),
        (sent("503 unavailable", retry_after=True), True),
        (sent("503"), False),
        (sent("504 deadline_passed"), True),
        (sent("500 internal_error"), False),
        (sent("502"), False),
        (sent("408"), False),
        # A good photo is not refused.
        (sent("422 no_face"), False),
        (sent("422 no_face", "hostile"), True),
        (sent("413 too_many_pixels", "hostile"), True),
        (sent("408", "hostile"), False),
        (sent("500", "hostile"), False),
        (sent(LEFT, "leaving"), True),
        (sent("ServerDisconnectedError"), False),
        (sent("timeout", "hostile"), False),
    ],
)
def test_what_a_client_can_live_with(request_: Sent, allowed: bool) -> None:
    assert request_.allowed is allowed


def test_every_request_is_counted_once() -> None:
    requests = [
        *[sent("200")] * 3,
        Sent("photo", 100, 101, "200", fault="face"),
        sent("503 unavailable"),
        sent("503 unavailable", retry_after=True),
        sent("ServerDisconnectedError"),
        sent("timeout", "hostile"),
        sent(LEFT, "leaving"),
        sent("500 internal_error", "hostile"),
    ]
    sums = account(requests)
    assert sums.sent == {"photo": 7, "hostile": 2, "leaving": 1}
    assert sum(sums.outcomes.values()) == len(requests)
    assert sums.outcomes["photo", "200"] == 4
    assert sums.lost == 2
    assert sums.wrong == {"face": 1}
    assert sums.forbidden == {
        ("photo", "503 unavailable without Retry-After"): 1,
        ("hostile", "500 internal_error"): 1,
    }


def test_only_photos_that_were_finished_have_a_latency() -> None:
    requests = [
        sent("200", took_s=2),
        sent("504 deadline_passed", took_s=10),
        sent("200", "hostile", took_s=0.1),
    ]
    sums = account(requests)
    assert (sums.p50_ms, sums.p99_ms) == pytest.approx((2000, 2000))
    assert account([]).p50_ms is None


def test_what_is_not_allowed_is_blamed_on_the_latest_fault() -> None:
    faults = [Fault(99.5, "Gateway"), Fault(100.8, "Matting"), Fault(101.5, "Cropping")]
    requests = [
        sent("500", took_s=0.2),
        sent("ServerDisconnectedError", took_s=1),
        sent("500", took_s=30),
        sent("200", took_s=1),
        sent(LEFT, "leaving"),
    ]
    assert blamed(requests, faults) == {"Gateway": 1, "Matting": 1, "nothing": 1}


def steady(start_s: float, end_s: float, per_s: float) -> list[float]:
    """Moments just after the start, and then evenly."""
    count = round((end_s - start_s) * per_s)
    return [start_s + (i + 0.5) / per_s for i in range(count)]


@pytest.mark.parametrize(
    ("ended_s", "expected_s"),
    [
        (steady(90, 130, 10), 0),
        (steady(90, 130, 8.5), 0),  # lower, but not below the share
        (steady(90, 130, 5), None),
        (steady(90, 100, 10), None),
        # Nothing for four seconds; the first window is well that lacks a fifth of its photos.
        (steady(90, 100, 10) + steady(104, 130, 10), 4 - 0.2 * WINDOW_S),
        # Half the rate for eight seconds: of the window 40 % may lie in them.
        (steady(90, 100, 10) + steady(100, 108, 5) + steady(108, 130, 10), 8 - 0.4 * WINDOW_S),
        # The last photos before a gap do not make a service that has recovered.
        (steady(90, 100.8, 10) + steady(105, 130, 10), 5 - 0.2 * WINDOW_S),
    ],
)
def test_recovery_is_when_the_rate_is_back(
    ended_s: Sequence[float], expected_s: float | None
) -> None:
    found = recovery_s(ended_s, 100, usual_rate=10, until_s=130)
    assert found == (None if expected_s is None else pytest.approx(expected_s, abs=0.15))


def test_recoveries_are_told_by_what_was_broken() -> None:
    ended_s = steady(90, 100, 10) + steady(104, 130, 10)
    faults = [Fault(95, "Matting"), Fault(100, "Matting"), Fault(110, "Gateway"), Fault(129, "x")]
    found = recoveries(ended_s, faults, usual_rate=10, until_s=130)
    assert found == {"Matting": [0, pytest.approx(3.4, abs=0.15)], "Gateway": [0]}
