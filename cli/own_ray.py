"""Serves a configuration on a Ray of its own, in the environment of ``cli.serve``.

python -m cli.own_ray [--dashboard] CONFIG

As ``serve run --address local CONFIG`` does, but for two things that it cannot do. It leaves out
Ray's dashboard, nine processes that take 230 MB and a hundredth of a core, for nobody where one
person makes photos. And it gives the Gateways ports that no other service on this machine has: Ray
counts from 30000 in each, and shares a port that is taken, so that each would get the other's
photos.
"""

import argparse
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.serve import scripts

_PORTS = range(30000, 31000, 50)
"""First ports of blocks; the last one of a block is held by whose the others are."""


@contextmanager
def ports() -> Iterator[range]:
    """Ports of this machine, for as long as the context lasts: whoever asks as well gets others.

    Raises OSError where all are taken.
    """
    for first in _PORTS:
        last = first + _PORTS.step - 1
        with socket.socket() as holder:
            try:
                holder.bind(("127.0.0.1", last))
            except OSError:
                continue
            yield range(first, last)
            return
    raise OSError(f"all ports from {_PORTS.start} to {_PORTS.stop} are taken")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cli.own_ray")
    parser.add_argument("config", type=Path)
    parser.add_argument("--dashboard", action="store_true")
    options = parser.parse_args()
    with ports() as free:
        # Ray's processes read it where they start.
        os.environ["RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT"] = str(free.start)
        os.environ["RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"] = str(free.stop)
        # "local": whatever other cluster runs here.
        ray.init(address="local", namespace="serve", include_dashboard=options.dashboard)
        # Finds Ray running, and starts none.
        scripts.cli(["run", str(options.config)])


if __name__ == "__main__":
    main()
