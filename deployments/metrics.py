"""What Prometheus is told. docs/operations.md says what each of these means.

Ray's exporter puts ``ray_`` before each name and ``_total`` behind a counter's, and adds the labels
``application``, ``deployment`` and ``replica``, by which the steps are told apart.
"""

from collections.abc import Mapping
from typing import Any

from ray.serve import metrics

from pipeline.sheet_values import SheetOrder
from pipeline.values import CutoutOrder, Order

# From a refusal at the door to a photo that is late.
_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
_PHOTOS: list[float] = [1, 2, 4, 8, 16, 32]
# Ray's type says that a metric of Serve has one label at most.
_PHOTO_LABELS: Any = ("kind", "document", "code")


def document(order: Order | SheetOrder | CutoutOrder) -> str:
    """The label of an order: the document's id, "custom" for a free size, "several", or "none" for
    a cut-out. Clients cannot make labels of their own.
    """
    if isinstance(order, CutoutOrder):
        return "none"
    documents = (order.photos if isinstance(order, SheetOrder) else order).documents
    return documents[0].id if len(documents) == 1 else "several"


def counter(name: str, description: str) -> metrics.Counter:
    """A counter without labels that is told from 0 on: of one that appears with its first event,
    ``rate`` does not see that event.
    """
    made = metrics.Counter(name, description=description)
    # Ray's ``inc`` takes nothing but positive numbers.
    made._record(0)
    return made


class Photos:
    """How photos ended, and what they took, as whoever sent them through the graph saw it."""

    def __init__(self) -> None:
        self._ended = metrics.Counter(
            "idphoto_photos",
            description="Photos by outcome: ok, or the code of the error.",
            tag_keys=_PHOTO_LABELS,
        )
        self._stages = metrics.Histogram(
            "idphoto_stage_seconds",
            description="Time of each stage with its queues and transport; of all in stage=total.",
            boundaries=_SECONDS,
            tag_keys=("stage",),
        )

    def ended(
        self, kind: str, document: str, code: str, timings: Mapping[str, float], total_ms: float
    ) -> None:
        """Counts one photo. ``timings`` are milliseconds by stage; what was refused or lost counts
        in none of the times, as it would make the service look fast.
        """
        self._ended.inc(tags={"kind": kind, "document": document, "code": code})
        if code == "ok":
            for stage, took_ms in timings.items():
                self._stages.observe(took_ms / 1000, {"stage": stage})
            self._stages.observe(total_ms / 1000, {"stage": "total"})


class StepMeter:
    """The line of one step in one replica, as ``line.Meter``."""

    def __init__(self) -> None:
        self._waiting = metrics.Gauge(
            "idphoto_step_waiting_photos", description="Photos that wait in this replica."
        )
        self._working = metrics.Gauge(
            "idphoto_step_working_photos", description="Photos that this replica works on."
        )
        self._wait = metrics.Histogram(
            "idphoto_step_wait_seconds",
            description="Time from a photo's arrival in the replica to the start of its work.",
            boundaries=_SECONDS,
        )
        self._work = metrics.Histogram(
            "idphoto_step_work_seconds",
            description="Time of the work itself; in Matting that of the photo's batch.",
            boundaries=_SECONDS,
        )

    def lengths(self, waiting: int, working: int) -> None:
        """The line, whenever it changes."""
        self._waiting.set(waiting)
        self._working.set(working)

    def waited(self, seconds: float) -> None:
        """How long one waited."""
        self._wait.observe(seconds)

    def worked(self, seconds: float) -> None:
        """How long the work on one took."""
        self._work.observe(seconds)


class Batches:
    """The batches of a Matting replica."""

    def __init__(self) -> None:
        self._sizes = metrics.Histogram(
            "idphoto_matting_batch_photos", description="Photos in a batch.", boundaries=_PHOTOS
        )
        self._halved = counter(
            "idphoto_matting_halved_batches",
            "Batches that did not fit the device's memory and were cut in two.",
        )

    def ran(self, photos: int) -> None:
        """One batch of this many."""
        self._sizes.observe(photos)

    def halved(self, times: int) -> None:
        """So many batches were cut in two."""
        if times:
            self._halved.inc(times)


class Places:
    """The places of a Gateway replica."""

    def __init__(self) -> None:
        self._taken = metrics.Gauge(
            "idphoto_gateway_photos_in_flight", description="Photos that have a place."
        )
        self._limit = metrics.Gauge(
            "idphoto_gateway_photos_limit", description="Places there are, as the machine allows."
        )
        self._hurried = counter(
            "idphoto_hurried_photos",
            "Photos made in fast instead of best, because the places were taken.",
        )

    def taken(self, photos: int, limit: int) -> None:
        """The places, whenever one is taken or given back."""
        self._taken.set(photos)
        self._limit.set(limit)

    def hurried(self) -> None:
        """One photo was made in fast instead of best."""
        self._hurried.inc()


class JobItems:
    """The photos of all jobs that are kept."""

    def __init__(self) -> None:
        self._items = metrics.Gauge(
            "idphoto_job_items", description="Photos of jobs by state.", tag_keys=("state",)
        )

    def are(self, counts: Mapping[Any, int]) -> None:
        """How many there are by state, a string. Each runner tells all: of several runners take the
        maximum.
        """
        for state, count in counts.items():
            self._items.set(count, {"state": state})
