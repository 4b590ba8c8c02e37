from pathlib import Path

import pytest

from models import weights
from models.trial import Trial, Way, measured_s, medians_s

WAYS = [Way("onnxruntime", "fp32"), Way("onnxruntime", "int8")]


def test_a_trial_tells_the_seconds_of_each_way() -> None:
    folder = weights.default_folder()
    (source,) = weights.fetch("u2netp", folder).values()
    seconds = measured_s(Trial("u2netp", source, folder, 1), WAYS)
    assert len(seconds) == 2
    assert all(0.001 < second < 60 for second in seconds)


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
