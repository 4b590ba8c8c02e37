"""Trends of processes, read from a made-up /proc."""

from pathlib import Path

import pytest

from benchmarks.census import Census, Sample, slope, title, trend
from benchmarks.processes import ProcFs, Tree


def add(
    root: Path, pid: int, parent: int, command: str, *, pss_kb: int, handles: int, threads: int
) -> None:
    folder = root / str(pid)
    for name, count in (("fd", handles), ("task", threads)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (folder / name / str(number)).touch()
    zeros = "0 " * 9
    (folder / "stat").write_text(f"{pid} (x) S {parent} {zeros}1 1 0 0 20 0 1 0 {pid} 0 0\n")
    (folder / "cmdline").write_text(command.replace(" ", "\0"))
    (folder / "smaps_rollup").write_text(f"Pss: {pss_kb} kB\n")


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(0, 1), (1, 3), (2, 5)], 2),
        ([(10, 7), (20, 7), (30, 7)], 0),
        ([(0, 0), (1, 1), (2, 0), (3, 1), (4, 0)], 0),
        ([(0, 4), (1, 3), (2, 2)], -1),
        ([(5, 1), (5, 9)], 0),
    ],
)
def test_slope(points: list[tuple[float, float]], expected: float) -> None:
    assert slope(points) == pytest.approx(expected)


def test_a_trend_is_told_for_ten_minutes() -> None:
    """Half a megabyte a minute on 100 MB, one handle more each minute."""
    samples = [Sample(60 * i, 97_500_000 + 500_000 * i, 40 + i, 12) for i in range(11)]
    found = trend(samples)
    assert found is not None
    assert found.mb_per_10_min == pytest.approx(5)
    assert found.percent_per_10_min == pytest.approx(5)
    assert (found.first_pss_mb, found.last_pss_mb) == pytest.approx((98, 102))
    assert (found.first_handles, found.last_handles) == (41, 49)
    assert (found.first_threads, found.last_threads) == (12, 12)
    assert trend(samples[:2]) is None


def test_one_high_sample_is_no_growth_of_handles() -> None:
    samples = [Sample(i, 1000, 40 if i != 7 else 900, 5) for i in range(9)]
    found = trend(samples)
    assert found is not None and found.last_handles == 40


def test_a_census_keeps_the_processes_of_the_tree_apart(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  1 1 1 1 1 1 1 1 0 0\n")
    add(tmp_path, 100, 1, "python /bin/serve run", pss_kb=1000, handles=3, threads=2)
    replica = "ray::ServeReplica:idphoto:Matting"
    add(tmp_path, 101, 100, replica, pss_kb=5000, handles=9, threads=7)
    add(tmp_path, 300, 1, "other", pss_kb=9999, handles=1, threads=1)
    census, tree = Census(), Tree(100, ProcFs(tmp_path))
    census.take(tree, tmp_path)
    add(tmp_path, 102, 100, "ray::ProxyActor", pss_kb=500, handles=1, threads=1)
    census.take(tree, tmp_path)
    names = {census.names[key]: len(samples) for key, samples in census.samples.items()}
    assert names == {"serve": 2, "Matting": 2, "ProxyActor": 1}
    assert [sample.pss_bytes for sample in census.totals] == [6_144_000, 6_656_000]
    assert [(sample.handles, sample.threads) for sample in census.totals] == [(12, 9), (13, 10)]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ray::ServeReplica:idphoto:Cropping", "Cropping"),
        ("ray::ServeReplica:idphoto:Matting.handle_request_with_rejection", "Matting"),
        ("ray::ServeController.listen_for_change", "ServeController"),
        ("ray::IDLE", "IDLE"),
        ("/v/bin/python -u /v/ray/dashboard/agent.py --node-ip=127.0.0.1", "agent.py"),
        ("/v/bin/python3.11 /v/bin/serve run --address local x.json", "serve"),
        ("/v/bin/python -c spawn({'path':['/v/lib/ray/serve/x']})", "python"),
        ("/v/ray/core/src/ray/raylet/raylet --x=1", "raylet"),
        ("", ""),
    ],
)
def test_titles(tmp_path: Path, command: str, expected: str) -> None:
    add(tmp_path, 7, 1, command, pss_kb=1, handles=0, threads=1)
    assert title(7, tmp_path) == expected
    assert title(8, tmp_path) == ""
