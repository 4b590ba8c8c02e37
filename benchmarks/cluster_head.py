"""Scenario ``head``: the head's control store and Serve's controller die under load, and come back.

Ray's control store (GCS) keeps its tables in a Redis of its own here, as ``deploy/kuberay`` has it.
It is killed together with the controller; after ``--gone`` seconds it is started again, on what
Redis kept. The head's raylet and proxy stay, as this process is connected to them.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.census import title
from benchmarks.cluster import Report
from benchmarks.cluster_faults import broken
from benchmarks.cluster_faults import parser as faults_parser
from benchmarks.cluster_nodes import Nodes, Running, running
from benchmarks.processes import Tree
from benchmarks.service import free_port
from benchmarks.simulated import Device, device

_CONTROLLER = "ServeController"
_PATIENCE_S = 120


def parser(name: str) -> argparse.ArgumentParser:
    made = faults_parser(name)
    made.description = __doc__
    made.add_argument("--gone", type=float, default=20, help="seconds without a control store")
    return made


async def run(options: argparse.Namespace, folder: Path) -> Report:
    fake = device(options.device, options.stretch)
    nodes = Nodes(options.nodes, options.gpus, proxies=options.proxies)
    with redis(folder) as address:
        os.environ["RAY_REDIS_ADDRESS"] = address
        with running(nodes, folder) as cluster:
            return await broken(cluster, options, fake, _restart)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The address of a Redis of our own, on 127.0.0.1. Raises SystemExit without redis-server."""
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is not installed")
    port = free_port()
    words = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    process = subprocess.Popen(
        [*words, "--save", "", "--appendonly", "no", "--loglevel", "warning"]
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def _restart(cluster: Running, options: argparse.Namespace, fake: Device) -> str:
    head: Any = cluster.cluster.head_node
    address = head.gcs_address
    (old,) = _controllers()
    await asyncio.to_thread(head.kill_gcs_server)
    os.kill(old, signal.SIGKILL)
    await asyncio.sleep(options.gone)
    await asyncio.to_thread(head.start_gcs_server)
    assert head.gcs_address == address
    start_s = time.monotonic()
    while not (_controllers() - {old}) and time.monotonic() < start_s + _PATIENCE_S:
        await asyncio.sleep(0.5)
    if not _controllers() - {old}:
        raise RuntimeError("there is no controller again")
    back_s = time.monotonic() - start_s
    return f"GCS and controller; a new controller {back_s:.0f} s after GCS was back"


def _controllers() -> set[int]:
    return {pid for pid in Tree(os.getpid()).members() if title(pid) == _CONTROLLER}
