"""Who waits in a replica, and who is worked on."""

import threading
import time
from dataclasses import dataclass
from typing import Protocol


class Meter(Protocol):
    """Takes what there is to say about a line, from any thread."""

    def lengths(self, waiting: int, working: int) -> None: ...

    def waited(self, seconds: float) -> None: ...

    def worked(self, seconds: float) -> None: ...


@dataclass(slots=True, eq=False)
class Ticket:
    """One photo's way through a line; times are seconds of the monotonic clock."""

    joined_s: float
    began_s: float | None = None
    ended_s: float | None = None

    @property
    def wait_ms(self) -> float:
        """Before the work began; 0 where it has not."""
        return 0.0 if self.began_s is None else (self.began_s - self.joined_s) * 1000

    @property
    def work_ms(self) -> float:
        """From the beginning to the end of the work; 0 before that."""
        if self.began_s is None or self.ended_s is None:
            return 0.0
        return (self.ended_s - self.began_s) * 1000


class Line:
    """Counts; whom to take next is not for it to say. May be used from any thread."""

    def __init__(self, meter: Meter | None = None) -> None:
        self._meter = meter
        self._lock = threading.Lock()
        self._waiting: set[Ticket] = set()
        self._working: set[Ticket] = set()
        self._tell()

    def join(self) -> Ticket:
        """One more waits."""
        ticket = Ticket(time.monotonic())
        with self._lock:
            self._waiting.add(ticket)
            self._tell()
        return ticket

    def begin(self, ticket: Ticket) -> None:
        """Its work begins, even where whoever waited for it has left."""
        ticket.began_s = time.monotonic()
        with self._lock:
            self._waiting.discard(ticket)
            self._working.add(ticket)
            self._tell()
        if self._meter is not None:
            self._meter.waited(ticket.began_s - ticket.joined_s)

    def end(self, ticket: Ticket) -> None:
        """Its work has ended, however."""
        ticket.ended_s = time.monotonic()
        with self._lock:
            self._working.discard(ticket)
            self._tell()
        if self._meter is not None:
            self._meter.worked(ticket.work_ms / 1000)

    def leave(self, ticket: Ticket) -> None:
        """It waits no longer. Does nothing once its work has begun."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._tell()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def working(self) -> int:
        """How many are worked on."""
        return len(self._working)

    @property
    def longest_s(self) -> float:
        """For how long the oldest work in progress has been running; 0 where there is none."""
        now = time.monotonic()
        with self._lock:
            return max((now - (one.began_s or now) for one in self._working), default=0.0)

    def _tell(self) -> None:
        if self._meter is not None:
            self._meter.lengths(len(self._waiting), len(self._working))
