"""Simulated clusters: raylets of one machine with logical CPUs and GPUs, all on 127.0.0.1.

Import it when the environment of Ray is set: ``environment`` says how.
"""

import os
import re
import signal
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import yaml
from ray.cluster_utils import Cluster
from ray.serve._private import api
from ray.serve.config import HTTPOptions
from ray.serve.context import _get_global_client
from ray.serve.schema import ServeDeploySchema

from benchmarks.processes import ProcFs, descendants
from benchmarks.service import ROOT, free_port
from benchmarks.simulated import Device, Simulation
from deployments.settings import Settings

APPLICATION = "idphoto"
_HOST = "127.0.0.1"
# The least that Ray takes.
_STORE_BYTES = 80 << 20
_START_S = 600
_LOCK = re.compile(r"([0-9a-f]{56})-gpu(\d+)$")


@dataclass(frozen=True, slots=True)
class Nodes:
    """So many nodes beside a head, which has no CPUs, as in ``deploy/kuberay``."""

    nodes: int
    gpus: int
    """Of each node, logical ones."""
    cpus: int = 4
    proxies: str = "HeadOnly"
    """Or EveryNode; they share one port."""


class Running:
    """A cluster with Ray Serve, to which this process is connected."""

    def __init__(self, nodes: Nodes, folder: Path) -> None:
        """``folder`` is for the replicas; Ray has its own, RAY_TMPDIR."""
        self._nodes = nodes
        self._folder = folder
        self._port = free_port()
        self.url = f"http://{_HOST}:{self._port}"
        self.cluster = Cluster()

    def start(self) -> None:
        """Starts head and nodes, and Serve without an application."""
        common: dict[str, Any] = {"node_ip_address": _HOST, "object_store_memory": _STORE_BYTES}
        self.cluster.add_node(num_cpus=0, include_dashboard=False, **common)
        for _ in range(self._nodes.nodes):
            self.add()
        ray.init(address=self.cluster.address, _node_ip_address=_HOST, log_to_driver=False)
        api.serve_start(
            http_options=HTTPOptions(host=_HOST, port=self._port),
            proxy_location=self._nodes.proxies,
        )

    def add_later(self) -> None:
        """A further node, from any thread: Ray sets signal handlers for it otherwise, which only
        the main one may. ``stop`` ends it like the others.
        """
        self.cluster._shutdown_at_exit = False
        self.add()

    def add(self) -> None:
        """A further node."""
        self.cluster.add_node(
            num_cpus=self._nodes.cpus,
            num_gpus=self._nodes.gpus,
            node_ip_address=_HOST,
            object_store_memory=_STORE_BYTES,
        )

    def stop(self) -> None:
        with suppress(Exception):  # of a cluster that was broken on purpose
            ray.shutdown()
        for node in (*self.cluster.worker_nodes, self.cluster.head_node):
            if node:
                node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)

    def deploy(self, settings: Settings, device: Device, **args: Any) -> None:
        """Deploys as ``serve deploy`` does, and returns at once."""
        locks = self._folder / "gpus"
        locks.mkdir(exist_ok=True)
        simulation = Simulation(settings=settings, device=device, folder=locks, **args)
        shipped = production()
        application = {
            **shipped,
            "name": APPLICATION,
            "import_path": "benchmarks.simulated:build",
            "args": simulation.model_dump(mode="json"),
        }
        config = ServeDeploySchema.model_validate({"applications": [application]})
        client: Any = _get_global_client()
        client.deploy_apps(config, _blocking=False)

    def wait(self) -> float:
        """Seconds until the application runs. Raises RuntimeError where it does not."""
        start_s = time.monotonic()
        while (took_s := time.monotonic() - start_s) < _START_S:
            details = self.details()
            if details.get("status") == "RUNNING":
                return took_s
            if details.get("status") == "DEPLOY_FAILED":
                break
            time.sleep(0.5)
        raise RuntimeError(f"the application does not run: {details.get('message')}")

    def details(self) -> dict[str, Any]:
        """What Serve tells of the application; empty before it is known."""
        client: Any = _get_global_client()
        found: dict[str, Any] = client.get_serve_details()["applications"].get(APPLICATION, {})
        return found

    def replicas(self, deployment: str) -> list[dict[str, Any]]:
        """The deployment's replicas that run: ``node_id``, ``pid`` and more."""
        told = self.details().get("deployments", {}).get(deployment, {})
        return [one for one in told.get("replicas", ()) if one["state"] == "RUNNING"]

    def matting(self) -> dict[str, list[int]]:
        """Matting replicas by node, and in it by GPU, as each finds it in CUDA_VISIBLE_DEVICES: the
        file that it locks while it computes tells.
        """
        counts: dict[str, list[int]] = defaultdict(lambda: [0] * self._nodes.gpus)
        for replica in self.replicas("Matting"):
            node, gpu = _gpu(replica["pid"])
            assert node == replica["node_id"]
            counts[node][gpu] += 1
        return counts

    def counted(self, name: str) -> float:
        """The sum of a counter of ours over the nodes that live; what nodes that went had counted
        is gone with them, and what is counted now is told within ten seconds.
        """
        total = 0.0
        for node in ray.nodes():
            if node["Alive"]:
                url = f"http://{_HOST}:{node['MetricsExportPort']}/metrics"
                with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
                    lines = answer.read().decode().splitlines()
                    found = [line for line in lines if line.startswith(f"ray_{name}_total{{")]
                    total += sum(float(line.rpartition(" ")[2]) for line in found)
        return total

    def kill(self, node: Any) -> None:
        """Kills every process of the node at once, the replicas before Ray sees that it is gone."""
        raylets = [info.process.pid for info in node.all_processes["raylet"]]
        for pid in descendants(ProcFs().processes(), set(raylets)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.cluster.remove_node(node, allow_graceful=False)

    def node_of(self, deployment: str) -> Any:
        """A node that runs a replica of the deployment. Raises StopIteration where none does."""
        ids = {replica["node_id"] for replica in self.replicas(deployment)}
        return next(node for node in self.cluster.worker_nodes if node.node_id in ids)

    def held_by(self, node: Any) -> dict[str, int]:
        """Replicas that run on the node, by deployment."""
        counts = {
            name: sum(one["node_id"] == node.node_id for one in self.replicas(name))
            for name in self.details().get("deployments", {})
        }
        return {name: count for name, count in counts.items() if count}


@contextmanager
def running(nodes: Nodes, folder: Path) -> Iterator[Running]:
    """The cluster, stopped at the end."""
    made = Running(nodes, folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def production() -> dict[str, Any]:
    """The application of ``deploy/serve_config.production.yaml``."""
    text = (ROOT / "deploy" / "serve_config.production.yaml").read_text("utf-8")
    (application,) = yaml.safe_load(text)["applications"]
    found: dict[str, Any] = application
    return found


def settings(changes: Mapping[str, Any]) -> Settings:
    """Those of production, without what needs other services (jobs) or nodes on demand, changed as
    given.
    """
    fixed = {"jobs": None, "cutouts": None, "gpu_nodes_on_demand": False}
    return Settings.model_validate({**production()["args"], **fixed, **changes})


def _gpu(pid: int) -> tuple[str, int]:
    """Node and GPU of a Matting replica. Raises LookupError."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        if found := _LOCK.search(os.readlink(link)):
            return found[1], int(found[2])
    raise LookupError(f"process {pid} holds no GPU")
