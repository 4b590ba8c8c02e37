"""Several photos, one after the other or at once, with a bar; for ``make``, ``sheet`` and
``check``.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from cli import files
from cli.exits import Exit, Failure
from cli.local import open_local
from cli.outcome import UNREADABLE, Outcome, Refusal, internal, refused
from cli.remote import Remote
from cli.sheet_wish import SheetWish
from cli.wish import Wish
from models.weights import WeightsUnavailable
from pipeline.errors import PhotoTooLarge
from pipeline.sheet_values import PrintSheet
from pipeline.values import IdPhoto, Quality, Report

MAX_MB = 100
# Enough to keep a small service busy; it says itself when it is full.
_AT_ONCE = 4

Work = Callable[[Path, bytes], Outcome]
"""What becomes of one photo; raises Refusal where that is nothing."""


class Studio(Protocol):
    """Whoever makes and checks photos: this process or a service."""

    def photos(self, data: bytes, wish: Wish) -> tuple[IdPhoto, ...]: ...

    def sheet(self, data: bytes, wish: SheetWish) -> PrintSheet: ...

    def reports(self, data: bytes, wish: Wish, as_is: bool) -> tuple[Report, ...]: ...


def add_options(parser: argparse.ArgumentParser) -> None:
    """The photos, and who is to see them."""
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--server", metavar="URL", help="ask a service instead of working here")
    parser.add_argument("--key", help="the API key, where the service wants one")
    parser.add_argument("--json", action="store_true", help="one JSON object a photo on stdout")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where results go."""
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("."), metavar="FOLDER", help="default: here"
    )


def refuse_twins(paths: Sequence[Path]) -> None:
    """Raises Failure where the files of two photos would have one name."""
    twins = [stem for stem, count in Counter(path.stem for path in paths).items() if count > 1]
    if twins:
        raise Failure(Exit.USAGE, f"Several photos are called {twins[0]}: make them one by one.")


def studio(options: argparse.Namespace, quality: Quality) -> Studio:
    """Who works on the photos. Raises Failure."""
    for path in options.photos:
        if not path.is_file():
            raise Failure(Exit.USAGE, f"{path} is not a file.")
    if options.server:
        return Remote(options.server, options.key)
    if options.key:
        raise Failure(Exit.USAGE, "--key is for a service: give its --server as well.")
    try:
        return open_local(quality, len(options.photos))
    except WeightsUnavailable as error:
        raise Failure(Exit.UNREACHABLE, str(error)) from None


def read(path: Path) -> bytes:
    """The photo's bytes. Raises Refusal."""
    limit = MAX_MB * 1_000_000
    try:
        data = files.read(path, limit)
    except OSError as error:
        raise Refusal(UNREADABLE, f"The file cannot be read: {error.strerror or error}.") from None
    if len(data) > limit:
        text = PhotoTooLarge("body_too_large", limit_mb=MAX_MB).text
        raise Refusal("body_too_large", text.title, text.hint)
    return data


def write(result: Path, data: bytes) -> None:
    """Raises Failure where that cannot be."""
    try:
        files.write(result, data)
    except OSError as error:
        raise Failure(Exit.STORAGE, f"{result} cannot be written: {error}") from None


def told(outcome: Outcome) -> str:
    """A line for each file, or one that says why there is none."""
    if outcome.code:
        return f"{outcome.source}: {outcome.code}: {outcome.error} {outcome.hint}".rstrip()
    warnings = f"  ({', '.join(outcome.warnings)})" if outcome.warnings else ""
    return "\n".join(f"{result}{warnings}" for result in outcome.results)


def run(options: argparse.Namespace, work: Work, told: Callable[[Outcome], str]) -> Exit:
    """Works on every photo and tells of each on stdout; DONE unless one came to nothing."""
    exit = Exit.DONE
    bar = tqdm(total=len(options.photos), unit="photo", disable=_bar_is_idle(options.photos))
    with bar:
        for outcome in _outcomes(options, work):
            bar.update()
            if outcome.code:
                exit = Exit.REFUSED
            line = json.dumps(outcome.as_json()) if options.json else told(outcome)
            with bar.external_write_mode(file=sys.stdout):
                print(line, flush=True)
    return exit


def _outcomes(options: argparse.Namespace, work: Work) -> Iterator[Outcome]:
    def one(path: Path) -> Outcome:
        start = time.perf_counter()
        try:
            outcome = work(path, read(path))
        except Refusal as why:
            outcome = refused(str(path), why)
        except Failure:
            raise
        except Exception as error:
            outcome = refused(str(path), internal(error))
        return replace(outcome, seconds=time.perf_counter() - start)

    if not options.server:
        yield from map(one, options.photos)
        return
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            yield from pool.map(one, options.photos)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _bar_is_idle(photos: Sequence[Path]) -> bool | None:
    """True: no bar; None: a bar on a terminal."""
    return True if len(photos) < 2 else None
