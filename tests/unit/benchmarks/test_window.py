"""What is counted between two readings of the clocks."""

import pytest

from benchmarks.client import Answer
from benchmarks.processes import Reading
from benchmarks.window import HEADER, Load, summed

BEFORE = Reading(at_s=100, server_cpu_s=5, own_cpu_s=1, busy_s=50, peak_pss_bytes=9_000_000)
AFTER = Reading(at_s=110, server_cpu_s=15, own_cpu_s=2, busy_s=64, peak_pss_bytes=7_000_000)


def test_photos_count_where_they_end() -> None:
    answers = [
        Answer(98, 99.9, "200"),  # in the warm-up
        Answer(99, 100.5, "200"),
        Answer(105, 106, "200"),
        Answer(109, 110.5, "200"),  # in the drain
    ]
    figures = summed(answers, BEFORE, AFTER, known=True)
    assert figures.photos_per_s == pytest.approx(0.2)
    assert figures.cpu_s_per_photo == pytest.approx(5)
    assert figures.answers == {"200": 2}


def test_latencies_count_from_when_a_photo_was_due_even_if_it_came_after_the_end() -> None:
    answers = [Answer(101, 102, "200"), Answer(105, 135, "200"), Answer(99, 109, "200")]
    figures = summed(answers, BEFORE, AFTER, known=True)
    assert figures.p50_ms == pytest.approx(1000)
    assert figures.p99_ms == pytest.approx(30_000)


def test_refusals_are_counted_but_are_neither_photos_nor_latencies() -> None:
    answers = [Answer(101, 103, "200"), *[Answer(104, 104.001, "429 overloaded")] * 3]
    figures = summed(answers, BEFORE, AFTER, known=True)
    assert figures.photos_per_s == pytest.approx(0.1)
    assert figures.p50_ms == pytest.approx(2000)
    assert figures.answers == {"200": 1, "429 overloaded": 3}
    assert figures.refused_p50_ms == pytest.approx(1)


def test_a_refusal_takes_from_when_it_was_sent_again() -> None:
    answers = [Answer(90, 101, "429 overloaded", 100.9), Answer(90, 103, "200", 102)]
    figures = summed(answers, BEFORE, AFTER, known=True)
    assert figures.refused_p99_ms == pytest.approx(100)


def test_what_others_use_is_the_rest_of_the_machine() -> None:
    figures = summed([], BEFORE, AFTER, known=True)
    assert figures.client_cores == pytest.approx(0.1)
    assert figures.other_cores == pytest.approx((14 - 10 - 1) / 10)
    assert figures.peak_pss_mb == pytest.approx(7)


def test_nothing_is_made_up_where_nothing_was_measured() -> None:
    figures = summed([Answer(101, 102, "200")], BEFORE, AFTER, known=False)
    assert figures.cpu_s_per_photo is figures.peak_pss_mb is figures.other_cores is None
    idle = summed([], BEFORE, AFTER, known=True)
    assert idle.cpu_s_per_photo is idle.p50_ms is None
    assert len(idle.row()) == len(HEADER)


@pytest.mark.parametrize(
    ("load", "name"), [(Load(1, 1, clients=16), "16"), (Load(1, 1, rate=2.5), "2.5/s")]
)
def test_load_is_named_by_its_loop(load: Load, name: str) -> None:
    assert load.name == name
