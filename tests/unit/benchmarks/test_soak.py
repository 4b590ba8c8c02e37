"""The tables of a soak."""

from benchmarks.census import Census, Sample
from benchmarks.client import Answer
from benchmarks.faults import dashboard
from benchmarks.soak import HEADER, drift, trends


def test_drift_is_by_when_a_photo_was_due() -> None:
    answers = [
        Answer(5, 6, "200"),  # in the warm-up
        Answer(12, 13, "200"),
        Answer(18, 48, "200"),  # due in the first third, however late
        Answer(25, 25.5, "200"),
        Answer(35, 37, "200"),
        Answer(36, 36.1, "429 overloaded"),
        Answer(41, 42, "200"),  # after the end
    ]
    assert drift(answers, 10, 40) == [
        ("first", "2", "1000", "30000", "200: 2"),
        ("middle", "1", "500", "500", "200: 1"),
        ("last", "1", "2000", "2000", "200: 1, 429 overloaded: 1"),
    ]


def test_only_processes_that_last_have_a_trend() -> None:
    def samples(count: int, mb: int) -> list[Sample]:
        return [Sample(i * 10, mb * 1_000_000, 4, 2) for i in range(count)]

    census = Census(
        samples={(1, 1): samples(6, 50), (2, 1): samples(5, 900), (3, 1): samples(6, 300)},
        names={(1, 1): "Gateway", (2, 1): "IDLE", (3, 1): "Matting"},
        totals=samples(6, 1250),
    )
    rows = trends(census)
    assert [row[0] for row in rows] == ["all", "Matting", "Gateway"]
    assert all(len(row) == len(HEADER) for row in rows)
    assert rows[1][1:3] == ("300.0", "300.0")


def test_the_dashboard_is_read_from_the_log_in_colour_and_without() -> None:
    plain = "Started a local Ray instance. View the dashboard at http://127.0.0.1:8266 \n"
    coloured = "View the dashboard at \x1b[1m\x1b[32mhttp://127.0.0.1:8265 \x1b[39m\x1b[22m\n"
    assert dashboard(plain) == "http://127.0.0.1:8266"
    assert dashboard(coloured) == "http://127.0.0.1:8265"
