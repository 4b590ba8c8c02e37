"""A run: what is to be made is made, told of while it goes on, and written down at the end."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from cli.batch import cluster
from cli.batch.cluster import Team
from cli.batch.manifest import SCHEMA, Manifest
from cli.batch.plan import UNUSABLE_NAME, Plan, blocks
from cli.batch.storage import Storage
from cli.batch.work import Job
from cli.exits import Exit, Failure
from cli.outcome import INTERNAL, NOT_WRITTEN, Outcome

# A full disk makes every photo fail; one name that is too long does not.
_LOST_IN_A_ROW = 20
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """What a run came to."""

    made: int
    written_before: int
    codes: dict[str, int]
    """Photos that came to nothing, by their code."""
    others: int
    seconds: float
    """From the first photo that was done to the last one."""
    photos_per_s: float
    """In those seconds."""

    @property
    def refused(self) -> int:
        """Photos that came to nothing."""
        return sum(self.codes.values())


def run(
    job: Job, source: Storage, target: Storage, plan: Plan, team: Team | None, manifest: Manifest
) -> Summary:
    """Makes the pending photos and writes the manifest. Without pending photos no team is needed.

    Raises OSError and Failure; then the next run takes up what this one leaves.
    """
    codes: Counter[str] = Counter()
    first_s = last_s = time.monotonic()
    total = len(plan.pending) + len(plan.written) + len(plan.unusable)
    made = first = 0
    try:
        with tqdm(total=total, initial=len(plan.written), unit="photo", smoothing=0.1) as bar:
            if plan.unusable:
                manifest.add(_unusable(plan.unusable))
                codes[UNUSABLE_NAME] += len(plan.unusable)
                bar.update(len(plan.unusable))
            made_now = _all_rows(job, source, target, plan.pending, team) if team else ()
            for rows in made_now:
                last_s = time.monotonic()
                if not made:
                    first, first_s = rows.num_rows, last_s
                made += rows.num_rows
                manifest.add(rows)
                _tell(rows, codes, bar)
                bar.update(rows.num_rows)
    finally:
        manifest.save()
    manifest.close(plan.written)
    seconds = last_s - first_s
    rate = (made - first) / seconds if seconds else 0.0
    fine = made + len(plan.unusable) - codes.total()
    return Summary(fine, len(plan.written), dict(codes), plan.others, seconds, rate)


def _all_rows(
    job: Job, source: Storage, target: Storage, pending: pa.Array, team: Team
) -> Iterator[pa.Table]:
    """One row for each photo. Those whose workers died are tried once more, each in a block of its
    own, so that the one at which a worker dies is found.
    """
    seen = np.zeros(len(pending), bool)
    lost = 0
    for rows in cluster.rows(job, source, target, list(blocks(pending, team.workers)), team):
        seen[rows["place"].to_numpy()] = True
        lost = _lost_in_a_row(rows, lost)
        yield rows
    missing = np.flatnonzero(~seen)
    if not len(missing):
        return
    _LOG.warning("%d photos are tried again: the workers that had them died", len(missing))
    alone = [
        pa.table({"place": [place], "source": pending.take([place]).cast(pa.string())})
        for place in missing
    ]
    again = replace(job, skip_written=True)
    for rows in cluster.rows(again, source, target, alone, team):
        seen[rows["place"].to_numpy()] = True
        yield rows
    for place in np.flatnonzero(~seen):
        died = Outcome(
            pending[int(place)].as_py(), code=INTERNAL, error="Each worker died at this photo."
        )
        yield pa.Table.from_pylist([{"place": place, **died.as_json()}])


def _lost_in_a_row(rows: pa.Table, lost: int) -> int:
    """How many of the last photos could not be written. Raises Failure above a limit."""
    for code, error in zip(rows["code"].to_pylist(), rows["error"].to_pylist(), strict=True):
        lost = lost + 1 if code == NOT_WRITTEN else 0
        if lost >= _LOST_IN_A_ROW:
            raise Failure(Exit.STORAGE, f"{error} Run it again when that is mended.")
    return lost


def _tell(rows: pa.Table, codes: "Counter[str]", bar: "tqdm[None]") -> None:
    """Counts what came to nothing, and shows what is our fault or the storage's."""
    refused = rows.filter(pc.not_equal(rows["code"], ""))
    for said in refused.select(["source", "code", "error"]).to_pylist():
        codes[said["code"]] += 1
        if said["code"] in (INTERNAL, NOT_WRITTEN):
            with bar.external_write_mode():
                _LOG.error("%s: %s", said["source"], said["error"])


def _unusable(names: tuple[str, ...]) -> pa.Table:
    error = "No file can be named after this one."
    found = [Outcome(name, code=UNUSABLE_NAME, error=error).as_json() for name in names]
    return pa.Table.from_pylist(found, SCHEMA)
