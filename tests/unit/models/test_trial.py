from pathlib import Path
from unittest.mock import patch

import pytest

from models import catalog, weights
from models.prepare import prepare
from models.trial import Trial, Way, measured_s, medians_s

WAYS = [Way("onnxruntime", "fp32"), Way("onnxruntime", "int8")]


@pytest.fixture
def net() -> Path:
    (source,) = weights.fetch("u2netp", weights.default_folder()).values()
    return source


def test_a_trial_tells_the_seconds_of_each_way_and_is_made_once(net: Path, tmp_path: Path) -> None:
    trial = Trial("u2netp", net, tmp_path, 1)
    seconds = measured_s(trial, WAYS)
    assert len(seconds) == 2
    assert all(0.001 < second < 60 for second in seconds)
    # Two measurements are never equal to the nanosecond.
    assert measured_s(trial, WAYS) == seconds
    (record,) = (tmp_path / "prepared").glob("*trial.json")
    record.write_text("[0.1")
    assert measured_s(trial, WAYS) not in (seconds, [0.1])
    assert measured_s(trial, WAYS[:1]) != seconds[:1]


def test_a_trial_needs_no_folder_that_can_be_written(net: Path, tmp_path: Path) -> None:
    (prepared := tmp_path / "prepared").mkdir()
    for way in WAYS:
        prepare(catalog.find("u2netp"), net, tmp_path, way.precision)
    # Read-only to root, too.
    with patch("models.trial.locked", side_effect=PermissionError):
        assert len(measured_s(Trial("u2netp", net, tmp_path, 1), WAYS)) == 2
    assert not list(prepared.glob("*trial.json"))


def test_a_net_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "u2netp.onnx"
    broken.write_bytes(b"no net")
    with pytest.raises(RuntimeError, match="u2netp could not be tried on this CPU: "):
        measured_s(Trial("u2netp", broken, tmp_path, 1), WAYS)


def test_works_take_turns_and_the_first_run_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    order = []
    lasts = {"a": [9, 1, 7, 2], "b": [9, 5, 4, 6]}

    def work(name: str) -> None:
        nonlocal now
        order.append(name)
        now += lasts[name].pop(0)

    monkeypatch.setattr("time.process_time", lambda: now)
    assert medians_s([lambda: work("a"), lambda: work("b")], rounds=3) == [2, 5]
    assert order == ["a", "b"] * 4
