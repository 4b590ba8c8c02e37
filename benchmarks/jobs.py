"""One large job to its end, with the whole service killed on the way: is every photo there once?

python -m benchmarks.jobs [--count 5000] [--kills 3] [--database postgresql://user@host/name]
    [--quality best|fast] [--photos PATH ...] [--seconds 20]

Starts the service as it is shipped, but with two Gateways, on a Ray of its own; sends the photos,
repeated under names of their own, as one zip; ends every process of the service with SIGKILL when a
quarter, a half and so on of the photos are done, and starts it again; then holds the events, the
counts, the zip and its report against what was sent. What 16 clients get over HTTP is measured
before the job and after it. Ends with 1 where something does not fit. Needs Linux, and room for
twice the photos.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from benchmarks import load, photos
from benchmarks.figures import cell, machine, table
from benchmarks.processes import Meter, Tree
from benchmarks.production import production
from benchmarks.service import free_port, running
from benchmarks.window import Figures, Load, measure

HEADER = ("part", "photos", "seconds", "photos/s", "CPU-s a photo", "peak PSS MB")
_CHUNK_BYTES = 1 << 20
_CLIENTS, _WARM_UP_S = 16, 8


@dataclass
class Heard:
    """What the events of the job told, over all connections."""

    cursor: int = 0
    finished: Counter[str] = field(default_factory=Counter)
    """How often each file was told to be finished."""
    disorders: int = 0
    """Messages whose cursor lay before that of an earlier one."""
    ended: bool = False


@dataclass(frozen=True)
class Part:
    """The job from a start of the service to its end or its death."""

    photos: int
    seconds: float
    cpu_s: float
    pss_bytes: int


def names(found: Sequence[str], count: int) -> list[str]:
    """``count`` names in folders, each with the ending of the photo that is sent under it."""
    return [
        f"class {number // 50:03}/{number:05}{Path(found[number % len(found)]).suffix}"
        for number in range(count)
    ]


def pack(found: Mapping[str, bytes], count: int, path: Path) -> list[str]:
    """Writes the zip; the names in it."""
    sources = list(found)
    made = names(sources, count)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, name in enumerate(made):
            archive.writestr(name, found[sources[number % len(sources)]])
    return made


def send(url: str, archive: Path, quality: str) -> str:
    """Posts the job; its address."""

    def chunks() -> Iterator[bytes]:
        with archive.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    order = {"document": load.DOCUMENT, "background": load.BACKGROUND, "quality": quality}
    headers = {"Content-Type": "application/zip", "Idempotency-Key": archive.name}
    answer = httpx.post(
        f"{url}/v1/jobs", params=order, content=chunks(), headers=headers, timeout=600
    )
    answer.raise_for_status()
    return f"{url}/v1/jobs/{answer.json()['id']}"


def listen(job: str, heard: Heard, until: int) -> None:
    """Follows the events until so many photos are finished, or the job is."""
    with httpx.stream("GET", f"{job}/events", params={"cursor": heard.cursor}, timeout=60) as told:
        told.raise_for_status()
        for line in told.iter_lines():
            if line.startswith("data:"):
                _note(json.loads(line.removeprefix("data:")), heard)
                if heard.ended or heard.finished.total() >= until:
                    return


def _note(message: Mapping[str, Any], heard: Heard) -> None:
    heard.disorders += message["cursor"] < heard.cursor
    heard.cursor = message["cursor"]
    heard.finished.update(item["file"] for item in message.get("items") or ())
    heard.ended |= message["type"] == "end"


def kill(pid: int) -> None:
    """Ends the service and all that it started at once, as a power cut does."""
    for member in Tree(pid).members():
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def faults(job: str, sent: Sequence[str], heard: Heard, folder: Path) -> list[str]:
    """What does not fit, in words; empty where every photo is there exactly once."""
    found = []
    if heard.disorders:
        found.append(f"{heard.disorders} events came out of order")
    if set(heard.finished) != set(sent):
        found.append(f"events told {len(heard.finished)} of {len(sent)} photos")
    if twice := sum(1 for times in heard.finished.values() if times > 1):
        found.append(f"events told {twice} photos twice")
    counts = httpx.get(job, timeout=60).json()["counts"]
    if counts["done"] != len(sent):
        found.append(f"counts are {counts}")
    archive = folder / "result.zip"
    with httpx.stream("GET", f"{job}/result.zip", timeout=600) as answer, archive.open("wb") as out:
        for chunk in answer.iter_bytes():
            out.write(chunk)
    return found + _in_zip(archive, sent) + _in_storage(folder, len(sent))


def _in_zip(path: Path, sent: Sequence[str]) -> list[str]:
    found = []
    with zipfile.ZipFile(path) as archive:
        pictures = [name for name in archive.namelist() if name != "report.csv"]
        stems = Counter(name.rpartition(".")[0] for name in pictures)
        if stems != Counter(name.rpartition(".")[0] for name in sent):
            found.append(f"the zip holds {len(pictures)} pictures of {len(stems)} names")
        sizes = Counter()
        for name in pictures:
            with Image.open(io.BytesIO(archive.read(name))) as image:
                image.load()
                sizes[image.size] += 1
        if len(sizes) != 1:
            found.append(f"pictures have sizes {dict(sizes)}")
        report = archive.read("report.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(report)))
    if len(rows) != len(sent):
        found.append(f"the report has {len(rows)} rows")
    return found


def _in_storage(folder: Path, count: int) -> list[str]:
    files = Counter(path.name for path in (folder / "jobs" / "files").glob("*/*/*"))
    found = []
    if files["upload"]:
        found.append(f"{files['upload']} uploads of finished photos are kept")
    if (results := files.total() - files["upload"]) != count:
        found.append(f"{results} results are kept for {count} photos")
    return found


def run(options: argparse.Namespace, folder: Path) -> tuple[str, list[str]]:
    """The report in Markdown, and what does not fit. Raises RuntimeError where it does not start.

    The photos must all be such as can be finished.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    jobs = {"folder": str(folder / "jobs"), "database_url": options.database, "sweep_s": 5}
    command = production(port, folder, jobs=jobs)
    by_clients = Load(options.seconds, _WARM_UP_S, _CLIENTS)
    heard, parts, job = Heard(), [], ""
    over_http: list[Figures] = []
    goals = [options.count * n // (options.kills + 1) for n in range(1, options.kills + 1)]
    for goal in [*goals, options.count + 1]:
        with running(command, f"{url}/readyz") as pid, Meter(pid) as meter:
            if not job:
                found, uploads = asyncio.run(load.sendable(options, url))
                over_http.append(asyncio.run(measure(uploads, by_clients, pid)))
                archive = folder / "photos.zip"
                sent = pack(found, options.count, archive)
                start_s = time.monotonic()
                job = send(url, archive, options.quality)
                sending_s = time.monotonic() - start_s
            before, at_first = heard.finished.total(), meter.read()
            listen(job, heard, goal)
            at_last = meter.read()
            parts.append(
                Part(
                    heard.finished.total() - before,
                    at_last.at_s - at_first.at_s,
                    at_last.server_cpu_s - at_first.server_cpu_s,
                    at_last.peak_pss_bytes,
                )
            )
            if heard.ended:
                # Meanwhile the sweeper erases what is to be erased.
                over_http.append(asyncio.run(measure(uploads, by_clients, pid)))
                wrong = faults(job, sent, heard, folder)
            else:
                kill(pid)
    first, last = over_http
    rows = [
        _by_clients("before", first),
        *(_row(f"part {number}", part) for number, part in enumerate(parts, 1)),
        _by_clients("after", last),
    ]
    database = "PostgreSQL" if options.database else "SQLite"
    said = (
        f"{options.count} photos, quality {options.quality}, {database}; sent in {sending_s:.0f} s"
    )
    return f"{machine()}; {said}\n\n{table(HEADER, rows)}", wrong


def _by_clients(when: str, got: Figures) -> tuple[str, ...]:
    return (
        *(f"{_CLIENTS} clients over HTTP, {when}", "", "", cell(got.photos_per_s)),
        *(cell(got.cpu_s_per_photo, 3), cell(got.peak_pss_mb, 0)),
    )


def _row(name: str, part: Part) -> tuple[str, ...]:
    per_photo = part.cpu_s / part.photos if part.photos else None
    return (
        *(name, str(part.photos), cell(part.seconds, 0), cell(part.photos / part.seconds)),
        *(cell(per_photo, 3), cell(part.pss_bytes / 1e6, 0)),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jobs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database; default: SQLite")
    parser.add_argument("--seconds", type=float, default=20, help="of the clients over HTTP")
    parser.add_argument("--quality", choices=("best", "fast"), default="fast")
    photos.add_options(parser)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="idphoto-jobs-") as folder:
        report, wrong = run(options, Path(folder))
    print(report)
    print("\nEvery photo is there once." if not wrong else "\nWrong: " + "; ".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
