"""``idphoto batch``: ID photos of all photos in a folder or bucket.

Run again after it was stopped, it goes on where it was.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from cli import wish
from cli.exits import Exit, Failure
from cli.local import wanted_nets
from cli.serve import RAY
from models import nets
from models.session import Device, KnownDevice
from models.weights import DEFAULT_NETS, WeightsUnavailable, fetch
from pipeline.values import Quality

if TYPE_CHECKING:
    from cli.batch.run import Summary


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a folder, or s3://bucket/path")
    parser.add_argument("target", metavar="TARGET", help="a folder, or s3://bucket/path")
    wish.add_options(parser)
    parser.add_argument("--overwrite", action="store_true", help="make anew what is there already")
    parser.add_argument(
        "--any-name", action="store_true", help="try files that are not named as pictures as well"
    )
    parser.add_argument("--address", help="a Ray cluster, such as auto; default: this machine")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "tensorrt"), default="auto")
    parser.add_argument(
        "--gpus-per-worker", type=float, default=0.25, metavar="SHARE", help="default: 0.25"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="default: one for each core")
    parser.add_argument("--max-mb", type=float, default=100, help="larger files are refused")
    parser.add_argument("--max-megapixels", type=float, default=50, help="default: 50")
    parser.add_argument("--json", action="store_true", help="the summary as JSON on stdout")


def run(options: argparse.Namespace) -> Exit:
    """One file for each photo, document and background below the target, and manifest.parquet."""
    order = wish.wish(options).order()
    if not 0 < options.gpus_per_worker <= 1 or (
        options.workers is not None and options.workers < 1
    ):
        raise Failure(Exit.USAGE, "--gpus-per-worker is above 0 and at most 1, --workers above 0.")
    if options.address is None:
        # Read when Ray is imported, below: a Ray of our own listens on the loopback address alone.
        os.environ.update(RAY)
    try:
        from cli.batch import cluster, plan, storage, work
        from cli.batch import run as runs
        from cli.batch.manifest import Manifest
    except ModuleNotFoundError as error:
        missing = f"{error.name} is missing: pip install 'idphoto-serve[batch]'"
        raise Failure(Exit.USAGE, missing) from None

    source, target = storage.open_storage(options.source), storage.open_storage(options.target)
    variants = wish.variants(order)
    used = wanted_nets(order.quality)
    job = work.Job(
        order,
        variants,
        nets.sides(used),
        int(options.max_mb * 1e6),
        int(options.max_megapixels * 1e6),
        skip_written=False,
    )
    try:
        if isinstance(source, storage.Folder) and not source.root.is_dir():
            raise Failure(Exit.USAGE, f"{source.root} is not a folder.")
        found = plan.plan(
            source, target, job, overwrite=options.overwrite, any_name=options.any_name
        )
    except OSError as error:
        raise Failure(Exit.STORAGE, f"The photos cannot be listed: {error}") from None
    _fetch_nets(order.quality)
    try:
        cores = options.workers or len(os.sched_getaffinity(0))
        manifest = Manifest(target, variants)
        if not len(found.pending):
            summary = runs.run(job, source, target, found, None, manifest)
        else:
            with cluster.connected(options.address, cores) as there:
                device = _device(options.device, there.gpus)
                team = cluster.team(used, device, there, options.gpus_per_worker)
                summary = runs.run(job, source, target, found, team, manifest)
    except OSError as error:
        raise Failure(Exit.STORAGE, f"The target cannot be written: {error}") from None
    if options.json:
        print(json.dumps(asdict(summary)))
    else:
        _tell(summary)
    return Exit.REFUSED if summary.codes else Exit.DONE


def _fetch_nets(quality: Quality) -> None:
    """Raises Failure where a net is not to be had: here, and not in every worker."""
    wanted = wanted_nets(quality).values()
    try:
        for name in DEFAULT_NETS:
            if name in wanted or name not in nets.NETS.values():
                fetch(name, progress=sys.stderr.isatty())
    except WeightsUnavailable as error:
        raise Failure(Exit.UNREACHABLE, str(error)) from None


def _device(asked: Device, gpus: float) -> KnownDevice:
    if asked == "auto":
        return "cuda" if gpus else "cpu"
    if asked != "cpu" and not gpus:
        raise Failure(Exit.UNREACHABLE, f"--device {asked}: the cluster has no GPU.")
    return asked


def _tell(summary: "Summary") -> None:
    there, refused = summary.written_before, summary.refused
    print(f"{summary.made} made, {there} were there already, {refused} came to nothing")
    for code, count in sorted(summary.codes.items(), key=lambda item: -item[1]):
        print(f"  {code}: {count}")
    if summary.others:
        print(f"{summary.others} other files were left out, see --any-name")
    if summary.photos_per_s:
        print(f"{summary.photos_per_s:.2f} photos/s after the start")
    print("The manifest tells of each photo.")
