"""The way of one photo through the steps, for whoever sends it: the Gateway or a job."""

import time
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from ray.serve.handle import DeploymentHandle

from deployments import calls
from deployments.cycles import CycleCollector
from deployments.metrics import counter
from pipeline.edit_values import EditOrder
from pipeline.errors import Gone
from pipeline.finish_values import AiLabel
from pipeline.sheet_values import SheetOrder
from pipeline.values import (
    CutoutOrder,
    Doubt,
    Order,
)

Kind: TypeAlias = Literal["photo", "sheet", "check", "cutout", "later", "kept_photo", "kept_sheet"]
"""What becomes of the photo; ``later`` is a ``photo`` that nobody waits for, and of those that are
``kept`` others can be made ``again``.
"""
Timings: TypeAlias = dict[str, float]
_AnyOrder: TypeAlias = Order | SheetOrder | CutoutOrder

MESSAGE_BYTES = 64 << 20
"""What Ray's transport by gRPC must carry, given as the environment's
RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH to every replica.
"""
# By gRPC a photo of a megabyte costs Ray a quarter less than through the object store, and one of
# four as much or more (benchmarks/README.md). The portrait is at most four times as wide and high
# as the tallest document, which leaves it below MESSAGE_BYTES.
_SMALL_BYTES = 1_500_000
_SMALL_PX = 800
# What Cropping tells apart; all else is prepared as a photo.
_CROPPED = ("check", "cutout", "later")


class Chain:
    """The handles of the steps."""

    def __init__(
        self,
        cropping: DeploymentHandle[Any],
        matting: DeploymentHandle[Any],
        compositing: DeploymentHandle[Any],
        cutouts: DeploymentHandle[Any] | None = None,
        label: AiLabel | None = None,
        models: Mapping[str, DeploymentHandle[Any]] = MappingProxyType({}),
    ) -> None:
        """``models``: in the place of ``matting`` for orders that name one of them."""
        self._label = label
        self._cycles = CycleCollector()
        self._cutouts = cutouts and cutouts.options(_by_reference=False)
        # Ray's only switch for the transport of one handle is private.
        self._mattings: dict[str | None, DeploymentHandle[Any]] = {
            None: matting.options(_by_reference=False),
            **{name: model.options(_by_reference=False) for name, model in models.items()},
        }
        self._ends = {
            by_value: (
                cropping.options(_by_reference=not by_value),
                compositing.options(_by_reference=not by_value),
            )
            for by_value in (False, True)
        }
        self._escalated = counter(
            "idphoto_escalated_photos",
            "Photos whose matte was not certain and that the expert net saw as well.",
        )
        self._retried = counter(
            "idphoto_retried_steps",
            "Steps that were asked again, because a replica or its answer was lost.",
        )

    async def run(
        self,
        kind: Kind,
        data: bytes,
        order: Order | SheetOrder | CutoutOrder,
        deadline_at: float,
        timings: Timings,
        *owner: str | None,
    ) -> Any:
        """What Compositing makes of the photo; where it is kept, for the key of that name.
        ``timings`` takes the milliseconds of each step.

        Raises the IdPhotoError of a step, DeadlinePassed, or Unavailable.
        """
        order = _labelled(order, self._label)
        # A sheet's photos are prepared as any others.
        photos = order.prepared if isinstance(order, SheetOrder) else order
        by_value = _is_small(data, photos)
        cropping, compositing = self._ends[by_value]
        crop = getattr(cropping, kind if kind in _CROPPED else "photo")
        compose = getattr(compositing, "photo" if kind == "later" else kind)
        steps = calls.Steps(deadline_at, self._retried.inc)
        passed_on = _without_image(order)
        matting = self._mattings[photos.model]
        if kind == "later":
            matting = matting.later

        async def once() -> Any:
            cropped, portrait = await _timed(timings, "cropping", steps.ask(crop, data, photos))
            # By reference Compositing gets the portrait from Cropping: it is not sent anew.
            given = portrait if by_value else cropped
            matted = steps.ask(matting, portrait.frames)
            _, alphas = await _timed(timings, "matting", matted)
            composed = steps.ask(compose, given, alphas, passed_on, *owner)
            _, finished = await _timed(timings, "compositing", composed)
            if not isinstance(finished, Doubt):
                return finished
            self._escalated.inc()
            asked = steps.ask(matting, finished.frames)
            _, more = await _timed(timings, "expert", asked)
            composed = steps.ask(compose, given, alphas | more, passed_on, *owner)
            _, finished = await _timed(timings, "compositing", composed)
            return finished

        with self._cycles.after(references=not by_value):
            if isinstance(order, SheetOrder) and order.as_is:
                printed = steps.ask(compositing.paper, data, order)
                _, finished = await _timed(timings, "compositing", printed)
                return finished
            return await steps.chain(once)

    async def edit(
        self, data: bytes, order: EditOrder, deadline_at: float, timings: Timings
    ) -> Any:
        """What Cropping makes of a finished picture, without the nets; raises what ``run`` does."""
        by_value = len(data) <= _SMALL_BYTES
        cropping, _ = self._ends[by_value]
        steps = calls.Steps(deadline_at, self._retried.inc)
        with self._cycles.after(references=not by_value):
            _, made = await _timed(timings, "editing", steps.ask(cropping.edit, data, order))
        return made

    async def again(
        self,
        id: bytes,
        owner: str | None,
        order: Order | SheetOrder,
        deadline_at: float,
        timings: Timings,
    ) -> Any:
        """What is made anew of the person that is kept under the id; raises what ``run`` does, and
        Gone.
        """
        if self._cutouts is None:
            raise Gone("cutout_gone")
        steps = calls.Steps(deadline_at, self._retried.inc)
        step = self._cutouts.sheet if isinstance(order, SheetOrder) else self._cutouts.photo
        wanted = _labelled(order, self._label)
        _, finished = await _timed(timings, "again", steps.ask(step, id, owner, wanted))
        return finished


def _labelled(order: _AnyOrder, label: AiLabel | None) -> _AnyOrder:
    """The order of files that carry the label; no net sees what is printed as it is."""
    if label is None or (isinstance(order, SheetOrder) and order.as_is):
        return order
    if isinstance(order, CutoutOrder):
        return replace(order, label=label)

    def with_label(photos: Order) -> Order:
        return replace(photos, finish=replace(photos.finish, label=label))

    return order.each(with_label) if isinstance(order, SheetOrder) else with_label(order)


def _without_image(order: _AnyOrder) -> _AnyOrder:
    """The order as it goes on from Cropping, which has read the picture of the background."""
    if isinstance(order, CutoutOrder):
        return order

    def without(photos: Order) -> Order:
        return replace(photos, background_image=None)

    return order.each(without) if isinstance(order, SheetOrder) else without(order)


def _is_small(data: bytes, order: Order | CutoutOrder) -> bool:
    # A file that must not be small may have more pixels than its document.
    if isinstance(order, CutoutOrder) or order.bytes_limit or order.background_image:
        return False
    if order.finest_px:
        return False
    tallest_px = max(max(document.size_px) for document in order.documents)
    return len(data) <= _SMALL_BYTES and tallest_px <= _SMALL_PX


async def _timed(timings: Timings, step: str, work: Awaitable[Any]) -> Any:
    start = time.perf_counter()
    try:
        return await work
    finally:
        timings[step] = timings.get(step, 0) + (time.perf_counter() - start) * 1000
