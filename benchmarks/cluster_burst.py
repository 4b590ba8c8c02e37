"""Scenario ``burst``: ten times the clients for a while; how soon the service has grown, what waits
on the way, and whether it shrinks again without losing a photo.

Matting and the CPU steps grow with the settings of production, but for ``--downscale-delay``.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import cluster_options
from benchmarks.cluster import Report
from benchmarks.cluster_load import Clients, span, steady_s
from benchmarks.cluster_nodes import Nodes, Running, running, settings
from benchmarks.cluster_plan import Shape
from benchmarks.figures import cell
from benchmarks.recovery import account
from benchmarks.simulated import Device, device

HEADER = (
    *("from s", "to s", "clients", "photos/s", "p50 ms", "p95 ms", "answers"),
    *("Matting", "Cropping", "Compositing"),
)
_GROWING = ("Matting", "Cropping", "Compositing")


@dataclass(frozen=True, slots=True)
class Moment:
    """A look at the service; ``at_s`` is that of ``time.monotonic``."""

    at_s: float
    clients: int
    replicas: Mapping[str, int]


def parser(name: str) -> argparse.ArgumentParser:
    made = cluster_options.parser(name, __doc__)
    made.add_argument("--nodes", type=int, default=4)
    cluster_options.add_gpus(made, share=0.5, stretch=100)
    made.add_argument("--clients", type=int, default=3, help="before and after; ten times in it")
    made.add_argument("--calm", type=float, default=30, help="seconds before the burst")
    made.add_argument("--burst", type=float, default=120, help="seconds")
    made.add_argument("--after", type=float, default=120, help="seconds")
    made.add_argument("--downscale-delay", type=float, default=30, help="seconds; else 300")
    made.add_argument("--every", type=float, default=10, help="seconds of a row")
    return made


async def run(options: argparse.Namespace, folder: Path) -> Report:
    fake = device(options.device, options.stretch)
    shape = Shape(options.nodes, options.gpus, options.share)
    with running(Nodes(options.nodes, options.gpus), folder) as cluster:
        return await _seen(cluster, options, shape, fake)


def grown(shape: Shape, options: argparse.Namespace) -> dict[str, Any]:
    """Settings that let Matting grow from one replica to all that the GPUs hold."""
    down = {"downscale_delay_s": options.downscale_delay}
    return {
        "gpus_per_replica": shape.share,
        "batch": {"max_size": options.batch},
        "deadline_s": 100,
        "max_photos_in_flight": 64,
        "matting": {
            "min_replicas": 1,
            "max_replicas": shape.replicas,
            "upscale_delay_s": 10,
            **down,
        },
        "cropping": {"min_replicas": 1, "max_replicas": 4, **down},
        "compositing": {"min_replicas": 1, "max_replicas": 4, **down},
        "gateway": {"min_replicas": 2, "max_replicas": 2},
    }


async def _seen(
    cluster: Running, options: argparse.Namespace, shape: Shape, fake: Device
) -> Report:
    await asyncio.to_thread(cluster.deploy, settings(grown(shape, options)), fake)
    await asyncio.to_thread(cluster.wait)
    few, many = options.clients, 10 * options.clients
    moments: list[Moment] = []
    async with Clients(cluster.url) as load:
        for clients, seconds in ((few, options.calm), (many, options.burst), (few, options.after)):
            load.want(clients)
            end_s = time.monotonic() + seconds
            while time.monotonic() < end_s:
                moments.append(await asyncio.to_thread(_look, cluster, clients))
                left_s = max(0.0, end_s - time.monotonic())
                await asyncio.sleep(min(options.every, left_s))
        moments.append(await asyncio.to_thread(_look, cluster, few))
    spans = [span(load.requests, one.at_s, other.at_s) for one, other in pairwise(moments)]
    burst_s = next(moment.at_s for moment in moments if moment.clients == many)
    rates = [
        (moment.at_s - burst_s, seen.photos_per_s)
        for moment, seen in zip(moments, spans, strict=False)
        if moment.clients == many
    ]
    steady = steady_s(rates)
    sums = account(load.requests)
    bad = sums.lost + sum(sums.forbidden.values())
    said = (
        f"{shape.nodes} nodes of {shape.gpus} GPU, {shape.share:g} a replica; {options.device} "
        f"stretched {options.stretch:g} times, batches of {options.batch}: "
        f"{fake.photos_per_s(options.batch):.2f} photos/s a GPU; {few} clients, then {many}, then "
        f"{few}; steady {cell(steady, 0)} s after the burst began; {bad} requests lost or not "
        "allowed"
    )
    figures = {
        "steady_s": steady,
        "outcomes": _outcomes(load.requests),
        "moments": [asdict(moment) for moment in moments],
        "spans": [asdict(each) for each in spans],
    }
    rows = [
        (
            *(f"{moments[i].at_s - burst_s:.0f}", f"{moments[i + 1].at_s - burst_s:.0f}"),
            *(str(moments[i].clients), cell(seen.photos_per_s)),
            *(cell(seen.p50_ms, 0), cell(seen.p95_ms, 0)),
            ", ".join(f"{name}: {count}" for name, count in sorted(seen.answers.items())) or "none",
            *(str(moments[i + 1].replicas[name]) for name in _GROWING),
        )
        for i, seen in enumerate(spans)
    ]
    return Report(said, HEADER, rows, figures, not bad)


def _outcomes(requests: Sequence[Any]) -> dict[str, int]:
    return {outcome: count for (_, outcome), count in account(requests).outcomes.items()}


def _look(cluster: Running, clients: int) -> Moment:
    counts = {name: len(cluster.replicas(name)) for name in _GROWING}
    return Moment(time.monotonic(), clients, counts)
