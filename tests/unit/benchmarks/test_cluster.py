"""Simulated clusters without one: the plan of the replicas, the stated devices, the sums."""

import json
from pathlib import Path

import pytest

from benchmarks import cluster_faults, cluster_scale
from benchmarks.cluster import Report, written
from benchmarks.cluster_load import span, steady_s
from benchmarks.cluster_plan import Shape, alike, busy_photos, gateways, idle, placed
from benchmarks.recovery import Sent
from benchmarks.simulated import Device, device
from deploy import gpus


@pytest.mark.parametrize(
    ("share", "per_gpu"), [(1, 1), (0.6, 1), (0.5, 2), (0.25, 4), (0.2, 5), (0.125, 8), (0.1, 10)]
)
def test_a_gpu_holds_as_many_replicas_as_have_room(share: float, per_gpu: int) -> None:
    assert Shape(1, 1, share).per_gpu == per_gpu


@pytest.mark.parametrize(
    ("nodes", "gpus", "share", "replicas", "plan", "without"),
    [
        (8, 2, 0.25, 64, [(4, 4)] * 8, 0),
        # The trap: a node's second GPU has nothing to do while its first one has four.
        (8, 2, 0.25, 32, [(4, 0)] * 8, 8),
        # The same GPUs, one to a node.
        (16, 1, 0.25, 32, [(2,)] * 16, 0),
        (2, 2, 0.5, 6, [(2, 1)] * 2, 0),
        (3, 2, 0.5, 4, [(2, 0), (1, 0), (1, 0)], 3),
        (2, 4, 0.6, 5, [(1, 1, 1, 0), (1, 1, 0, 0)], 3),
        (2, 1, 0.25, 0, [(0,), (0,)], 2),
    ],
)
def test_where_replicas_are_placed(
    nodes: int, gpus: int, share: float, replicas: int, plan: list[tuple[int, ...]], without: int
) -> None:
    found = placed(Shape(nodes, gpus, share), replicas)
    assert list(found) == plan
    assert idle(found) == without


def test_more_replicas_than_places_are_no_plan() -> None:
    with pytest.raises(ValueError, match="65 replicas on 64 places"):
        placed(Shape(8, 2, 0.25), 65)


@pytest.mark.parametrize(
    ("found", "same"),
    [([[1, 0], [2, 2]], True), ([[2, 2], [1, 0]], True), ([[2, 2], [0, 1]], False), ([[2]], False)],
)
def test_nodes_are_alike_whatever_their_order(found: list[list[int]], same: bool) -> None:
    assert alike(found, [(2, 2), (1, 0)]) is same


@pytest.mark.parametrize(
    ("shape", "batch", "photos"),
    [
        (Shape(1, 1, 1), 8, 16),  # one batch is computed, one waits
        (Shape(1, 1, 0.5), 8, 16),  # the other replica's waits
        (Shape(1, 1, 0.25), 8, 32),
        (Shape(16, 1, 0.25), 8, 512),
    ],
)
def test_photos_that_keep_gpus_busy_and_their_places(shape: Shape, batch: int, photos: int) -> None:
    assert busy_photos(shape, batch) == photos
    assert gateways(photos, 16) == photos // 16
    assert gateways(photos + 1, 16) == photos // 16 + 1


def test_a_device_takes_a_time_for_a_batch_and_one_for_each_photo() -> None:
    slow = Device(batch_ms=2, photo_ms=4, stretch=100)
    assert slow.seconds(8) == pytest.approx(3.4)
    assert slow.photos_per_s(8) == pytest.approx(8 / 3.4)


@pytest.mark.parametrize("gpu", gpus.GPUS, ids=lambda gpu: str(gpu.id))
def test_the_stated_devices_are_those_of_the_plans(gpu: gpus.Gpu) -> None:
    """But for the launches of a batch, which the plans do not know."""
    per_photo = device(gpu.id).photo_ms
    assert 1000 / per_photo == pytest.approx(0.25 * gpus.plan(gpu).roof_photos_per_s)


