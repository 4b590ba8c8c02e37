"""What is measured where more clients come than there are places, and against what."""

from argparse import Namespace

from benchmarks.overload import HEADER, plan, rows
from benchmarks.window import Figures


def figures(photos_per_s: float, refused_ms: float | None = None) -> Figures:
    return Figures(
        *(photos_per_s, 100, 200, 300, {"200": 10}, None, None, 0.5, None),
        *(refused_ms, refused_ms),
    )


def test_the_crowd_is_held_against_the_clients_that_fit_before_and_after() -> None:
    runs = [figures(5), figures(4, 20), figures(2, 90), figures(3)]
    found = rows(("16", "obey", "do not", "again"), runs)
    assert all(len(row) == len(HEADER) for row in found)
    share, refused = HEADER.index("of those that fit %"), HEADER.index("429: p50 ms")
    assert [row[share] for row in found] == ["125", "100", "50", "75"]
    assert [row[refused] for row in found] == ["-", "20", "90", "-"]


def test_nothing_is_made_up_where_no_photo_came() -> None:
    share = HEADER.index("of those that fit %")
    assert [row[share] for row in rows(("a", "b"), [figures(0), figures(0)])] == ["-", "-"]


def test_one_crowd_obeys_and_one_does_not() -> None:
    loads = [load for _, load in plan(Namespace(seconds=9, warm_up=1, fit=16, clients=400))]
    assert [(load.clients, load.obey) for load in loads] == [
        (16, False),
        (400, True),
        (400, False),
        (16, False),
    ]
