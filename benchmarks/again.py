"""Other colours and documents of a kept cut-out, without the photo: latency and CPU time.

python -m benchmarks.again [--clients 1] [--seconds 10] [--warm-up 4] [--megapixels 3]

The service is started for it, on a free port and a Ray of its own, and stopped again.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from benchmarks import client, photos
from benchmarks.client import Target, Upload
from benchmarks.figures import machine, table
from benchmarks.service import free_port, ours, running
from benchmarks.window import HEADER, Figures, Load, measure

_COLOURS = ("white", "blue", "red")
_ONE = "cn-1-inch"
ORDERS: Mapping[str, Sequence[Mapping[str, str]]] = {
    "another colour": [{"document": _ONE, "background": colour} for colour in _COLOURS],
    "another crop": [{"document": _ONE, "shift_x": str(percent)} for percent in range(-5, 6)],
    "another document": [{"document": id} for id in ("cn-2-inch", "fr-passport", "us-passport")],
}
"""What is asked with the token, in turn."""


async def token(url: str, data: bytes) -> str:
    """That of the photo's person, who is kept from now on."""
    photo = client.upload(Target(url, "photo", {"document": _ONE, "reuse": "true"}), data)
    headers = {"Content-Type": photo.content_type}
    async with (
        client.session() as session,
        session.post(url, data=photo.body, headers=headers) as a,
    ):
        a.raise_for_status()
        return a.headers["X-Cutout"]


def asked(url: str, token: str, orders: Sequence[Mapping[str, str]]) -> list[Upload]:
    """The requests with the token instead of the photo."""
    content_type = "application/x-www-form-urlencoded"
    return [
        Upload(url, content_type, urlencode({**order, "cutout": token}).encode())
        for order in orders
    ]


async def served(data: bytes, options: argparse.Namespace, folder: Path) -> dict[str, Figures]:
    """The figures by what was asked."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1/photos"
    run = Load(options.seconds, options.warm_up, options.clients)
    with running(ours(port, folder), f"http://127.0.0.1:{port}/readyz") as pid:
        given = await token(url, data)
        return {
            name: await measure(asked(url, given, orders), run, pid)
            for name, orders in ORDERS.items()
        }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.again", description=__doc__)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warm-up", type=float, default=4)
    parser.add_argument("--megapixels", type=float, default=3)
    options = parser.parse_args(arguments)
    data = photos.enlarged(options.megapixels)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(served(data, options, Path(folder)))
    print(f"{machine()}; {options.clients} client(s), {options.seconds:g} s each")
    rows = [(name, *figures.row()) for name, figures in found.items()]
    print(table(("asked", *HEADER), rows))


if __name__ == "__main__":
    main()
