"""Scenario ``proxy``: the cost of one way in: Ray's proxy with the service's turnstile, or HAProxy.

The devices take no time, so that only the way counts. HAProxy mode listens on all interfaces,
whatever is set: it runs in a network namespace that has only the loopback address. There the
service's own middlewares (deployments/edge.py), which live in Ray's proxy, are not run at all.
"""

import argparse
import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import cluster_options
from benchmarks.cluster import Report, apart
from benchmarks.cluster_cpu import Share
from benchmarks.cluster_load import measured
from benchmarks.cluster_nodes import Nodes, Running, running, settings
from benchmarks.cluster_scale import exactly
from benchmarks.figures import cell, ratio
from benchmarks.load import numbers
from benchmarks.simulated import Device

HEADER = (
    *("way in", "clients", "photos/s", "p50 ms", "p95 ms", "answers", "CPU-ms a photo: way in"),
    *("Gateways", "controller", "all"),
)
_UNSHARED = (
    "unshare",
    "--map-root-user",
    "--net",
    "sh",
    "-c",
    'ip link set lo up && exec "$@"',
    "",
)
_WAYS: dict[str, dict[str, str]] = {"python": {}, "haproxy": {"RAY_SERVE_ENABLE_HA_PROXY": "1"}}
_PROXIES = ("ProxyActor", "HAProxyManager", "haproxy")


def parser(name: str) -> argparse.ArgumentParser:
    made = cluster_options.parser(name, __doc__)
    made.add_argument("--clients", type=numbers, default=[1, 16])
    made.add_argument("--seconds", type=float, default=20)
    made.add_argument("--warm-up", type=float, default=5)
    made.add_argument("--region", type=int, default=800, help="px, of the arrays that are passed")
    made.add_argument("--way", choices=sorted(_WAYS), help=argparse.SUPPRESS)
    return made


async def run(options: argparse.Namespace, folder: Path) -> Report:
    if options.way:
        return await _one(options, folder)
    reports = [
        await asyncio.to_thread(apart, "proxy", ["--way", way], folder / way, _UNSHARED, more)
        for way, more in _WAYS.items()
    ]
    rows = [row for report in reports for row in report["rows"]]
    figures = {way: report["figures"] for way, report in zip(_WAYS, reports, strict=True)}
    said = f"one node, devices that take no time; {options.seconds:g} s each"
    return Report(said, HEADER, rows, figures)


async def _one(options: argparse.Namespace, folder: Path) -> Report:
    instant = Device(batch_ms=0, photo_ms=1e-6)
    with running(Nodes(1, 1), folder) as cluster:
        two = {"gateway": exactly(2), "cropping": exactly(1), "compositing": exactly(1)}
        changes = {**two, "gpus_per_replica": 0.5, "matting": exactly(2)}
        await asyncio.to_thread(
            cluster.deploy, settings(changes), instant, region_px=options.region
        )
        await asyncio.to_thread(cluster.wait)
        seen = [await _measured(cluster, options, clients) for clients in options.clients]
    rows = [row(options.way, figures) for figures in seen]
    return Report("one way in", HEADER, rows, {"runs": seen})


async def _measured(cluster: Running, options: argparse.Namespace, clients: int) -> dict[str, Any]:
    seen, shares = await measured(cluster.url, clients, options.warm_up, options.seconds)
    told = {name: asdict(share) for name, share in shares.items()}
    return {"clients": clients, **asdict(seen), "shares": told}


def row(way: str, seen: dict[str, Any]) -> tuple[str, ...]:
    """The cells below HEADER."""
    rate = seen["photos_per_s"]
    shares = {name: Share(**share) for name, share in seen["shares"].items()}
    answers = ", ".join(f"{name}: {count}" for name, count in sorted(seen["answers"].items()))

    def cpu_ms(*names: str) -> str:
        cores = sum(share.cores for name, share in shares.items() if name in names)
        return cell(ratio(1000 * cores, rate), 1)

    return (
        *(way, str(seen["clients"]), cell(rate), cell(seen["p50_ms"], 0), cell(seen["p95_ms"], 0)),
        *(answers or "none", cpu_ms(*_PROXIES), cpu_ms("Gateway"), cpu_ms("ServeController")),
        cpu_ms(*(set(shares) - {"client"})),
    )
