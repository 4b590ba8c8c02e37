"""CPU step after the nets: from the alphas to finished files."""

import logging
import time
from collections.abc import Callable
from typing import Any

import cv2
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from deployments import calls, health, tracing
from deployments.metrics import StepMeter
from deployments.settings import Settings
from deployments.tokens import Cutout
from deployments.worker import Worker
from pipeline import flow, reuse, sheets, variants
from pipeline.errors import IdPhotoError
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import (
    CutoutOrder,
    Doubt,
    IdPhoto,
    Order,
    Portrait,
    Report,
)

log = logging.getLogger("ray.serve")

# A finished photo does not wait longer for its token.
_KEEPING_S = 2.0
# Below what Ray's transport carries (chain.MESSAGE_BYTES). Sizes in hundreds of dpi have more.
_MOST_BYTES = 48 << 20
_NOT_KEPT = (
    *(IdPhotoError, calls.Lost, calls.InputLost),
    *(BackPressureError, DeploymentUnavailableError),
)


class Compositing:
    """Checks matte and photo, cuts every variant of the order and encodes it."""

    def __init__(
        self,
        settings: Settings,
        expert_side_px: int | None,
        cutouts: DeploymentHandle[Any] | None = None,
    ) -> None:
        """``expert_side_px``: side of the expert net's input, where there is one; ``cutouts``: who
        keeps people for further orders.
        """
        cv2.setNumThreads(1)
        tracing.start(settings.tracing, "Compositing")
        self._settings = settings
        self.worker = Worker(meter=StepMeter())
        self._expert_side_px = expert_side_px
        # By value: nothing that is kept lies in the object store.
        self._cutouts = cutouts and cutouts.options(_by_reference=False)

    def check_health(self) -> None:
        health.check(self.worker, self._settings)

    @calls.step
    def photo(
        self, portrait: Portrait, alphas: flow.Alphas, order: Order, deadline_at: float
    ) -> tuple[IdPhoto, ...] | Doubt:
        calls.check(deadline_at)
        return flow.finish_photo(portrait, alphas, order, expert_side_px=self._expert_px(order))

    @calls.step
    def sheet(
        self, portrait: Portrait, alphas: flow.Alphas, order: SheetOrder, deadline_at: float
    ) -> PrintSheet | Doubt:
        calls.check(deadline_at)
        expert_px = self._expert_px(order.photos)
        return flow.finish_sheet(portrait, alphas, order, expert_side_px=expert_px)

    @calls.step
    def paper(self, data: bytes, order: SheetOrder, deadline_at: float) -> PrintSheet:
        """The upload as it is, on paper."""
        calls.check(deadline_at)
        return flow.print_as_is(data, order, max_pixels=self._settings.max_pixels)

    @calls.step
    def check(
        self, portrait: Portrait, alphas: flow.Alphas, order: Order, deadline_at: float
    ) -> tuple[Report, ...]:
        calls.check(deadline_at)
        return flow.finish_check(portrait, alphas, order)

    @calls.step
    def cutout(
        self,
        portrait: Portrait,
        alphas: flow.Alphas,
        order: CutoutOrder,
        deadline_at: float,
    ) -> tuple[IdPhoto, ...]:
        calls.check(deadline_at)
        return (flow.finish_cutout(portrait, alphas, order),)

    @calls.step
    async def kept_photo(
        self,
        portrait: Portrait,
        alphas: flow.Alphas,
        order: Order,
        owner: str | None,
        deadline_at: float,
    ) -> tuple[tuple[IdPhoto, ...], Cutout | None] | Doubt:
        """The photos, and for the client of the key ``owner`` what it may ask for others with; None
        where that could not be kept, which fails no photo.
        """
        made: tuple[tuple[IdPhoto, ...], Cutout | None] | Doubt
        given = portrait, alphas, order
        made = await self._kept(variants.every, given, order, owner, deadline_at)
        return made

    @calls.step
    async def kept_sheet(
        self,
        portrait: Portrait,
        alphas: flow.Alphas,
        order: SheetOrder,
        owner: str | None,
        deadline_at: float,
    ) -> tuple[PrintSheet, Cutout | None] | Doubt:
        """The sheet, as ``kept_photo``."""
        made: tuple[PrintSheet, Cutout | None] | Doubt
        given = portrait, alphas, order.prepared
        made = await self._kept(sheets.printed, given, order, owner, deadline_at)
        return made

    async def _kept(
        self,
        finish: Callable[[variants.Subject, Any], Any],
        given: tuple[Portrait, flow.Alphas, Order],
        order: Order | SheetOrder,
        owner: str | None,
        deadline_at: float,
    ) -> Any:
        def work() -> tuple[Any, reuse.Kept] | Doubt:
            calls.check(deadline_at)
            portrait, alphas, photos = given
            subject = flow.subject(portrait, alphas, expert_side_px=self._expert_px(photos))
            if isinstance(subject, Doubt):
                return subject
            return finish(subject, order), reuse.keep(subject, photos)

        made = await self.worker.run(work)
        if isinstance(made, Doubt):
            return made
        finished, kept = made
        return finished, await self._told(kept, owner, deadline_at)

    def _expert_px(self, order: Order) -> int | None:
        """Whoever names a model gets what that says."""
        return None if order.model else self._expert_side_px

    async def _told(self, kept: reuse.Kept, owner: str | None, deadline_at: float) -> Cutout | None:
        if self._cutouts is None or kept.size_bytes > _MOST_BYTES:
            return None
        until = min(deadline_at, time.time() + _KEEPING_S)
        try:
            response = self._cutouts.keep.remote(kept, owner, until, **tracing.carried())
            cutout: Cutout | None = await calls.result(response, until)
        except _NOT_KEPT as error:
            log.warning("a cut-out was not kept: %s", type(error).__name__)
            return None
        return cutout
