"""Scenario ``scale``: photos a second by the number of nodes, and whose time it took.

Each number of nodes has a cluster of its own, and as many clients as keep its GPUs busy. A device
whose clock is stretched far enough leaves the cores of this machine idle: then the nodes are the
limit. With ``--stretch`` low enough the cores are, and the table says whose they were.
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import cluster_options
from benchmarks.cluster import Report, apart
from benchmarks.cluster_cpu import Share
from benchmarks.cluster_load import Span, measured
from benchmarks.cluster_nodes import Nodes, Running, running, settings
from benchmarks.cluster_plan import Shape, busy_photos, gateways
from benchmarks.figures import cell, ratio
from benchmarks.load import numbers
from benchmarks.simulated import Device, device

HEADER = (
    *("nodes", "clients", "Gateways", "photos/s", "of N x one", "of the devices", "p95 ms"),
    *("answers", "Gateways' CPU-ms a photo", "proxies'", "controller's", "all", "busiest process"),
    "cores of all, client included",
)
_NONE = Share(0, 0, 0)
# Places for each client: proxies do not fill the Gateways evenly.
_ROOM = 1.25


def parser(name: str) -> argparse.ArgumentParser:
    made = cluster_options.parser(name, __doc__)
    made.add_argument("--nodes", type=numbers, default=[1, 2, 4, 8, 16])
    cluster_options.add_gpus(made, share=1, stretch=200)
    made.add_argument("--clients", type=float, default=3, help="per photo that keeps GPUs busy")
    made.add_argument("--places", type=int, default=64, help="max_photos_in_flight")
    made.add_argument("--gateways", type=int, help="replicas; as many as have places, if not given")
    made.add_argument("--steps", type=int, help="replicas of each CPU step; a fourth of the nodes")
    made.add_argument("--proxies", choices=("HeadOnly", "EveryNode"), default="HeadOnly")
    made.add_argument("--region", type=int, default=800, help="px, of the arrays that are passed")
    made.add_argument("--warm-up", type=float, default=15)
    made.add_argument("--seconds", type=float, default=60)
    return made


async def run(options: argparse.Namespace, folder: Path) -> Report:
    fake = device(options.device, options.stretch)
    seen: dict[int, dict[str, Any]] = {}
    if len(options.nodes) == 1:
        (nodes,) = options.nodes
        with running(Nodes(nodes, options.gpus, proxies=options.proxies), folder) as cluster:
            seen[nodes] = await _measured(cluster, options, nodes, fake)
    else:
        for nodes in options.nodes:
            more = ["--nodes", str(nodes)]
            own = folder / f"nodes-{nodes}"
            report = await asyncio.to_thread(apart, "scale", more, own)
            seen[nodes] = report["figures"]["by_nodes"][str(nodes)]
    one = seen[options.nodes[0]]["photos_per_s"] / options.nodes[0]
    rows = [row(nodes, figures, one) for nodes, figures in seen.items()]
    each = options.gpus * fake.photos_per_s(options.batch)
    said = (
        f"{options.device}, its clock stretched {options.stretch:g} times: {each:.2f} photos/s a "
        f"node in batches of {options.batch}; {options.seconds:g} s each, regions of "
        f"{options.region} px, proxies {options.proxies}"
    )
    figures = {"one_node_photos_per_s": one, "device": fake.model_dump(), "by_nodes": seen}
    allowed = {"200", "429 overloaded"}
    good = all(set(figures["answers"]) <= allowed for figures in seen.values())
    return Report(said, HEADER, rows, figures, good)


async def _measured(
    cluster: Running, options: argparse.Namespace, nodes: int, fake: Device
) -> dict[str, Any]:
    shape = Shape(nodes, options.gpus, options.share)
    clients = round(options.clients * busy_photos(shape, options.batch))
    doors = options.gateways or gateways(round(_ROOM * clients), options.places)
    chosen = scaled(shape, doors, options.steps or max(1, nodes // 4), options)
    await asyncio.to_thread(cluster.deploy, settings(chosen), fake, region_px=options.region)
    await asyncio.to_thread(cluster.wait)
    seen, shares = await measured(cluster.url, clients, options.warm_up, options.seconds)
    full = nodes * options.gpus * fake.photos_per_s(options.batch)
    return figures(seen, shares, clients, doors, full)


def scaled(shape: Shape, doors: int, steps: int, options: argparse.Namespace) -> dict[str, Any]:
    """Settings with replicas on every GPU, and a deadline that the stretched devices meet."""
    return {
        "gpus_per_replica": shape.share,
        "batch": {"max_size": options.batch},
        "deadline_s": 100,
        "max_photos_in_flight": options.places,
        "matting": exactly(shape.replicas),
        "cropping": exactly(steps),
        "compositing": exactly(steps),
        "gateway": exactly(doors),
    }


def exactly(replicas: int) -> dict[str, int]:
    return {"min_replicas": replicas, "max_replicas": replicas}


def figures(
    seen: Span, shares: Mapping[str, Share], clients: int, doors: int, full: float
) -> dict[str, Any]:
    """What a table and the JSON need of one run; ``full`` are the devices' photos a second."""
    return {
        **asdict(seen),
        "clients": clients,
        "gateways": doors,
        "devices_photos_per_s": full,
        "shares": {name: asdict(share) for name, share in sorted(shares.items())},
    }


def row(nodes: int, seen: Mapping[str, Any], one: float) -> tuple[str, ...]:
    """The cells below HEADER."""
    rate = seen["photos_per_s"]
    shares = {name: Share(**share) for name, share in seen["shares"].items()}
    servers = {name: share for name, share in shares.items() if name != "client"}
    busiest = max(servers, key=lambda name: servers[name].busiest)
    cores = sum(share.cores for share in servers.values())
    answers = ", ".join(f"{name}: {count}" for name, count in sorted(seen["answers"].items()))

    def cpu_ms(name: str) -> str:
        return cell(ratio(1000 * shares.get(name, _NONE).cores, rate), 1)

    return (
        *(str(nodes), str(seen["clients"]), str(seen["gateways"]), cell(rate)),
        *(cell(ratio(rate, one * nodes)), cell(ratio(rate, seen["devices_photos_per_s"]))),
        *(cell(seen["p95_ms"], 0), answers or "none"),
        *(cpu_ms("Gateway"), cpu_ms("ProxyActor"), cpu_ms("ServeController")),
        *(cell(ratio(1000 * cores, rate), 1), f"{busiest} {servers[busiest].busiest:.2f}"),
        cell(cores + shares["client"].cores),
    )
