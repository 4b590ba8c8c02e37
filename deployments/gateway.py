"""The ingress: takes a photo through the graph within its deadline."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve import metrics
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatus

from deployments import routes
from deployments.admission import Admission
from deployments.chain import Chain, Kind, Timings
from deployments.settings import Settings
from pipeline.checks import of_refusal
from pipeline.errors import UnusablePhoto
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import (
    CutoutOrder,
    IdPhoto,
    Order,
    Report,
)


@serve.ingress()
class Gateway:
    """Admits as many photos as can be finished in time, and calls the steps in turn."""

    def __init__(
        self,
        settings: Settings,
        cropping: DeploymentHandle[Any],
        matting: DeploymentHandle[Any],
        compositing: DeploymentHandle[Any],
        runner: DeploymentHandle[Any] | None = None,
    ) -> None:
        """``runner``, which works on jobs, is asked for nothing; to be bound makes it a part of the
        application.
        """
        self.settings = settings
        self._chain = Chain(cropping, matting, compositing)
        self._admission = Admission(settings.max_photos_in_flight, settings.deadline_s)
        self._hurries = metrics.Counter(
            "idphoto_hurried_photos",
            description="Photos made in fast instead of best, because the places were taken.",
        )

    def __serve_build_asgi_app__(self) -> FastAPI:
        return routes.build(self)

    async def photos(self, data: bytes, order: Order, timings: Timings) -> tuple[IdPhoto, ...]:
        """Every variant of the order. ``timings`` takes the milliseconds of each step."""
        if self._hurried(order):
            self._hurries.inc()
            order = replace(order, quality="fast")
        finished: tuple[IdPhoto, ...] = await self._run("photo", data, order, timings)
        return finished

    async def sheet(self, data: bytes, order: SheetOrder, timings: Timings) -> PrintSheet:
        """The one sheet. ``timings`` takes the milliseconds of each step."""
        if self._hurried(order.photos):
            self._hurries.inc()
            order = replace(order, photos=replace(order.photos, quality="fast"))
        finished: PrintSheet = await self._run("sheet", data, order, timings)
        return finished

    def _hurried(self, order: Order) -> bool:
        limit = self.settings.fast_when_full
        return limit is not None and order.quality == "best" and self._admission.full_share > limit

    async def checks(
        self, data: bytes, order: Order, as_is: bool, timings: Timings
    ) -> tuple[Report, ...]:
        """What is to be said about the photo as it is, or about what would be made of it, for each
        document of the order. ``timings`` takes the milliseconds of each step.
        """
        try:
            if as_is:
                reports: tuple[Report, ...] = await self._run("check", data, order, timings)
                return reports
            photos = await self.photos(data, order, timings)
            return tuple(Report(photo.document, photo.checks) for photo in photos)
        except UnusablePhoto as refusal:
            found = of_refusal(refusal)
            return tuple(Report(document.id, found) for document in order.documents)

    async def cutouts(
        self, data: bytes, order: CutoutOrder, timings: Timings
    ) -> tuple[IdPhoto, ...]:
        """The one cut-out. ``timings`` takes the milliseconds of each step."""
        finished: tuple[IdPhoto, ...] = await self._run("cutout", data, order, timings)
        return finished

    async def _run(
        self, kind: Kind, data: bytes, order: Order | SheetOrder | CutoutOrder, timings: Timings
    ) -> Any:
        with self._admission.place():
            deadline_at = time.time() + self.settings.deadline_s
            return await self._chain.run(kind, data, order, deadline_at, timings)

    def require_room(self) -> None:
        """Raises Overloaded where a photo would be refused now; asked before its upload is read."""
        self._admission.require_room()

    async def ready(self) -> bool:
        """Whether every deployment of the application runs."""
        name = serve.get_replica_context().app_name
        status = await asyncio.to_thread(serve.status)
        return status.applications[name].status == ApplicationStatus.RUNNING
