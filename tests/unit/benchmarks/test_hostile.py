from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.hostile import Cost, expectations

FINE = Cost("a.png", "413 photo_too_large", 0.1, 0.1, 20, 0, "200")


@pytest.mark.parametrize(
    ("cost", "wrong"),
    [
        (FINE, ""),
        (replace(FINE, file="unknown.png"), ""),
        (replace(FINE, outcome="200"), "not 400|413"),
        (replace(FINE, file="unknown.png", outcome="200"), ""),
        (replace(FINE, outcome="500"), "no answer that is allowed, not 400|413"),
        (replace(FINE, outcome="timeout"), "no answer that is allowed, not 400|413"),
        (replace(FINE, took_s=2.1), "slow"),
        (replace(FINE, grown_mb=501), "large"),
        (replace(FINE, lost=1, after="503 unavailable"), "a replica died, then 503 unavailable"),
    ],
)
def test_what_a_hostile_file_must_not_do(cost: Cost, wrong: str) -> None:
    assert cost.wrong({"a.png": "400|413"}) == wrong


def test_expectations_are_read_by_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('file,what,expect\nhostile/a.png,"a, b",400|413\n')
    assert expectations(tmp_path / "list.csv") == {"a.png": "400|413"}
    assert expectations(None) == {}
