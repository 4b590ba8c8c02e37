"""Other servers of the same net beside ours: same weights, client and photos, one after the other.

python -m benchmarks.peers [--folder FOLDER] [--servers ours,litserve,rembg] [--clients 1,16]
    [--seconds 20] [--warm-up 5] [--photos PATH ...] [--megapixels 1.5]

Makes a virtual environment for each, which needs a package index; those in ``--folder`` are used
again. The jobs differ: ours finds the face, keeps the document's rule and asks two nets; LitServe
runs benchmarks/litserve_server.py; rembg cuts out the picture in its full size, as PNG.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnxruntime

from benchmarks import load, photos
from benchmarks.client import Target, upload
from benchmarks.figures import cell, machine, ratio, table
from benchmarks.service import ROOT, Command, free_port, ours, running
from benchmarks.window import HEADER, Figures, Load, measure
from models.weights import fetch

_RUNTIME = f"onnxruntime=={onnxruntime.__version__}"
_OURS = ("--constraint", str(ROOT / "constraints.txt"))
_SERVER = ("opencv-python-headless", "numpy", "python-multipart")
PACKAGES = {
    "litserve": (*_OURS, "litserve==0.2.19", _RUNTIME, *_SERVER),
    "rembg": ("rembg[cpu,cli]==2.0.86", _RUNTIME),
}
SERVERS = ("ours", *PACKAGES)


def environment(name: str, folder: Path) -> Path:
    """The bin folder of a virtual environment with the peer's packages, made unless it is there.

    Raises CalledProcessError where a package is not to be had.
    """
    place = folder / name
    binaries = place / "bin"
    done = place / "ready"
    if not done.exists():
        print(f"==> making {place}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [str(binaries / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", *PACKAGES[name]], check=True)
        done.touch()
    return binaries


def litserve(folder: Path, port: int) -> Command:
    """One worker of one thread for each core, which gave most photos a second (see README.md)."""
    (net,) = fetch("u2netp").values()
    python = environment("litserve", folder) / "python"
    server = ROOT / "benchmarks" / "litserve_server.py"
    words = (python, server, net, port, os.cpu_count() or 1)
    return Command([str(word) for word in words], folder / "litserve.log")


def rembg(folder: Path, port: int) -> Command:
    """As it comes, but for its page, on our file of the net."""
    binaries = environment("rembg", folder)
    home = folder / "nets"
    home.mkdir(exist_ok=True)
    (net,) = fetch("u2netp").values()
    link = home / "u2netp.onnx"
    link.unlink(missing_ok=True)
    link.symlink_to(net)
    words = [str(binaries / "rembg"), "s", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    # It would open its address in a browser.
    surroundings = {"U2NET_HOME": str(home), "BROWSER": "true"}
    return Command(words, folder / "rembg.log", surroundings)


@contextmanager
def started(name: str, folder: Path) -> Iterator[tuple[dict[str, Target], int]]:
    """The server's ways to take a photo, by the name of the row, and its first process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    if name == "ours":
        made, ready = ours(port, folder), "/readyz"
        ways = {f"ours, {quality}": load.target(url, quality) for quality in ("best", "fast")}
    elif name == "litserve":
        made, ready = litserve(folder, port), "/health"
        ways = {"LitServe": Target(f"{url}/predict", "photo", {})}
    else:
        made, ready = rembg(folder, port), "/api"
        ways = {"rembg": Target(f"{url}/api/remove", "file", {"model": "u2netp"})}
    with running(made, url + ready) as pid:
        yield ways, pid


async def accepted(folder: Path, found: Mapping[str, bytes]) -> dict[str, bytes]:
    """The photos that our service, the only one that refuses any, finishes."""
    with started("ours", folder) as (ways, _):
        kept, refused = await load.accepted(ways["ours, best"], found)
    load.tell_refused(refused)
    return {name: found[name] for name in kept}


async def compare(options: argparse.Namespace, folder: Path) -> str:
    """The table of all servers; prints what is sent."""
    found = photos.chosen(options)
    print(f"{machine()}; u2netp")
    if "ours" in options.servers:
        found = await accepted(folder, found)
    print(photos.described(options, found))
    measured: dict[tuple[str, int], Figures] = {}
    for server in options.servers:
        with started(server, folder) as (ways, pid):
            for way, target in ways.items():
                uploads = [upload(target, data) for data in found.values()]
                for clients in options.clients:
                    run = Load(options.seconds, options.warm_up, clients)
                    measured[way, clients] = await measure(uploads, run, pid)
    return compared(measured)


def compared(measured: Mapping[tuple[str, int], Figures]) -> str:
    """A table of the servers at each number of clients, each held against the first of them."""
    rows = []
    for clients in dict.fromkeys(clients for _, clients in measured):
        group = {way: figures for (way, n), figures in measured.items() if n == clients}
        first = next(iter(group.values()))
        for way, figures in group.items():
            rate = ratio(figures.photos_per_s, first.photos_per_s)
            cpu = ratio(figures.cpu_s_per_photo, first.cpu_s_per_photo)
            rows.append((way, str(clients), cell(rate), cell(cpu), *figures.row()))
    return table(("server", "clients", "photos/s, x first", "CPU, x first", *HEADER), rows)


def names(text: str) -> list[str]:
    """Some of SERVERS, in that order. Raises ValueError."""
    wanted = text.split(",")
    if unknown := set(wanted) - set(SERVERS):
        raise ValueError(f"unknown: {unknown}")
    return [name for name in SERVERS if name in wanted]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, help="of the environments; default: a temporary one")
    parser.add_argument("--servers", type=names, default=list(SERVERS))
    parser.add_argument("--clients", type=load.numbers, default=[1, 16])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm-up", type=float, default=5)
    photos.add_options(parser)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(asyncio.run(compare(options, folder.resolve())))


if __name__ == "__main__":
    main()
