"""Serves a configuration on a Ray of its own, in the environment of ``cli.serve``.

python -m cli.own_ray [--dashboard] CONFIG

As ``serve run --address local CONFIG`` does, which cannot leave out Ray's dashboard: nine processes
that take 230 MB and a hundredth of a core, for nobody where one person makes photos.
"""

import argparse
from pathlib import Path

import ray
from ray.serve import scripts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cli.own_ray")
    parser.add_argument("config", type=Path)
    parser.add_argument("--dashboard", action="store_true")
    options = parser.parse_args()
    # "local": whatever other cluster runs here.
    ray.init(address="local", namespace="serve", include_dashboard=options.dashboard)
    # Finds Ray running, and starts none.
    scripts.cli(["run", str(options.config)])


if __name__ == "__main__":
    main()
