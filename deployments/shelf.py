"""Values kept for a while, at most so many bytes of them."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[_Value]):
    value: _Value
    size_bytes: int
    until_s: float


class Shelf(Generic[_Value]):
    """Each value stays for ``keep_s``, however often it is used. Where there is no room the least
    recently used ones go first.
    """

    def __init__(self, keep_s: float, max_bytes: int, now: Callable[[], float]) -> None:
        """``now`` is a clock in seconds that never goes back."""
        self._keep_s = keep_s
        self._max_bytes = max_bytes
        self._now = now
        self._entries: OrderedDict[Hashable, _Entry[_Value]] = OrderedDict()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, id: Hashable, value: _Value, size_bytes: int, keep_s: float = math.inf) -> bool:
        """Whether the value is kept, which one larger than the whole shelf is not; for ``keep_s``
        where that is shorter than for the others.
        """
        self.expire()
        if size_bytes > self._max_bytes or keep_s <= 0:
            return False
        if id in self._entries:
            self._drop(id)
        while self.held_bytes + size_bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))
        self._entries[id] = _Entry(value, size_bytes, self._now() + min(keep_s, self._keep_s))
        self.held_bytes += size_bytes
        return True

    def find(self, id: Hashable) -> tuple[_Value, float] | None:
        """The value and for how many seconds it stays; None where it is not, or no longer, here."""
        self.expire()
        entry = self._entries.get(id)
        if entry is None:
            return None
        self._entries.move_to_end(id)
        return entry.value, entry.until_s - self._now()

    def expire(self) -> float | None:
        """Lets go of what has been here for its time. Returns the seconds to the next end of one,
        None where nothing is left.
        """
        now = self._now()
        for id in [id for id, entry in self._entries.items() if entry.until_s <= now]:
            self._drop(id)
        ends = (entry.until_s for entry in self._entries.values())
        return min(ends, default=now) - now if self._entries else None

    def _drop(self, id: Hashable) -> None:
        self.held_bytes -= self._entries.pop(id).size_bytes
