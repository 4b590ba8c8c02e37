"""Crops that were made of kept people, so that another colour costs no new one."""

from collections.abc import Callable
from threading import Lock

from deployments.shelf import Shelf
from pipeline import variants
from pipeline.finish_values import Finish
from pipeline.values import Document, Nudge
from pipeline.variants import Crop, Cropper, Subject


class Crops:
    """The latest ones, none for longer than its person is kept. For several threads."""

    def __init__(self, keep_s: float, max_bytes: int, now: Callable[[], float]) -> None:
        """As of ``Shelf``."""
        self._shelf: Shelf[Crop] = Shelf(keep_s, max_bytes, now)
        self._now = now
        self._lock = Lock()

    @property
    def held_bytes(self) -> int:
        """As of ``Shelf``."""
        return self._shelf.held_bytes

    def of(self, id: bytes, until_s: float) -> Cropper:
        """``variants.crop`` of the person of that id, who is kept until then, remembered."""

        def crop(subject: Subject, document: Document, nudge: Nudge | None, finish: Finish) -> Crop:
            key = id, document, nudge, finish
            with self._lock:
                found = self._shelf.find(key)
            if found is not None:
                return found[0]
            made = variants.crop(subject, document, nudge, finish)
            with self._lock:
                size_bytes = made.person_rgb.nbytes + made.alpha.nbytes
                self._shelf.put(key, made, size_bytes, until_s - self._now())
            return made

        return crop

    def expire(self) -> float | None:
        """As of ``Shelf``."""
        with self._lock:
            return self._shelf.expire()
