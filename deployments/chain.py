"""The way of one photo through the steps, for whoever sends it: the Gateway or a job."""

import time
from collections.abc import Awaitable
from typing import Any, Literal, TypeAlias

from ray.serve import metrics
from ray.serve.handle import DeploymentHandle

from deployments import calls
from pipeline.sheet_values import SheetOrder
from pipeline.values import (
    CutoutOrder,
    Doubt,
    Order,
)

Kind: TypeAlias = Literal["photo", "sheet", "check", "cutout", "later"]
"""What becomes of the photo; ``later`` is a ``photo`` that nobody waits for."""
Timings: TypeAlias = dict[str, float]

MESSAGE_BYTES = 64 << 20
"""What Ray's transport by gRPC must carry, given as the environment's
RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH to every replica.
"""
# By gRPC a photo of a megabyte costs Ray a quarter less than through the object store, and one of
# four as much or more (benchmarks/README.md). The portrait is at most four times as wide and high
# as the tallest document, which leaves it below MESSAGE_BYTES.
_SMALL_BYTES = 1_500_000
_SMALL_PX = 800


class Chain:
    """The handles of the steps."""

    def __init__(
        self,
        cropping: DeploymentHandle[Any],
        matting: DeploymentHandle[Any],
        compositing: DeploymentHandle[Any],
    ) -> None:
        # Ray's only switch for the transport of one handle is private.
        self._matting = matting.options(_by_reference=False)
        self._ends = {
            by_value: (
                cropping.options(_by_reference=not by_value),
                compositing.options(_by_reference=not by_value),
            )
            for by_value in (False, True)
        }
        self._escalated = metrics.Counter(
            "idphoto_escalated_photos",
            description="Photos whose matte was not certain and that the expert net saw as well.",
        )
        self._retried = metrics.Counter(
            "idphoto_retried_steps",
            description="Steps that were asked again, because a replica or its answer was lost.",
        )

    async def run(
        self,
        kind: Kind,
        data: bytes,
        order: Order | SheetOrder | CutoutOrder,
        deadline_at: float,
        timings: Timings,
    ) -> Any:
        """What Compositing makes of the photo. ``timings`` takes the milliseconds of each step.

        Raises the IdPhotoError of a step, DeadlinePassed, or Unavailable.
        """
        # A sheet's photos are prepared as any others.
        photos = order.photos if isinstance(order, SheetOrder) else order
        by_value = _is_small(data, photos)
        cropping, compositing = self._ends[by_value]
        crop = getattr(cropping, "photo" if kind == "sheet" else kind)
        compose = getattr(compositing, "photo" if kind == "later" else kind)
        steps = calls.Steps(deadline_at, self._retried.inc)

        async def once() -> Any:
            cropped, portrait = await _timed(timings, "cropping", steps.ask(crop, data, photos))
            # By reference Compositing gets the portrait from Cropping: it is not sent anew.
            given = portrait if by_value else cropped
            matted = steps.ask(self._matting, portrait.frames)
            _, alphas = await _timed(timings, "matting", matted)
            composed = steps.ask(compose, given, alphas, order)
            _, finished = await _timed(timings, "compositing", composed)
            if not isinstance(finished, Doubt):
                return finished
            self._escalated.inc()
            asked = steps.ask(self._matting, finished.frames)
            _, more = await _timed(timings, "expert", asked)
            composed = steps.ask(compose, given, alphas | more, order)
            _, finished = await _timed(timings, "compositing", composed)
            return finished

        return await steps.chain(once)


def _is_small(data: bytes, order: Order | CutoutOrder) -> bool:
    # A file that must not be small may have more pixels than its document.
    if isinstance(order, CutoutOrder) or order.bytes_limit:
        return False
    tallest_px = max(max(document.size_px) for document in order.documents)
    return len(data) <= _SMALL_BYTES and tallest_px <= _SMALL_PX


async def _timed(timings: Timings, step: str, work: Awaitable[Any]) -> Any:
    start = time.perf_counter()
    try:
        return await work
    finally:
        timings[step] = timings.get(step, 0) + (time.perf_counter() - start) * 1000
