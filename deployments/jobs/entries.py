"""What a request brings along, photo by photo, before anything of it is stored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Chunks = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a request, or one that it names."""

    name: str
    """As the client calls it."""
    size: int = 0
    """Bytes; 0 for one that the request only names."""
    mark: str = ""
    """What tells it from another file of the same name and size, where that is known."""
    chunks: Chunks | None = None
    """Its bytes; they may raise UnreadablePhoto. None where there are none to be read."""
    source: str | None = None
    """URL of the photo in a store of the operator's."""
    error: str | None = None
    """Why it is no photo, a code."""


@dataclass(frozen=True, slots=True)
class Override:
    """What differs for one photo: a line of the table."""

    line: int
    """From 1; of a CSV the header is the first."""
    file: str
    by_photo: Mapping[str, Any]
    """``document`` and ``background`` as lists, ``name`` as text: those that are given."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that a request holds."""

    fields: Sequence[tuple[str, str]]
    """Parameters of the order, as form fields."""
    entries: Sequence[Entry]
    overrides: Sequence[Override] = ()
    """What differs by photo."""

    @property
    def size(self) -> int:
        """Bytes of all files that are there to be read."""
        return sum(entry.size for entry in self.entries if entry.chunks)
