import numpy as np
import pytest

from benchmarks.experts import Judged, Opinion, print_pairs, print_portraits
from pipeline.values import Matte


def matte(value: float) -> Matte:
    return Matte(np.full((4, 4), value, np.float32), (0.0, 0.0, 4.0, 4.0))


@pytest.mark.parametrize(
    ("alone", "joined", "changed"),
    [
        (matte(0.5), matte(0.5), False),
        (matte(0.5), matte(0.6), True),
        (None, matte(0.5), True),
        (matte(0.5), None, True),
        (None, None, False),
    ],
)
def test_a_photo_is_changed_where_its_matte_or_its_fate_is_another(
    alone: Matte | None, joined: Matte | None, changed: bool
) -> None:
    assert Opinion(alone, joined, True, 1.0).changed == changed


def test_means_are_of_the_pairs_that_both_ways_accept(capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        "gt-sure": Judged(Opinion(matte(1), matte(1), False, 0), 10.0, 10.0),
        "gt-doubtful": Judged(Opinion(matte(1), matte(0.5), True, 5), 30.0, 20.0),
        "gt-lost": Judged(Opinion(None, matte(1), True, 7), None, 99.0),
    }
    print_pairs(found, "expert")
    _, _, alone, joined, asked, changed = capsys.readouterr().out.splitlines()
    assert cells(alone) == ["nets alone", "20.0", "30.0", "10.0", "30.0", "refused"]
    assert cells(joined) == ["or expert", "15.0", "20.0", "10.0", "20.0", "99.0"]
    assert asked == "Asked: gt-doubtful, gt-lost"
    assert changed == "Changed: gt-doubtful, gt-lost"


def test_the_portraits_tell_how_often_the_expert_was_asked_and_what_it_cost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = {
        "a.jpg": Opinion(matte(1), matte(1), False, 0),
        "b.jpg": Opinion(None, matte(1), True, 10),
        "c.jpg": Opinion(None, None, True, 30),
    }
    print_portraits(found)
    summary, asked, changed, alone, joined = capsys.readouterr().out.splitlines()
    assert summary.startswith("3 photos with one face; the expert was asked for 2, 20 CPU-ms each")
    assert asked == "Asked: b.jpg, c.jpg"
    assert changed == "Changed: b.jpg"
    assert alone == "Refused without it: b.jpg, c.jpg"
    assert joined == "Refused with it: c.jpg"


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]
