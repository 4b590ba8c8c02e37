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

from deployments import calls, routes
from deployments.admission import Admission
from deployments.settings import Settings
from pipeline.checks import of_refusal
from pipeline.errors import UnusablePhoto
from pipeline.values import CutoutOrder, Doubt, IdPhoto, Order, Report


@serve.ingress()
class Gateway:
    """Admits as many photos as can be finished in time, and calls the steps in turn."""

    def __init__(
        self,
        settings: Settings,
        cropping: DeploymentHandle[Any],
        matting: DeploymentHandle[Any],
        compositing: DeploymentHandle[Any],
    ) -> None:
        self.settings = settings
        self._cropping = cropping
        # Half a megabyte to the nets, and less back: by gRPC this is a fifth cheaper than through
        # the object store, which carries the portrait. Ray's only switch for one handle is private.
        self._matting = matting.options(_by_reference=False)
        self._compositing = compositing
        self._admission = Admission(settings.max_photos_in_flight, settings.deadline_s)
        self._escalated = metrics.Counter(
            "idphoto_escalated_photos",
            description="Photos whose matte was not certain and that the expert net saw as well.",
        )
        self._hurries = metrics.Counter(
            "idphoto_hurried_photos",
            description="Photos made in fast instead of best, because the places were taken.",
        )

    def __serve_build_asgi_app__(self) -> FastAPI:
        return routes.build(self)

    async def photos(
        self, data: bytes, order: Order, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]:
        """Every variant of the order. ``timings`` takes the milliseconds of each step."""
        crop, compose = self._cropping.photo, self._compositing.photo
        if self._hurried(order):
            self._hurries.inc()
            order = replace(order, quality="fast")
        finished: tuple[IdPhoto, ...] = await self._run(crop, compose, data, order, timings)
        return finished

    def _hurried(self, order: Order) -> bool:
        limit = self.settings.fast_when_full
        return limit is not None and order.quality == "best" and self._admission.full_share > limit

    async def checks(
        self, data: bytes, order: Order, as_is: bool, timings: dict[str, float]
    ) -> tuple[Report, ...]:
        """What is to be said about the photo as it is, or about what would be made of it, for each
        document of the order. ``timings`` takes the milliseconds of each step.
        """
        try:
            if as_is:
                crop, compose = self._cropping.check, self._compositing.check
                reports: tuple[Report, ...]
                reports = await self._run(crop, compose, data, order, timings)
                return reports
            photos = await self.photos(data, order, timings)
            return tuple(Report(photo.document, photo.checks) for photo in photos)
        except UnusablePhoto as refusal:
            found = of_refusal(refusal)
            return tuple(Report(document.id, found) for document in order.documents)

    async def cutouts(
        self, data: bytes, order: CutoutOrder, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]:
        """The one cut-out. ``timings`` takes the milliseconds of each step."""
        crop, compose = self._cropping.cutout, self._compositing.cutout
        finished: tuple[IdPhoto, ...] = await self._run(crop, compose, data, order, timings)
        return finished

    async def _run(
        self,
        crop: DeploymentHandle[Any],
        compose: DeploymentHandle[Any],
        data: bytes,
        order: Order | CutoutOrder,
        timings: dict[str, float],
    ) -> Any:
        with self._admission.place():
            deadline_at = time.time() + self.settings.deadline_s
            # Compositing gets the portrait from Cropping by reference: it is not sent anew here.
            cropped = crop.remote(data, order, deadline_at)
            portrait = await _timed(timings, "cropping", calls.result(cropped, deadline_at))
            matted = self._matting.remote(portrait.frames, deadline_at)
            alphas = await _timed(timings, "matting", calls.result(matted, deadline_at))
            composed = compose.remote(cropped, alphas, order, deadline_at)
            finished = await _timed(timings, "compositing", calls.result(composed, deadline_at))
            if not isinstance(finished, Doubt):
                return finished
            self._escalated.inc()
            asked = self._matting.remote(finished.frames, deadline_at)
            alphas |= await _timed(timings, "expert", calls.result(asked, deadline_at))
            composed = compose.remote(cropped, alphas, order, deadline_at)
            return await _timed(timings, "compositing", calls.result(composed, deadline_at))

    def require_room(self) -> None:
        """Raises Overloaded where a photo would be refused now; asked before its upload is read."""
        self._admission.require_room()

    async def ready(self) -> bool:
        """Whether every deployment of the application runs."""
        name = serve.get_replica_context().app_name
        status = await asyncio.to_thread(serve.status)
        return status.applications[name].status == ApplicationStatus.RUNNING


async def _timed(timings: dict[str, float], step: str, work: Any) -> Any:
    start = time.perf_counter()
    try:
        return await work
    finally:
        timings[step] = timings.get(step, 0) + (time.perf_counter() - start) * 1000
