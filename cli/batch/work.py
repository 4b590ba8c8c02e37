"""What one worker does with its photos: read, prepare, matte, finish, write. Each photo has an
outcome, whatever happens to it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar

from cli.batch.storage import Storage
from cli.outcome import (
    NOT_WRITTEN,
    UNREADABLE,
    Outcome,
    Refusal,
    findings,
    internal,
    refusal,
    refused,
)
from models import nets
from models.matting import MattingNet
from pipeline import flow
from pipeline.errors import IdPhotoError, PhotoTooLarge
from pipeline.finding import FindFaces, HowDrawn
from pipeline.flow import Alphas
from pipeline.values import IdPhoto, Order, Portrait, Rgb

Frames = Mapping[str, Sequence[Rgb]]
_T = TypeVar("_T")


class Nets(Protocol):
    """The matting nets, in this process or in another one."""

    @property
    def batch(self) -> int:
        """So many photos are asked about at once."""

    @property
    def ahead(self) -> int:
        """So many batches are under way while one is finished."""

    def ask(self, photos: Sequence[Frames]) -> Callable[[], Sequence[Alphas]]:
        """A call that waits for the answers and raises what went wrong."""


@dataclass(frozen=True)
class OwnNets:
    """Nets of this process; on a CPU a batch gains nothing."""

    loaded: Mapping[str, MattingNet]
    batch: int = 1
    ahead: int = 0

    def ask(self, photos: Sequence[Frames]) -> Callable[[], Sequence[Alphas]]:
        return lambda: nets.matte(self.loaded, photos)


@dataclass(frozen=True)
class Job:
    """What is to be made, and within which limits."""

    order: Order
    variants: tuple[str, ...]
    sides: Mapping[str, int]
    max_bytes: int
    max_pixels: int
    skip_written: bool
    """Leave out a photo whose files are there already: an earlier try got so far."""

    def keys(self, source: str) -> tuple[str, ...]:
        """Where the photo's files go: its path with its suffix, the document, the background."""
        return tuple(f"{source}_{variant}" for variant in self.variants)


@dataclass
class _Photo:
    source: str
    seconds: float
    portrait: Portrait | None = None
    why: Refusal | None = None
    alphas: Callable[[], Alphas] | None = field(default=None, repr=False)


class Work:
    """Turns sources into outcomes, in their order."""

    def __init__(
        self,
        job: Job,
        source: Storage,
        target: Storage,
        find_faces: FindFaces,
        asked: Nets,
        how_drawn: HowDrawn | None = None,
    ) -> None:
        """Without ``how_drawn`` there is no check ``photo_like``."""
        self._job = job
        self._source = source
        self._target = target
        self._find_faces = find_faces
        self._how_drawn = how_drawn
        self._nets = asked
        self._readers = ThreadPoolExecutor(source.reads_ahead)

    def outcomes(self, sources: Sequence[str]) -> Iterator[Outcome]:
        """What became of each photo. Raises nothing that is about one photo."""
        under_way: deque[list[_Photo]] = deque()
        for group in _grouped(self._read(sources), self._nets.batch):
            photos = [self._prepared(source, data) for source, data in group]
            self._ask(photos)
            under_way.append(photos)
            if len(under_way) > self._nets.ahead:
                yield from map(self._finished, under_way.popleft())
        for photos in under_way:
            yield from map(self._finished, photos)

    def _read(self, sources: Iterable[str]) -> Iterator[tuple[str, "Future[bytes] | None"]]:
        """The photos, of which the next few are being read; None where there is nothing to do."""
        window: deque[tuple[str, Future[bytes] | None]] = deque()
        for source in sources:
            written = self._job.skip_written and all(map(self._target.has, self._job.keys(source)))
            data = None if written else self._readers.submit(self._bytes, source)
            window.append((source, data))
            if len(window) > self._source.reads_ahead:
                yield window.popleft()
        yield from window

    def _bytes(self, source: str) -> bytes:
        limit = self._job.max_bytes
        data = self._source.read(source, limit)
        if len(data) > limit:
            raise PhotoTooLarge("body_too_large", limit_mb=round(limit / 1e6, 1))
        return data

    def _prepared(self, source: str, data: "Future[bytes] | None") -> _Photo:
        photo = _Photo(source, 0)
        if data is None:
            return photo
        start = time.perf_counter()
        try:
            photo.portrait = flow.prepare_photo(
                _result(data),
                self._job.order,
                self._find_faces,
                sides=self._job.sides,
                max_pixels=self._job.max_pixels,
                how_drawn=self._how_drawn,
            )
        except Exception as error:
            photo.why = why(error)
        photo.seconds = time.perf_counter() - start
        return photo

    def _ask(self, photos: Sequence[_Photo]) -> None:
        """Lets each photo know how it comes to its alphas."""
        wanted = [(photo, photo.portrait.frames) for photo in photos if photo.portrait]
        if not wanted:
            return
        answers = self._nets.ask([frames for _, frames in wanted])
        together = len(wanted) > 1
        for place, (photo, frames) in enumerate(wanted):
            photo.alphas = _Answer(answers, place, self._nets if together else None, frames)

    def _finished(self, photo: _Photo) -> Outcome:
        source, keys = photo.source, self._job.keys(photo.source)
        start = time.perf_counter()
        try:
            if photo.why:
                raise photo.why
            if photo.portrait is None or photo.alphas is None:
                return Outcome(source, keys)
            made = flow.finish_photo(photo.portrait, photo.alphas(), self._job.order)
            assert isinstance(made, tuple)  # a doubt needs an expert, and there is none here
            self._write(keys, made)
        except Exception as error:
            return refused(source, why(error), photo.seconds + time.perf_counter() - start)
        seconds = photo.seconds + time.perf_counter() - start
        return Outcome(source, keys, checks=findings(made), seconds=seconds)

    def _write(self, keys: Sequence[str], made: Sequence[IdPhoto]) -> None:
        for key, photo in zip(keys, made, strict=True):
            try:
                self._target.write(key, photo.data)
            except Exception as error:
                # Storage libraries raise more than OSError.
                said = f"The result cannot be written: {error}"[:500]
                raise Refusal(NOT_WRITTEN, said) from None


@dataclass(frozen=True)
class _Answer:
    """One photo's part of an answer. Where the whole batch failed it is asked about alone, so that
    only the photo that it is about suffers.
    """

    answers: Callable[[], Sequence[Alphas]]
    place: int
    again: Nets | None
    frames: Frames

    def __call__(self) -> Alphas:
        try:
            return self.answers()[self.place]
        except Exception:
            if self.again is None:
                raise
            return self.again.ask([self.frames])()[0]


def _grouped(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group


def why(error: Exception) -> Refusal:
    """What is said about a photo at which this was raised."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, IdPhotoError):
        return refusal(error)
    return internal(error)


def _result(data: "Future[bytes]") -> bytes:
    try:
        return data.result()
    except IdPhotoError:
        raise
    except Exception as error:
        raise Refusal(UNREADABLE, f"The file cannot be read: {error}"[:500]) from None


def row(outcome: Outcome, place: int) -> dict[str, Any]:
    """The outcome as a row of the manifest, with its place among the photos of the run."""
    return {"place": place, **outcome.as_json()}
