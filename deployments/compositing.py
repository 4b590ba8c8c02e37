"""CPU step after the nets: from the alphas to finished files."""

import cv2

from deployments import calls, health
from deployments.settings import Settings
from deployments.worker import Worker
from pipeline import flow
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import (
    CutoutOrder,
    Doubt,
    IdPhoto,
    Order,
    Portrait,
    Report,
)


class Compositing:
    """Checks matte and photo, cuts every variant of the order and encodes it."""

    def __init__(self, settings: Settings, expert_side_px: int | None) -> None:
        """``expert_side_px``: side of the expert net's input, where there is one."""
        cv2.setNumThreads(1)
        self._settings = settings
        self.worker = Worker()
        self._expert_side_px = expert_side_px

    def check_health(self) -> None:
        health.check(self.worker, self._settings)

    @calls.step
    def photo(
        self, portrait: Portrait, alphas: flow.Alphas, order: Order, deadline_at: float
    ) -> tuple[IdPhoto, ...] | Doubt:
        calls.check(deadline_at)
        return flow.finish_photo(portrait, alphas, order, expert_side_px=self._expert_side_px)

    @calls.step
    def sheet(
        self, portrait: Portrait, alphas: flow.Alphas, order: SheetOrder, deadline_at: float
    ) -> PrintSheet | Doubt:
        calls.check(deadline_at)
        return flow.finish_sheet(portrait, alphas, order, expert_side_px=self._expert_side_px)

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
