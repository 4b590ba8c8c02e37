"""The service's graph with steps that do nothing, for ``benchmarks.graph``: what is left is Ray."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from ray import serve
from ray.serve import Application, Deployment
from ray.serve.handle import DeploymentHandle
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import photos
from benchmarks.floor import NETS, Pipeline
from deployments import calls
from deployments.gateway import Gateway
from deployments.matting import Alphas, Matting
from deployments.settings import Settings
from deployments.worker import Worker
from models.catalog import find
from models.matting import interface
from pipeline.values import Alpha8, IdPhoto, Portrait, Rgb

Variant = Literal["gateway", "reference", "value", "chained"]

_REPLICAS = {"Entry": 1, "Cropping": 1, "Matting": 2, "Compositing": 1}
_MEGAPIXELS = 1.5


class Options(BaseModel):
    """The ``args`` of the application."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: Variant = "gateway"
    """gateway: the service's own, with its HTTP interface. The others read the body and no more;
    the portrait goes to Compositing by reference or by value, or each step is given the response
    of the one before and only the last is waited for.
    """
    empty: bool = False
    """Arrays of one pixel."""


class Cropping:
    """Answers with the same portrait each time."""

    def __init__(self, empty: bool) -> None:
        self.worker = Worker()
        self._portrait = Pipeline("best").portrait(photos.enlarged(_MEGAPIXELS))
        if empty:
            pixel = np.zeros((1, 1, 3), np.uint8)
            views = {
                role: tuple(replace(view, rgb=pixel) for view in seen)
                for role, seen in self._portrait.views.items()
            }
            self._portrait = replace(self._portrait, region_rgb=pixel, views=views)

    @calls.step
    def photo(self, data: bytes, order: object, deadline_at: float) -> Portrait:
        return self._portrait


class Net:
    """In the place of a MattingNet."""

    halved_batches = 0

    def __init__(self, side_px: int) -> None:
        self._alpha = np.zeros((side_px, side_px), np.uint8)

    def matte(self, frames: list[Rgb]) -> list[Alpha8]:
        return [self._alpha] * len(frames)


class PortraitMatting(Matting):
    """The service's own deployment, batch queue and gate included, which also takes a portrait."""

    async def portrait(self, portrait: Portrait, deadline_at: float) -> Alphas:
        return await self(portrait.frames, deadline_at)


class Compositing:
    """Answers with the same file each time."""

    def __init__(self, empty: bool) -> None:
        self.worker = Worker()
        self._photo = Pipeline("best").photo(photos.enlarged(_MEGAPIXELS))
        if empty:
            self._photo = replace(self._photo, data=b"")

    @calls.step
    def photo(
        self, portrait: Portrait, alphas: Alphas, order: object, deadline_at: float
    ) -> tuple[IdPhoto, ...]:
        return (self._photo,)


@serve.ingress()
class Relay:
    """The Gateway without its HTTP interface: body in, file out."""

    def __init__(
        self,
        options: Options,
        cropping: DeploymentHandle[Any],
        matting: DeploymentHandle[Any],
        compositing: DeploymentHandle[Any],
    ) -> None:
        self._variant = options.variant
        self._cropping, self._matting, self._compositing = cropping, matting, compositing

    def __serve_build_asgi_app__(self) -> Starlette:
        async def finished(request: Request) -> Response:
            (photo,) = await self._photo(await request.body())
            return Response(photo.data, media_type=photo.media_type)

        async def readyz(request: Request) -> Response:
            return Response()

        return Starlette(
            routes=[Route("/v1/photos", finished, methods=["POST"]), Route("/readyz", readyz)]
        )

    async def _photo(self, data: bytes) -> tuple[IdPhoto, ...]:
        until = float("inf")
        compose = self._compositing.photo
        cropped = self._cropping.photo.remote(data, None, until)
        if self._variant == "chained":
            matted = self._matting.portrait.remote(cropped, until)
            return await _finished(compose.remote(cropped, matted, None, until))
        portrait = await calls.result(cropped, until)
        alphas = await calls.result(self._matting.remote(portrait.frames, until), until)
        sent = cropped if self._variant == "reference" else portrait
        return await _finished(compose.remote(sent, alphas, None, until))


def build(options: Options) -> Application:
    """The application of one variant; Ray Serve calls it with the ``args`` of the config."""
    settings = Settings.model_validate({"device": "cpu"})
    matting = (
        _deployed(PortraitMatting, "Matting")
        .options(user_config={"max_size": 1, "wait_ms": 0})
        .bind(_Nets(options.empty), settings)
    )
    cropping = _deployed(Cropping).bind(options.empty)
    compositing = _deployed(Compositing).bind(options.empty)
    entry: Any = Gateway if options.variant == "gateway" else Relay
    first = settings if options.variant == "gateway" else options
    return _deployed(entry, "Entry").bind(first, cropping, matting, compositing)


class _Nets:
    """Loads the nets in the replica."""

    def __init__(self, empty: bool) -> None:
        self._empty = empty

    def __call__(self) -> dict[str, Net]:
        sides = {role: interface(find(name)).size_px for role, name in NETS.items()}
        return {role: Net(1 if self._empty else side_px) for role, side_px in sides.items()}


def _deployed(cls: type[Any], name: str = "") -> Deployment:
    name = name or cls.__name__
    most = Settings.model_validate({}).max_photos_in_flight
    made: Deployment = serve.deployment(
        name=name,
        num_replicas=_REPLICAS[name],
        max_ongoing_requests=2 * most,
        max_queued_requests=most,
        ray_actor_options={"num_cpus": 0},
    )(cls)
    return made


async def _finished(response: Any) -> tuple[IdPhoto, ...]:
    finished: tuple[IdPhoto, ...] = await response
    return finished
