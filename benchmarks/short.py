"""The short set, below ten minutes: stages, bare processes, the service, and Ray alone.

python -m benchmarks.short [--seconds 10] [--warm-up 4] [--megapixels 1.5]

The service is started for it, on a free port and a Ray of its own, and stopped again.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from benchmarks import graph, load, photos
from benchmarks.client import upload
from benchmarks.figures import cell, machine, ratio, table
from benchmarks.floor import Floor, measure_floor
from benchmarks.graph_app import Variant
from benchmarks.service import ROOT, free_port, ours, running
from benchmarks.window import HEADER, Figures, Load, measure
from pipeline.values import Quality

QUALITIES: tuple[Quality, ...] = get_args(Quality)
CLIENTS = (1, 16)
_VARIANT: Variant = "gateway"


def floors(data: bytes, seconds: float) -> dict[str, Floor]:
    """What one bare process for each core does, by quality."""
    cores = os.cpu_count() or 1
    return {quality: measure_floor([data], quality, seconds, cores) for quality in QUALITIES}


async def served(
    data: bytes, options: argparse.Namespace, folder: Path
) -> dict[tuple[str, int], Figures]:
    """The service's figures by quality and number of clients."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    found: dict[tuple[str, int], Figures] = {}
    with running(ours(port, folder), f"{url}/readyz") as pid:
        for quality in QUALITIES:
            uploads = [upload(load.target(url, quality), data)]
            for clients in CLIENTS:
                run = Load(options.seconds, options.warm_up, clients)
                found[quality, clients] = await measure(uploads, run, pid)
    return found


def rows(
    bare: Mapping[str, Floor],
    service: Mapping[tuple[str, int], Figures],
    empty: Mapping[int, Figures],
) -> list[tuple[str, ...]]:
    """The cells of all runs; those of the service are held against the bare processes."""
    found: list[tuple[str, ...]] = []
    for quality, floor in bare.items():
        known = {
            "photos/s": cell(floor.photos_per_s),
            "CPU-s a photo": cell(floor.cpu_s_per_photo, 4),
            "other cores": cell(floor.other_cores),
        }
        cells = (known.get(name, "-") for name in HEADER)
        found.append((f"bare processes, {quality}", "-", "1.00", "1.00", *cells))
    for (quality, clients), figures in service.items():
        share = ratio(figures.photos_per_s, bare[quality].photos_per_s)
        times = ratio(figures.cpu_s_per_photo, bare[quality].cpu_s_per_photo)
        label = f"service, {quality}"
        found.append((label, str(clients), cell(share), cell(times), *figures.row()))
    for clients, figures in empty.items():
        found.append(("service, steps do nothing", str(clients), "-", "-", *figures.row()))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.short",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=float, default=4)
    parser.add_argument("--megapixels", type=float, default=1.5)
    options = parser.parse_args(arguments)

    subprocess.run([sys.executable, "-m", "benchmarks.stages"], cwd=ROOT, check=True)
    data = photos.enlarged(options.megapixels)
    bare = floors(data, options.seconds)
    with tempfile.TemporaryDirectory() as folder:
        service = asyncio.run(served(data, options, Path(folder)))
        options.variants, options.clients, options.empty = [_VARIANT], list(CLIENTS), False
        empty = asyncio.run(graph.compare(options, Path(folder)))[_VARIANT]
    print(f"\n{machine()}; {options.megapixels:g} MP; x bare: held against bare processes")
    print(f"Ray without any photo: {cell(empty.idle_cores)} cores")
    header = ("run", "clients", "photos/s, x bare", "CPU, x bare", *HEADER)
    print(table(header, rows(bare, service, empty.by_clients)))


if __name__ == "__main__":
    main()