def _sent(ended_s: float, took_s: float, outcome: str = "200") -> Sent:
    return Sent("photo", ended_s - took_s, ended_s, outcome)


def test_a_span_counts_what_ended_in_it() -> None:
    requests = [_sent(9.9, 1), _sent(10, 1), _sent(11, 3), _sent(12, 0.1, "429 x"), _sent(15, 9)]
    seen = span(requests, 10, 15)
    assert seen.photos_per_s == pytest.approx(2 / 5)
    assert seen.p50_ms == pytest.approx(1000)
    assert seen.p95_ms == pytest.approx(3000)
    assert seen.answers == {"200": 2, "429 x": 1}


@pytest.mark.parametrize(
    ("rates", "moment"),
    [
        ([2, 4, 8, 10, 10, 10], 30),
        ([2, 10, 5, 10, 10, 10], 30),  # it fell again
        ([10, 10, 10, 10, 10, 10], 0),
        ([2, 4, 8, 10, 10, 1], None),
    ],
)
def test_a_rate_is_steady_from_where_it_stays_high(rates: list[float], moment: float) -> None:
    assert steady_s([(10 * i, rate) for i, rate in enumerate(rates)]) == moment


def test_a_row_of_the_nodes_tells_whose_time_it_took() -> None:
    shares = {
        "Gateway": {"cores": 0.5, "busiest": 0.3, "processes": 2},
        "ServeController": {"cores": 0.1, "busiest": 0.1, "processes": 1},
        "client": {"cores": 0.2, "busiest": 0.2, "processes": 1},
    }
    seen = {
        **{"photos_per_s": 10.0, "p50_ms": 800.0, "p95_ms": 1000.0, "answers": {"200": 100}},
        **{"clients": 32, "gateways": 2, "devices_photos_per_s": 16.0, "shares": shares},
    }
    found = dict(zip(cluster_scale.HEADER, cluster_scale.row(4, seen, 2.5), strict=True))
    assert found["of N x one"] == "1.00"
    assert found["of the devices"] == "0.62"
    assert found["Gateways' CPU-ms a photo"] == "50.0"
    assert found["proxies'"] == "0.0"
    assert found["all"] == "60.0"
    assert found["busiest process"] == "Gateway 0.30"
    assert found["cores of all, client included"] == "0.80"


def test_a_report_is_kept_as_json(tmp_path: Path) -> None:
    report = Report("said", ("a",), [("1",)], {"x": [1]}, good=False)
    path = written("scale", {"nodes": [1, 2]}, report, tmp_path / "results")
    kept = json.loads(path.read_text())
    assert (kept["said"], kept["figures"], kept["good"]) == ("said", {"x": [1]}, False)
    assert kept["options"] == {"nodes": [1, 2]}


@pytest.mark.parametrize(
    ("outcome", "retry_after", "good"),
    [
        ("200", False, True),
        ("503 unavailable", True, True),
        ("503 unavailable", False, False),
        ("504 deadline_passed", False, True),
        ("500", False, False),
        ("ServerDisconnectedError", False, False),
    ],
)
def test_a_fault_may_lose_no_photo(outcome: str, retry_after: bool, good: bool) -> None:
    others = [_sent(0.1 * i, 0.5) for i in range(200)]
    odd = Sent("photo", 19.9, 20.5, outcome, retry_after)
    made = cluster_faults.report("said", "a node", [*others, odd], 1, (0, 5, 20))
    found = dict(zip(made.header, made.rows[0], strict=True))
    assert made.good is good
    assert found["sent"] == "201"
    assert found["photos/s before"] == "10.00"
    assert found["steady after s"] == "0"
    assert found["steps asked again"] == "1"


def test_a_fault_tells_how_long_photos_were_few() -> None:
    moments = [*range(10), *(10 + 2 * i for i in range(5)), *range(20, 41)]
    made = cluster_faults.report("", "", [_sent(at, 0.5) for at in moments], 0, (0, 10, 40))
    found = dict(zip(made.header, made.rows[0], strict=True))
    assert found["in the worst 5 s"] == "0.40"
    assert found["steady after s"] == "10"
