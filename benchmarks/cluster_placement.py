"""Scenario ``placement``: where Ray puts the replicas, against the plan."""

import argparse
import asyncio
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import cluster_options
from benchmarks.cluster import Report
from benchmarks.cluster_cpu import Watch
from benchmarks.cluster_nodes import Nodes, Running, running, settings
from benchmarks.cluster_plan import Shape, alike, idle, placed
from benchmarks.simulated import device

_SETTLE_S = 5


def parser(name: str) -> argparse.ArgumentParser:
    made = cluster_options.parser(name, __doc__)
    made.add_argument("--nodes", type=int, default=8)
    made.add_argument("--gpus", type=int, default=2, help="of each node")
    made.add_argument("--share", type=float, default=0.25, help="of a GPU for a replica")
    made.add_argument("--replicas", type=int, help="of Matting; all that fit, if not given")
    made.add_argument("--steps", type=int, default=8, help="replicas of each CPU step")
    return made


async def run(options: argparse.Namespace, folder: Path) -> Report:
    shape = Shape(options.nodes, options.gpus, options.share)
    replicas = options.replicas or shape.replicas
    plan = placed(shape, replicas)
    with running(Nodes(options.nodes, options.gpus), folder) as cluster:
        return await asyncio.to_thread(_seen, cluster, options, shape, replicas, plan)


def _seen(
    cluster: Running,
    options: argparse.Namespace,
    shape: Shape,
    replicas: int,
    plan: tuple[tuple[int, ...], ...],
) -> Report:
    chosen = settings(
        {
            "gpus_per_replica": shape.share,
            "matting": _exactly(replicas),
            "cropping": _exactly(options.steps),
            "compositing": _exactly(options.steps),
            "gateway": _exactly(2),
        }
    )
    cluster.deploy(chosen, device("t4"))
    took_s = cluster.wait()
    found = sorted(tuple(counts) for counts in cluster.matting().values())
    found += [(0,) * shape.gpus] * (shape.nodes - len(found))
    watch = Watch()
    time.sleep(_SETTLE_S)
    shares, memory = watch.shares(), watch.pss_mb()
    steps = {
        name: sorted(Counter(one["node_id"] for one in cluster.replicas(name)).values())
        for name in ("Gateway", "Cropping", "Compositing")
    }
    spread = all(max(each) - min(each) <= 1 for each in steps.values())
    rows = [
        ("Matting, by node (GPU 0, 1, ..)", _nodes(found), _nodes(sorted(plan))),
        ("GPUs without a replica", str(idle(found)), str(idle(plan))),
        *(
            (f"{name}, on nodes that have some", _nodes(each), "even")
            for name, each in steps.items()
        ),
    ]
    said = (
        f"{options.nodes} nodes of {options.gpus} logical GPUs, {replicas} Matting replicas of "
        f"{options.share:g} GPU; runs after {took_s:.0f} s; "
        f"{sum(memory.values()) / 1000:.1f} GB (PSS), "
        f"{sum(share.cores for share in shares.values()):.2f} cores when idle"
    )
    figures: dict[str, Any] = {
        "found": found,
        "plan": plan,
        "steps": steps,
        "start_s": took_s,
        "memory_mb": memory,
        "idle": {name: asdict(share) for name, share in shares.items()},
    }
    return Report(said, ("what", "found", "planned"), rows, figures, alike(found, plan) and spread)


def _exactly(replicas: int) -> dict[str, int]:
    return {"min_replicas": replicas, "max_replicas": replicas}


def _nodes(counts: Any) -> str:
    """Each different node once, with how many there are of it."""
    return ", ".join(f"{number} x {each}" for each, number in sorted(Counter(counts).items()))
