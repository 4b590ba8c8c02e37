"""The tables that hold servers against each other, and what the options choose."""

import argparse
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import gpu, graph, load, peers, photos, short
from benchmarks.floor import Done, Floor, summed
from benchmarks.window import HEADER, Figures
from models.catalog import find

FIGURES = Figures(
    photos_per_s=4,
    p50_ms=100,
    p95_ms=200,
    p99_ms=300,
    answers={"200": 40, "429 overloaded": 2},
    cpu_s_per_photo=0.5,
    peak_pss_mb=1000,
    client_cores=0.01,
    other_cores=0.2,
)
HALF = replace(FIGURES, photos_per_s=2, cpu_s_per_photo=1)
NONE = replace(FIGURES, photos_per_s=0, cpu_s_per_photo=None)


def cells(table: str) -> list[list[str]]:
    """The rows below the header."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def test_peers_are_held_against_the_first_at_the_same_number_of_clients() -> None:
    measured = {
        ("ours", 1): FIGURES,
        ("ours", 16): HALF,
        ("other", 1): HALF,
        ("other", 16): FIGURES,
        ("broken", 16): NONE,
    }
    assert [row[:4] for row in cells(peers.compared(measured))] == [
        ["ours", "1", "1.00", "1.00"],
        ["other", "1", "0.50", "2.00"],
        ["ours", "16", "1.00", "1.00"],
        ["other", "16", "2.00", "0.50"],
        ["broken", "16", "0.00", "-"],
    ]


def test_the_service_is_held_against_bare_processes_of_its_quality() -> None:
    bare = {"best": Floor(8, 0.25, 0.3), "fast": Floor(20, 0.1, None)}
    rows = short.rows(bare, {("best", 16): FIGURES, ("fast", 1): FIGURES}, {1: HALF})
    assert [row[:4] for row in rows] == [
        ("bare processes, best", "-", "1.00", "1.00"),
        ("bare processes, fast", "-", "1.00", "1.00"),
        ("service, best", "16", "0.50", "2.00"),
        ("service, fast", "1", "0.20", "5.00"),
        ("service, steps do nothing", "1", "-", "-"),
    ]
    assert {len(row) for row in rows} == {4 + len(HEADER)}
    assert rows[0][4 + HEADER.index("CPU-s a photo")] == "0.2500"
    assert [row[-1] for row in rows[:2]] == ["0.30", "-"]


def test_graph_rows_are_in_milliseconds_and_as_wide_as_their_header() -> None:
    row = graph.row("value", 16, 0.15, FIGURES)
    assert len(row) == len(graph.HEADER)
    assert row[graph.HEADER.index("CPU-ms a photo")] == "500.0"
    assert row[graph.HEADER.index("idle cores")] == "0.15"


def test_bare_processes_add_up_their_rates() -> None:
    floor = summed([Done(10, 2.0, 1.5, 3.0), Done(20, 2.5, 2.0, 4.0)])
    assert floor.photos_per_s == pytest.approx(5 + 8)
    assert floor.cpu_s_per_photo == pytest.approx(3.5 / 30)
    assert floor.other_cores == pytest.approx((1.5 + 1.6) / 2 - (0.75 + 0.8))
    assert summed([Done(1, 1, 1, None)]).other_cores is None


@pytest.mark.parametrize(("text", "expected"), [("1", [1]), ("1,16,64", [1, 16, 64])])
def test_numbers_are_read(text: str, expected: list[int]) -> None:
    assert load.numbers(text) == expected


@pytest.mark.parametrize("text", ["", "0", "1,-2", "a"])
def test_other_texts_are_no_numbers(text: str) -> None:
    with pytest.raises(ValueError):
        load.numbers(text)


def test_a_rate_makes_one_open_loop_and_clients_a_closed_one_each() -> None:
    options = load.parser().parse_args(["--clients", "1,4", "--obey"])
    assert [(run.clients, run.rate, run.obey) for run in load.loads(options)] == [
        (1, None, True),
        (4, None, True),
    ]
    options = load.parser().parse_args(["--rate", "2.5", "--arrivals", "even"])
    (run,) = load.loads(options)
    assert (run.rate, run.arrivals) == (2.5, "even")


def test_an_enlarged_portrait_has_the_size_asked_for() -> None:
    options = argparse.Namespace(megapixels=0.25, photos=[])
    found = photos.chosen(options)
    (data,) = found.values()
    assert Image.open(io.BytesIO(data)).size == (500, 500)
    assert "enlarged to 0.25 MP" in photos.described(options, found)


def test_folders_give_their_pictures_and_files_themselves(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "README.md"):
        (tmp_path / name).write_bytes(name.encode())
    assert list(photos.read([tmp_path])) == ["a.png", "b.JPG"]
    assert photos.read([tmp_path / "README.md"]) == {"README.md": b"README.md"}


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        photos.read([tmp_path])


def test_a_gpu_case_is_made_only_where_it_means_something() -> None:
    net = find("selfie")
    on_cpu = list(gpu.cases([net], ["cpu"], None))
    assert {(case.precision, case.way, case.batch) for case in on_cpu} == {
        ("fp32", way, batch) for way in ("run", "bound") for batch in (1, 2, 4)
    }
    on_gpu = list(gpu.cases([net], ["cuda", "tensorrt"], [8]))
    assert len(on_gpu) == len(set(on_gpu)) == 3 * 3 + 2 * 3
    assert not any(case.device == "tensorrt" and case.precision == "fp32" for case in on_gpu)
