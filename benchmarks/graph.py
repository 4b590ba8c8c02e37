"""What Ray itself costs: the service's graph with steps that do nothing but pass arrays on.

python -m benchmarks.graph [--variants gateway,reference,value,chained] [--empty] [--clients 1,16]
    [--seconds 10] [--warm-up 3] [--megapixels 1.5]

"gateway" is the service's own Gateway and Matting; the others do without its HTTP interface, and
pass the portrait by reference or by value, or chain the responses. ``--empty`` passes arrays of one
pixel. Each runs in a Ray of its own, which is idle for a while first: that cost counts for every
photo, the more the fewer there are.
"""

import argparse
import asyncio
import tempfile
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, photos
from benchmarks.client import upload
from benchmarks.figures import cell, machine, table
from benchmarks.graph_app import Options, Variant
from benchmarks.service import free_port, running, serve
from benchmarks.window import Figures, Load, idle_cores, measure

VARIANTS: tuple[Variant, ...] = typing.get_args(Variant)
HEADER = (
    *("variant", "clients", "photos/s", "p50 ms", "p99 ms", "answers"),
    *("CPU-ms a photo", "idle cores", "peak PSS MB", "client cores", "other cores"),
)
_SETTLE_S = 5


@dataclass(frozen=True, slots=True)
class Result:
    """A variant's figures by number of clients."""

    idle_cores: float | None
    """CPU-seconds a second of its Ray before any photo."""
    by_clients: dict[int, Figures]


async def compare(options: argparse.Namespace, folder: Path) -> dict[str, Result]:
    """The results of the variants."""
    data = photos.enlarged(options.megapixels)
    results = {}
    for variant in options.variants:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        args = Options(variant=variant, empty=options.empty).model_dump()
        application = {"name": "graph", "import_path": "benchmarks.graph_app:build", "args": args}
        with running(serve(application, port, folder), f"{url}/readyz") as pid:
            await asyncio.sleep(_SETTLE_S)
            idle = await idle_cores(pid, _SETTLE_S)
            by_clients = {}
            for clients in options.clients:
                run = Load(options.seconds, options.warm_up, clients)
                by_clients[clients] = await measure(
                    [upload(load.target(url, "best"), data)], run, pid
                )
        results[variant] = Result(idle, by_clients)
    return results


def row(variant: str, clients: int, idle: float | None, figures: Figures) -> tuple[str, ...]:
    """The cells below HEADER."""
    rate, p50_ms, _, p99_ms, answers, _, pss_mb, own, others = figures.row()
    cpu_ms = "-" if figures.cpu_s_per_photo is None else cell(1000 * figures.cpu_s_per_photo, 1)
    return (
        *(variant, str(clients), rate, p50_ms, p99_ms, answers),
        *(cpu_ms, cell(idle), pss_mb, own, others),
    )


def names(text: str) -> list[str]:
    """Some of VARIANTS, in that order. Raises ValueError."""
    wanted = text.split(",")
    if unknown := set(wanted) - set(VARIANTS):
        raise ValueError(f"unknown: {unknown}")
    return [name for name in VARIANTS if name in wanted]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.graph",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--variants", type=names, default=list(VARIANTS))
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--clients", type=load.numbers, default=[1, 16])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=float, default=3)
    parser.add_argument("--megapixels", type=float, default=1.5, help="of the photo that is sent")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        results = asyncio.run(compare(options, Path(folder)))
    arrays = "arrays of one pixel" if options.empty else "arrays of the true sizes"
    print(f"{machine()}; no-op steps, {arrays}")
    rows = [
        row(variant, clients, result.idle_cores, figures)
        for variant, result in results.items()
        for clients, figures in result.by_clients.items()
    ]
    print(table(HEADER, rows))


if __name__ == "__main__":
    main()
