"""CPU step before the nets: from the upload to the region around the one face."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2

from deployments import calls, health, tracing
from deployments.courtesy import Courtesy
from deployments.metrics import StepMeter
from deployments.settings import Settings
from deployments.worker import Worker
from models import drawings, finder
from models.weights import default_folder
from pipeline import edits, finding, flow
from pipeline.edit_values import EditOrder
from pipeline.finding import HowDrawn
from pipeline.values import CutoutOrder, IdPhoto, Order, Portrait


def _how_drawn(settings: Settings, folder: Path) -> HowDrawn | None:
    if settings.drawings == "ignore":
        return None
    score = drawings.load(folder).score
    return finding.refusing(score) if settings.drawings == "refuse" else score


class Cropping:
    """Decodes, refuses what cannot become an ID photo, and cuts the working region."""

    def __init__(self, settings: Settings, sides: Mapping[str | None, flow.Sides]) -> None:
        """``sides``: of the nets of each model, None being the service's own."""
        cv2.setNumThreads(1)
        tracing.start(settings.tracing, "Cropping")
        self._settings = settings
        self.worker = Worker(meter=StepMeter())
        folder = settings.weights_folder or default_folder()
        self._faces = finder.load(folder)
        self._how_drawn = _how_drawn(settings, folder)
        self._sides = sides
        self._max_pixels = settings.max_pixels
        self._courtesy = Courtesy()

    def check_health(self) -> None:
        health.check(self.worker, self._settings)

    @calls.step
    async def photo(self, data: bytes, order: Order, deadline_at: float) -> Portrait:
        self._courtesy.urgent()
        return await self._photo(data, order, deadline_at)

    @calls.step
    async def later(self, data: bytes, order: Order, deadline_at: float) -> Portrait:
        """As ``photo``, after those that somebody waits for."""
        await self._courtesy.turn()
        return await self._photo(data, order, deadline_at)

    async def _photo(self, data: bytes, order: Order, deadline_at: float) -> Portrait:
        portrait: Portrait = await self.worker.run(self._prepared, data, order, deadline_at)
        return portrait

    def _prepared(self, data: bytes, order: Order, deadline_at: float) -> Portrait:
        calls.check(deadline_at)
        return self._asked(flow.prepare_photo, data, order)

    def _asked(self, prepare: Callable[..., Portrait], data: bytes, order: Order) -> Portrait:
        return prepare(
            data,
            order,
            self._faces.find,
            sides=self._sides[order.model],
            max_pixels=self._max_pixels,
            how_drawn=self._how_drawn,
        )

    @calls.step
    def check(self, data: bytes, order: Order, deadline_at: float) -> Portrait:
        self._courtesy.urgent()
        calls.check(deadline_at)
        return self._asked(flow.prepare_check, data, order)

    @calls.step
    def cutout(self, data: bytes, order: CutoutOrder, deadline_at: float) -> Portrait:
        self._courtesy.urgent()
        calls.check(deadline_at)
        sides = self._sides[order.model]
        return flow.prepare_cutout(
            data, order, self._faces.find, sides=sides, max_pixels=self._max_pixels
        )

    @calls.step
    def edit(self, data: bytes, order: EditOrder, deadline_at: float) -> tuple[IdPhoto, ...]:
        self._courtesy.urgent()
        calls.check(deadline_at)
        return edits.edited(data, order, self._faces.find)
