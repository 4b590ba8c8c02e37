"""What is counted, and what of Ray's exporter is passed on."""

import asyncio
import threading
from typing import Any

import pytest

from deployments import metrics, scrape
from deployments.line import Line
from deployments.worker import Worker
from pipeline import documents
from pipeline.sheet_values import SheetOrder
from pipeline.values import CutoutOrder, Order


class Meter:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []
        self.waits_s: list[float] = []
        self.works_s: list[float] = []

    def lengths(self, waiting: int, working: int) -> None:
        self.told.append((waiting, working))

    def waited(self, seconds: float) -> None:
        self.waits_s.append(seconds)

    def worked(self, seconds: float) -> None:
        self.works_s.append(seconds)


def order(*names: str) -> Order:
    return Order(tuple(documents.find(name) for name in names), (), "jpeg")


@pytest.mark.parametrize(
    ("wanted", "label"),
    [
        (order("us-passport"), "us-passport"),
        (order("us-passport", "cn-1-inch"), "several"),
        (Order((documents.custom((35, 45), None, 300),), (), "jpeg"), "custom"),
        (CutoutOrder("png", "rgba", 1000), "none"),
    ],
)
def test_the_label_of_an_order(wanted: Order | SheetOrder | CutoutOrder, label: str) -> None:
    assert metrics.document(wanted) == label


def test_a_line_tells_its_lengths_and_ends_empty() -> None:
    meter = Meter()
    line = Line(meter)
    first, second, third = line.join(), line.join(), line.join()
    line.begin(first)
    line.leave(second)
    line.leave(first)  # whoever waited for it has left; the work goes on
    assert (line.waiting, line.working) == (1, 1)
    line.begin(third)
    line.end(third)
    line.end(first)
    lengths = [(0, 0), (1, 0), (2, 0), (3, 0), (2, 1), (1, 1), (0, 2), (0, 1), (0, 0)]
    assert meter.told == lengths
    assert len(meter.waits_s) == len(meter.works_s) == 2
    assert (second.wait_ms, second.work_ms) == (0, 0)
    assert line.longest_s == 0


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_worker_counts_who_waits_and_who_is_worked_on(cancelled: bool) -> None:
    meter, go_on = Meter(), threading.Event()
    worker = Worker(1, meter)

    async def main() -> None:
        first = asyncio.create_task(worker.run(go_on.wait))
        second = asyncio.create_task(worker.run(int))
        while (1, 1) not in meter.told:
            await asyncio.sleep(0.001)
        if cancelled:
            second.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert meter.told[-1] == (0, 1)
        go_on.set()
        await asyncio.gather(first, second, return_exceptions=True)

    asyncio.run(main())
    assert meter.told[-1] == (0, 0)
    assert len(meter.works_s) == (1 if cancelled else 2)


@pytest.mark.parametrize(
    ("line", "passed"),
    [
        ('ray_idphoto_photos_total{code="ok"} 3.0', 'idphoto_photos_total{code="ok"} 3.0'),
        ("# HELP ray_idphoto_x About ray_idphoto_x.", "# HELP idphoto_x About ray_idphoto_x."),
        ("# TYPE ray_idphoto_x gauge", "# TYPE idphoto_x gauge"),
        ("ray_node_mem_used{} 1.0", "ray_node_mem_used{} 1.0"),
        ("# TYPE ray_serve_num_http_requests_total counter", None),
        ('ray_serve_long_poll_latency_ms_bucket{le="1"} 0.0', ""),
        ("# TYPE ray_tasks gauge", ""),
        ("python_info 1.0", ""),
        ("# EOF", ""),
    ],
)
def test_what_is_passed_on_of_rays_exporter(line: str, passed: str | None) -> None:
    expected: Any = line if passed is None else passed
    assert scrape.passed_on(f"{line}\n") == (f"{expected}\n" if expected else "")
