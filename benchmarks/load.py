"""What a running service does under load: photos a second, latencies, answers, CPU and memory.

python -m benchmarks.load [--url http://127.0.0.1:8000] [--clients 1,4,16,64,100] [--seconds 20]
    [--warm-up 5] [--quality best|fast] [--photos PATH ...] [--megapixels 1.5] [--rate 3]
    [--obey] [--pid PID]

A closed loop of so many clients, or with ``--rate`` an open loop, whose latencies count from the
scheduled moment. ``--pid`` is that of ``idphoto serve``; its tree's CPU and memory need it, and
Linux.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence

from benchmarks import photos
from benchmarks.client import Client, Target, Upload, upload
from benchmarks.figures import machine, table
from benchmarks.schedule import SCHEDULES
from benchmarks.window import HEADER, Load, measure

DOCUMENT, BACKGROUND = "cn-1-inch", "blue"


def target(url: str, quality: str) -> Target:
    """Our way to take a photo."""
    fields = {"document": DOCUMENT, "background": BACKGROUND, "quality": quality}
    return Target(f"{url.rstrip('/')}/v1/photos", "photo", fields)


async def accepted(
    at: Target, found: Mapping[str, bytes]
) -> tuple[dict[str, Upload], dict[str, str]]:
    """The photos that the server finishes, and what it said to the others; sends each once."""
    uploads = {name: upload(at, data) for name, data in found.items()}
    refused = {}
    async with Client(()) as client:
        for name, photo in list(uploads.items()):
            outcome, _ = await client.post(photo)
            if outcome != "200":
                refused[name] = outcome
                del uploads[name]
    return uploads, refused


def tell_refused(refused: Mapping[str, str]) -> None:
    """Prints which photos are left out and why."""
    if refused:
        reasons = ", ".join(f"{name} ({outcome})" for name, outcome in refused.items())
        print(f"Left out, as they get no photo: {reasons}")


async def sendable(options: argparse.Namespace, url: str) -> tuple[dict[str, bytes], list[Upload]]:
    """The photos of ``--photos`` or ``--megapixels`` that the service at ``url`` finishes, by name,
    and as they are sent; prints which are left out. Raises SystemExit where none is left.
    """
    found = photos.chosen(options)
    uploads, refused = await accepted(target(url, options.quality), found)
    tell_refused(refused)
    if not uploads:
        raise SystemExit("no photo to send is left")
    return {name: found[name] for name in uploads}, list(uploads.values())


def loads(options: argparse.Namespace) -> list[Load]:
    """The runs that the options ask for."""
    if options.rate:
        rest = {"rate": options.rate, "arrivals": options.arrivals}
        return [Load(options.seconds, options.warm_up, obey=options.obey, **rest)]
    return [
        Load(options.seconds, options.warm_up, clients, obey=options.obey)
        for clients in options.clients
    ]


def numbers(text: str) -> list[int]:
    """1,4,16 as numbers from 1 up. Raises ValueError."""
    found = [int(part) for part in text.split(",")]
    if min(found) < 1:
        raise ValueError("numbers from 1 up")
    return found


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--url", default="http://127.0.0.1:8000")
    made.add_argument("--clients", type=numbers, default=[1, 4, 16, 64, 100])
    made.add_argument("--rate", type=float, help="photos a second: an open loop")
    made.add_argument("--arrivals", choices=sorted(SCHEDULES), default="poisson")
    made.add_argument("--seconds", type=float, default=20)
    made.add_argument("--warm-up", type=float, default=5, help="seconds that do not count")
    made.add_argument("--quality", choices=("best", "fast"), default="best")
    made.add_argument("--obey", action="store_true", help="honour Retry-After of a 429")
    made.add_argument("--pid", type=int, help="first process of the server")
    photos.add_options(made)
    return made


async def run(options: argparse.Namespace) -> str:
    """Prints what is sent; the table of the runs."""
    taken, uploads = await sendable(options, options.url)
    said = photos.described(options, taken)
    print(f"{machine()}; {said}; quality {options.quality}, {DOCUMENT} on {BACKGROUND}")
    rows = []
    for load in loads(options):
        figures = await measure(uploads, load, options.pid)
        rows.append((load.name, *figures.row()))
    return table(("rate" if options.rate else "clients", *HEADER), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    print(asyncio.run(run(parser().parse_args(arguments))))


if __name__ == "__main__":
    main()
