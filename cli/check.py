"""``idphoto check``: what is to be said about a few photos."""

import argparse
from pathlib import Path
from typing import get_args

from cli import photos, wish
from cli.exits import Exit
from cli.outcome import Outcome, finding
from cli.photos import Studio
from cli.wish import Wish
from pipeline.values import Quality

FAILED = "check_failed"


def add_options(parser: argparse.ArgumentParser) -> None:
    photos.add_options(parser)
    parser.add_argument(
        "--document",
        action="append",
        metavar="ID",
        help="see `idphoto documents`; repeatable; default: icao-portrait",
    )
    parser.add_argument("--quality", choices=get_args(Quality), default="best")
    parser.add_argument(
        "--as-is",
        action="store_true",
        help="judge finished photos as they are, not what would be made of snapshots",
    )


def run(options: argparse.Namespace) -> Exit:
    """Every check of every photo, and REFUSED where one of them failed."""
    wanted = Wish(tuple(options.document or ["icao-portrait"]), quality=options.quality)
    if not options.server:
        wish.check_documents(wanted.documents)
    studio = photos.studio(options, wanted.quality)

    def work(path: Path, data: bytes) -> Outcome:
        return _checked(studio, path, data, wanted, options.as_is)

    return photos.run(options, work, told)


def told(outcome: Outcome) -> str:
    """The photo's name, and a line for each check."""
    lines = [f"{outcome.source}: {outcome.error or 'passed'} {outcome.hint}".rstrip()]
    for check in outcome.checks:
        value = "" if check.value is None else f"{check.value:g} {check.unit}".rstrip()
        limits = " to ".join(
            "" if limit is None else f"{limit:g}" for limit in (check.min, check.max)
        )
        within = f"({limits.strip()})" if check.min is not None or check.max is not None else ""
        cells = f"  {check.result:5} {check.document:20} {check.code:20} {value:14} {within:16}"
        lines.append(f"{cells} {check.hint}".rstrip())
    return "\n".join(lines)


def _checked(studio: Studio, path: Path, data: bytes, wanted: Wish, as_is: bool) -> Outcome:
    reports = studio.reports(data, wanted, as_is)
    found = tuple(
        finding(report.document, "", check) for report in reports for check in report.checks
    )
    failed = list(dict.fromkeys(check.code for check in found if check.result == "fail"))
    code, said = (FAILED, f"failed {', '.join(failed)}") if failed else ("", "")
    return Outcome(str(path), (), code, said, "", found)
