"""Scenarios ``kill`` and ``update``: a node that goes, or the service deployed anew, under load.

``kill`` ends every process of a node at once, raylet and replicas, as a machine does that loses its
power. Its connections break at once here; where a machine vanishes from a network they hang, which
``--how stop`` shows: its processes are stopped in place of killed, and go after ``--gone`` seconds.
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import cluster_options
from benchmarks.cluster import Report
from benchmarks.cluster_load import Clients, span, steady_s
from benchmarks.cluster_nodes import Nodes, Running, running, settings
from benchmarks.cluster_plan import Shape, busy_photos
from benchmarks.cluster_scale import exactly
from benchmarks.figures import cell
from benchmarks.processes import ProcFs, descendants
from benchmarks.recovery import Sent, account
from benchmarks.simulated import Device, device

HEADER = (
    *("broken", "sent", "answers", "steps asked again", "lost", "not allowed", "photos/s before"),
    *("in the worst 5 s", "steady after s", "p95 ms before", "p95 ms after the fault"),
)
# Rates are taken over so long; one of at least this share of what it comes to is steady.
_WINDOW_S = 5.0
_SHARE = 0.8
_UPDATE_S = 300
# So many clients for each photo that keeps the GPUs busy, as routers do not balance perfectly.
_CROWDED = 1.5


def parser(name: str) -> argparse.ArgumentParser:
    made = cluster_options.parser(name, __doc__)
    made.add_argument("--nodes", type=int, default=4)
    cluster_options.add_gpus(made, share=0.5, stretch=100)
    made.add_argument("--clients", type=int, help="as many as keep the GPUs busy, if not given")
    made.add_argument("--deadline", type=float, default=30, help="seconds")
    made.add_argument("--proxies", choices=("HeadOnly", "EveryNode"), default="HeadOnly")
    made.add_argument("--calm", type=float, default=20, help="seconds before")
    made.add_argument("--seconds", type=float, default=90, help="from the fault on")
    if name == "kill":
        made.add_argument("--how", choices=("kill", "stop"), default="kill")
        made.add_argument("--of", default="Matting", help="a node that runs this deployment")
        made.add_argument("--gone", type=float, default=20, help="seconds that it is stopped")
        made.add_argument("--replaced", type=float, default=20, help="seconds until a new node")
        made.set_defaults(fault=_kill)
    elif name == "update":
        made.set_defaults(fault=_update)
    return made


async def run(options: argparse.Namespace, folder: Path) -> Report:
    fake = device(options.device, options.stretch)
    nodes = Nodes(options.nodes, options.gpus, proxies=options.proxies)
    with running(nodes, folder) as cluster:
        return await broken(cluster, options, fake, options.fault)


def broken_settings(options: argparse.Namespace, **changes: Any) -> dict[str, Any]:
    """Settings with replicas on every GPU and two of all else."""
    shape = Shape(options.nodes, options.gpus, options.share)
    two = dict.fromkeys(("cropping", "compositing", "gateway"), exactly(2))
    return {
        "gpus_per_replica": shape.share,
        "batch": {"max_size": options.batch},
        "deadline_s": options.deadline,
        "matting": exactly(shape.replicas),
        **two,
        **changes,
    }


Break = Callable[[Running, argparse.Namespace, Device], Awaitable[str]]


async def broken(
    cluster: Running, options: argparse.Namespace, fake: Device, fault: Break
) -> Report:
    """What became of photos while ``fault`` did what it does, and tells by its name."""
    shape = Shape(options.nodes, options.gpus, options.share)
    clients = options.clients or round(_CROWDED * busy_photos(shape, options.batch))
    await asyncio.to_thread(cluster.deploy, settings(broken_settings(options)), fake)
    await asyncio.to_thread(cluster.wait)
    async with Clients(cluster.url) as load:
        load.want(clients)
        await asyncio.sleep(options.calm / 2)
        calm_s = time.monotonic()
        await asyncio.sleep(options.calm)
        fault_s = time.monotonic()
        name = await fault(cluster, options, fake)
        took_s = time.monotonic() - fault_s
        await asyncio.sleep(max(0.0, options.seconds - took_s))
        end_s = time.monotonic()
        again = await asyncio.to_thread(cluster.counted, "idphoto_retried_steps")
    said = (
        f"{options.nodes} nodes of {options.gpus} GPU, {options.share:g} a replica; "
        f"{options.device} stretched {options.stretch:g} times, batches of {options.batch}; "
        f"{clients} clients, deadline {options.deadline:g} s, proxies {options.proxies}; the "
        f"fault took {took_s:.0f} s, watched for {end_s - fault_s:.0f} s"
    )
    return report(said, name, load.requests, again, (calm_s, fault_s, end_s))


def report(
    said: str,
    name: str,
    requests: Sequence[Sent],
    again: float,
    moments: tuple[float, float, float],
) -> Report:
    """The sums of a run; ``moments`` are its beginning, that of the fault, and its end."""
    calm_s, fault_s, end_s = moments
    sums = account(requests)
    before, after = span(requests, calm_s, fault_s), span(requests, fault_s, end_s)
    starts = range(0, max(1, int(end_s - fault_s - _WINDOW_S)), int(_WINDOW_S))
    rates = [
        (float(start), span(requests, fault_s + start, fault_s + start + _WINDOW_S).photos_per_s)
        for start in starts
    ]
    back_s = steady_s(rates, _SHARE)
    outcomes = {outcome: count for (_, outcome), count in sorted(sums.outcomes.items())}
    forbidden = sum(sums.forbidden.values())
    cells = (
        *(name, str(len(requests))),
        ", ".join(f"{outcome}: {count}" for outcome, count in outcomes.items()),
        *(cell(again, 0), str(sums.lost), str(forbidden), cell(before.photos_per_s)),
        *(cell(min(rate for _, rate in rates)), cell(back_s, 0)),
        *(cell(before.p95_ms, 0), cell(after.p95_ms, 0)),
    )
    figures = {
        "fault": name,
        "outcomes": outcomes,
        "forbidden": {" ".join(key): count for key, count in sums.forbidden.items()},
        "lost": sums.lost,
        "asked_again": again,
        "steady_s": back_s,
        "rates": rates,
        "before": asdict(before),
        "after": asdict(after),
    }
    return Report(said, HEADER, [cells], figures, not (sums.lost or forbidden))


async def _kill(cluster: Running, options: argparse.Namespace, fake: Device) -> str:
    node = await asyncio.to_thread(cluster.node_of, options.of)
    held = await asyncio.to_thread(cluster.held_by, node)
    if options.how == "stop":
        await _stop(node, options.gone)
    await asyncio.to_thread(cluster.kill, node)
    await asyncio.sleep(options.replaced)
    await asyncio.to_thread(cluster.add_later)
    told = ", ".join(f"{count} {name}" for name, count in sorted(held.items()))
    return f"a node with {told}: {options.how}"


async def _stop(node: Any, seconds: float) -> None:
    raylets = {info.process.pid for info in node.all_processes["raylet"]}
    for pid in descendants(ProcFs().processes(), raylets):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)


async def _update(cluster: Running, options: argparse.Namespace, fake: Device) -> str:
    """Every replica is replaced, as each is given the settings."""
    old = await asyncio.to_thread(_replicas, cluster)
    changed = broken_settings(options, deadline_s=options.deadline + 1)
    start_s = time.monotonic()
    await asyncio.to_thread(cluster.deploy, settings(changed), fake)
    while old & await asyncio.to_thread(_replicas, cluster):
        if time.monotonic() > start_s + _UPDATE_S:
            raise RuntimeError("replicas of before are still there")
        await asyncio.sleep(1)
    await asyncio.to_thread(cluster.wait)
    return f"redeployed: {len(old)} replicas replaced in {time.monotonic() - start_s:.0f} s"


def _replicas(cluster: Running) -> set[str]:
    """Whatever state they are in."""
    deployments = cluster.details().get("deployments", {}).values()
    return {one["replica_id"] for told in deployments for one in told["replicas"]}
