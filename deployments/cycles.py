"""Gives back what Ray's object references hold on to after their last use."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

# In that time a busy service on two cores leaves portraits of some 70 MB.
_AFTER_S = 1.0


class CycleCollector:
    """Collects cycles after each use of references, at most once in ``_AFTER_S`` seconds.

    Ray 2.60 ties an ObjectRef that it has waited for (``ObjectRef._on_ready``) into a cycle with
    its callback. By itself Python collects old cycles only after many new objects, and a photo
    would lie in the object store until then: for more than a minute where nothing else comes.
    """

    def __init__(self) -> None:
        self._due: asyncio.TimerHandle | None = None
        # What is there before the first photo stays: without it a collection takes little time.
        gc.collect()
        gc.freeze()

    @contextmanager
    def after(self, *, references: bool) -> Iterator[None]:
        """Around work in the event loop; ``references``: whether it uses any."""
        try:
            yield
        finally:
            if references and self._due is None:
                self._due = asyncio.get_running_loop().call_later(_AFTER_S, self._collect)

    def _collect(self) -> None:
        self._due = None
        gc.collect()
