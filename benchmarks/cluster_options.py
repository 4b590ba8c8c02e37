"""What the command lines of the scenarios of ``benchmarks.cluster`` share."""

import argparse


def parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """Without options, for the scenario of that name; ``about`` is shown as it is written."""
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.cluster {name}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_gpus(made: argparse.ArgumentParser, share: float, stretch: float) -> None:
    """Options of the GPUs and of what they compute, with these defaults."""
    made.add_argument("--gpus", type=int, default=1, help="of each node")
    made.add_argument("--share", type=float, default=share, help="of a GPU for a replica")
    made.add_argument("--batch", type=int, default=2)
    made.add_argument("--device", default="t4", help="an id of deploy/gpus.py")
    made.add_argument("--stretch", type=float, default=stretch, help="of the device's clock")
