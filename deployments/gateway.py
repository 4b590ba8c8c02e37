"""The ingress: takes a photo through the graph within its deadline."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from fastapi import FastAPI
from ray import serve
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatus

from deployments import routes, tracing
from deployments.admission import Admission
from deployments.chain import Chain, Kind, Timings
from deployments.metrics import Places
from deployments.settings import Settings
from deployments.tokens import Cutout, Seal
from pipeline.checks import of_refusal
from pipeline.edit_values import EditOrder
from pipeline.errors import UnusablePhoto
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import (
    CutoutOrder,
    IdPhoto,
    Order,
    Report,
)

_OrderT = TypeVar("_OrderT", Order, SheetOrder)


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
        cutouts: DeploymentHandle[Any] | None = None,
        secret: bytes = b"",
        models: Mapping[str, DeploymentHandle[Any]] = MappingProxyType({}),
    ) -> None:
        """``runner``, which works on jobs, is asked for nothing; to be bound makes it a part of the
        application. ``cutouts`` keeps people for further orders, under tokens that are signed with
        the ``secret``. ``models`` are other deployments of Matting, by the names of the settings.
        """
        self.settings = settings
        tracing.start(settings.tracing, "Gateway")
        self._chain = Chain(cropping, matting, compositing, cutouts, settings.label, models)
        self._seal = Seal(secret)
        self._admission = Admission(settings.max_photos_in_flight, settings.deadline_s)
        self._places = Places()
        self._tell()

    def __serve_build_asgi_app__(self) -> FastAPI:
        return routes.build(self)

    async def photos(self, data: bytes, order: Order, timings: Timings) -> tuple[IdPhoto, ...]:
        """Every variant of the order. ``timings`` takes the milliseconds of each step."""
        order = self._hurried(order)
        finished: tuple[IdPhoto, ...] = await self._run("photo", data, order, timings)
        return finished

    async def sheet(self, data: bytes, order: SheetOrder, timings: Timings) -> PrintSheet:
        """The one sheet. ``timings`` takes the milliseconds of each step."""
        order = self._hurried(order)
        finished: PrintSheet = await self._run("sheet", data, order, timings)
        return finished

    async def kept_photos(
        self, data: bytes, order: Order, owner: str | None, timings: Timings
    ) -> tuple[tuple[IdPhoto, ...], Cutout | None]:
        """As ``photos``, and what others can be asked for with ``again``, for the key ``owner``;
        None where it could not be kept.
        """
        order = self._hurried(replace(order, reuse=True))
        made: tuple[tuple[IdPhoto, ...], Cutout | None]
        made = await self._run("kept_photo", data, order, timings, owner)
        return made

    async def kept_sheet(
        self, data: bytes, order: SheetOrder, owner: str | None, timings: Timings
    ) -> tuple[PrintSheet, Cutout | None]:
        """As ``kept_photos``, of a sheet."""
        order = self._hurried(order.each(lambda photos: replace(photos, reuse=True)))
        made: tuple[PrintSheet, Cutout | None]
        made = await self._run("kept_sheet", data, order, timings, owner)
        return made

    async def again(
        self, token: str, order: Order | SheetOrder, owner: str | None, timings: Timings
    ) -> tuple[Any, Cutout]:
        """The photos, or the sheet, of who is kept under the token, and that token.

        Raises BadOrder (``bad_cutout``), Gone, and what the other ways raise.
        """
        id = self._seal.open(token)
        with self._placed() as deadline_at:
            made: tuple[Any, Cutout]
            made = await self._chain.again(id, owner, order, deadline_at, timings)
            return made

    def _hurried(self, order: _OrderT) -> _OrderT:
        """The order, in fast where so many places are taken."""
        quality = order.photos.quality if isinstance(order, SheetOrder) else order.quality
        limit = self.settings.fast_when_full
        if limit is None or quality != "best" or self._admission.full_share <= limit:
            return order
        self._places.hurried()
        if isinstance(order, SheetOrder):
            return order.each(lambda photos: replace(photos, quality="fast"))
        return replace(order, quality="fast")

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

    async def edits(self, data: bytes, order: EditOrder, timings: Timings) -> tuple[IdPhoto, ...]:
        """What becomes of a finished picture. ``timings`` takes the milliseconds of the step."""
        with self._placed() as deadline_at:
            made: tuple[IdPhoto, ...]
            made = await self._chain.edit(data, order, deadline_at, timings)
            return made

    async def _run(
        self,
        kind: Kind,
        data: bytes,
        order: Order | SheetOrder | CutoutOrder,
        timings: Timings,
        *owner: str | None,
    ) -> Any:
        photos = order.photos if isinstance(order, SheetOrder) else order
        with self._placed(photos.model) as deadline_at:
            return await self._chain.run(kind, data, order, deadline_at, timings, *owner)

    @contextmanager
    def _placed(self, model: str | None = None) -> Iterator[float]:
        """A place for one photo, and until when it has time. Raises Overloaded."""
        more_s = self.settings.models[model].start_s if model else 0
        try:
            with self._admission.place(typical=not more_s):
                self._tell()
                yield time.time() + self.settings.deadline_s + more_s
        finally:
            self._tell()

    def _tell(self) -> None:
        self._places.taken(self._admission.in_flight, self._admission.limit)

    @property
    def places(self) -> tuple[int, int]:
        """Photos that may be in work at once in this replica, and how many more may be now."""
        limit = self._admission.limit
        return limit, max(0, limit - self._admission.in_flight)

    def require_room(self) -> None:
        """Raises Overloaded where a photo would be refused now; asked before its upload is read."""
        self._admission.require_room()

    async def ready(self) -> bool:
        """Whether every deployment of the application runs."""
        name = serve.get_replica_context().app_name
        status = await asyncio.to_thread(serve.status)
        return status.applications[name].status == ApplicationStatus.RUNNING
