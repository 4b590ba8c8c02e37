"""What became of the requests of a run in which things are broken, and how soon it was well."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.figures import percentile

Kind = Literal["photo", "hostile", "leaving"]

LEFT = "left"
_BLAME_S = 2.0
WINDOW_S = 3.0
"""Over which a rate is taken."""
SHARE = 0.8
"""Of the usual rate; with so much of it the service counts as recovered."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request and how it ended; times are those of ``time.monotonic``."""

    kind: Kind
    began_s: float
    ended_s: float
    outcome: str
    """As in ``client.Answer``; the name of an exception where no answer came; ``LEFT``."""
    retry_after: bool = False
    """Whether the answer said when to come again."""
    fault: str | None = None
    """What is wrong with a picture that was answered."""

    @property
    def lost(self) -> bool:
        """No answer came, and the client had not left."""
        return not self.outcome[:1].isdigit() and self.outcome != LEFT

    @property
    def allowed(self) -> bool:
        """Whether a client can live with this answer; right or wrong is another question."""
        if self.lost:
            return False
        if self.outcome in ("200", LEFT):
            return True
        status = int(self.outcome.split()[0])
        if status in (429, 503):
            return self.retry_after
        # 408 is Ray's own time limit, which must never be met, or a slow upload, and none is slow.
        return status == 504 or (self.kind == "hostile" and 400 <= status < 500 and status != 408)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was done to the service."""

    at_s: float
    name: str
    """The deployment whose replica was killed; "controller"; "redeploy"."""


@dataclass(frozen=True, slots=True)
class Account:
    """The sums of a run."""

    sent: Mapping[Kind, int]
    outcomes: Mapping[tuple[Kind, str], int]
    lost: int
    wrong: Mapping[str, int]
    """Answers of 200 by what is wrong with them."""
    forbidden: Mapping[tuple[Kind, str], int]
    """Answers that are not allowed, lost ones left out."""
    p50_ms: float | None
    """Of photos that were answered with 200."""
    p99_ms: float | None


def account(requests: Sequence[Sent]) -> Account:
    """The sums; each request stands in exactly one of ``outcomes``."""
    waits_ms = [
        (request.ended_s - request.began_s) * 1000
        for request in requests
        if request.kind == "photo" and request.outcome == "200"
    ]
    return Account(
        sent=Counter(request.kind for request in requests),
        outcomes=Counter((request.kind, request.outcome) for request in requests),
        lost=sum(request.lost for request in requests),
        wrong=Counter(request.fault for request in requests if request.fault),
        forbidden=Counter(
            (request.kind, _told(request))
            for request in requests
            if not (request.allowed or request.lost)
        ),
        p50_ms=percentile(waits_ms, 50),
        p99_ms=percentile(waits_ms, 99),
    )


def _told(request: Sent) -> str:
    bare = request.outcome.startswith(("429", "503")) and not request.retry_after
    return f"{request.outcome} without Retry-After" if bare else request.outcome


def blamed(requests: Sequence[Sent], faults: Sequence[Fault]) -> dict[str, int]:
    """How many of the requests that were lost or answered otherwise than is allowed ended within
    two seconds of a fault, by its name; "nothing" where none was.
    """
    counts: Counter[str] = Counter()
    for request in requests:
        if not request.allowed:
            near = [f for f in faults if 0 <= request.ended_s - f.at_s <= _BLAME_S]
            latest = max(near, key=lambda fault: fault.at_s, default=None)
            counts[latest.name if latest else "nothing"] += 1
    return counts


def rate(ended_s: Sequence[float], start_s: float, end_s: float) -> float:
    """Of moments in rising order those from start to before end, a second."""
    return (bisect_left(ended_s, end_s) - bisect_left(ended_s, start_s)) / (end_s - start_s)


def recovery_s(
    ended_s: Sequence[float], fault_s: float, usual_rate: float, until_s: float
) -> float | None:
    """Seconds from the fault to the first window whose rate is at least ``SHARE`` of the usual one.

    ``ended_s`` are the moments, in rising order, at which photos were finished. 0 where the rate
    did not fall; None where it was not back by ``until_s``, at which watching ended.
    """
    # The window can only get better where its end takes in a further photo.
    starts = [fault_s, *(moment - WINDOW_S for moment in ended_s if moment - WINDOW_S > fault_s)]
    for start_s in starts:
        # Just past the moment, so that the photo itself counts.
        end_s = start_s + WINDOW_S + 1e-6
        if end_s > until_s:
            return None
        if rate(ended_s, start_s, end_s) >= SHARE * usual_rate:
            return start_s - fault_s
    return None


def recoveries(
    ended_s: Sequence[float], faults: Sequence[Fault], usual_rate: float, until_s: float
) -> dict[str, list[float | None]]:
    """``recovery_s`` of every fault, by its name; those whose first window was cut off by the end
    are left out.
    """
    found: dict[str, list[float | None]] = {}
    for fault in faults:
        if fault.at_s + WINDOW_S <= until_s:
            took_s = recovery_s(ended_s, fault.at_s, usual_rate, until_s)
            found.setdefault(fault.name, []).append(took_s)
    return found
