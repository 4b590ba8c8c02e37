"""The HTTP interface: requests to orders, finished photos to answers."""

import time
from importlib.metadata import version
from typing import Any, Protocol

from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from starlette.middleware.cors import CORSMiddleware

from deployments import (
    answers,
    forms,
    metrics,
    note,
    pages,
    preview,
    problems,
    reuse,
    schemas,
    scrape,
    uploads,
    web,
)
from deployments.arrival import Arrival
from deployments.dropin import interfaces
from deployments.finish_forms import FinishForm
from deployments.forms import CheckForm, CutoutForm, DocumentQuery
from deployments.guard import Guard
from deployments.headers import SecurityHeaders
from deployments.jobs import routes as job_routes
from deployments.leaving import Leaving
from deployments.places import Places
from deployments.request_log import RequestLog
from deployments.reuse import CUTOUT_FIELD, PhotoRequest, SheetRequest
from deployments.schemas import DocumentInfo, PhotosInfo, ReportsInfo, SheetInfo
from deployments.settings import Settings
from deployments.statuses import MEDIA_TYPE, STATUS
from pipeline import documents, orders
from pipeline.edit_values import EditOrder
from pipeline.errors import BadOrder, NotFound, Unavailable
from pipeline.sheet_values import SheetOrder
from pipeline.values import (
    CutoutOrder,
    IdPhoto,
    Order,
    Report,
)

_PREFLIGHT_S = 600
_PHOTOS = ("image/jpeg", "image/png", "image/webp", "application/zip")
_CUTOUTS = ("image/png", "image/webp")
# What a page of another origin may read of an answer, besides its body.
_EXPOSED = (
    *("Content-Disposition", "Content-Language", "Location", "Retry-After", "Server-Timing"),
    *("WWW-Authenticate", "X-Checks", "X-Cutout", "X-File", "X-Photos", "X-Quality"),
    "X-Request-Id",
)


class Studio(reuse.Studio, Protocol):
    """Whoever turns photos into ID photos: the Gateway in service, a stand-in in tests."""

    async def checks(
        self, data: bytes, order: Order, as_is: bool, timings: dict[str, float]
    ) -> tuple[Report, ...]: ...

    async def cutouts(
        self, data: bytes, order: CutoutOrder, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]: ...

    async def edits(
        self, data: bytes, order: EditOrder, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]: ...

    @property
    def places(self) -> tuple[int, int]: ...

    def require_room(self) -> None: ...

    async def ready(self) -> bool: ...


def build(studio: Studio) -> FastAPI:
    """The ASGI application. Its /docs page needs nothing from other hosts."""
    app: FastAPI = FastAPIOffline(
        title="idphoto-serve",
        version=version("idphoto-serve"),
        summary="ID photos from casual portraits.",
        docs_url=None,
        redoc_url=None,
        # Puts the Authorize button on /docs, and no more: the Guard does the asking.
        dependencies=[Depends(HTTPBearer(auto_error=False))] if studio.settings.keys else [],
    )
    problems.install(app)
    pages.install(app)
    private = preview.find(studio.settings)
    preview.install(app, private)
    web.install(app, private.path if private else "")
    scrape.install(app)
    settings = studio.settings
    _protect(app, settings)

    async def _read(request: Request) -> tuple[bytes, list[tuple[str, str]], bytes | None]:
        """Photo, parameters, and the picture of the background."""
        also = (uploads.BACKGROUND_FIELD,)
        found = await uploads.read_all(request, settings.max_body_bytes, CUTOUT_FIELD, also)
        return found.photo, found.fields, found.others.get(uploads.BACKGROUND_FIELD)

    @app.post("/v1/photos", tags=["photos"], **_takes(PhotoRequest), **_gives(*_PHOTOS))
    async def photos(request: Request) -> Response:
        """An ID photo of the one person in the photo.

        One document in one background is answered with the picture, several with a zip of all
        variants from one matte. With ``Accept: application/json`` the answer holds the pictures in
        base64 and their checks, as POST /v1/checks gives them. With ``sheet`` a sheet for print
        comes with them. With ``reuse`` the cut-out is kept for a few minutes, and ``cutout`` takes
        the photo's place.
        """
        studio.require_room()
        start = time.perf_counter()
        data, fields, image = await _read(request)
        form = forms.parse(PhotoRequest, fields)
        order = forms.photo_order(form, settings.max_variants, image)
        order = forms.with_model(order, form.model, settings.models)
        timings = _noted(request, order, start)
        if form.sheet is not None:
            wanted = orders.with_sheet(order, form.sheet)
            made = await reuse.sheet(studio, request, data, form, wanted, timings)
            return _timed(answers.photos_and_sheet(request, *made), timings)
        photos = await reuse.photos(studio, request, data, form, order, timings)
        return _timed(answers.photos(request, *photos), timings)

    @app.post(
        "/v1/sheets",
        tags=["photos"],
        **_takes(SheetRequest),
        **_gives("image/jpeg", "image/png", "application/pdf", model=SheetInfo),
    )
    async def sheets(request: Request) -> Response:
        """A sheet of paper with ID photos of the one person in the photo, for print at true size.

        With ``Accept: application/json`` the answer holds the sheet in base64 and the checks of its
        photos.
        """
        studio.require_room()
        start = time.perf_counter()
        data, fields, image = await _read(request)
        form = forms.parse(SheetRequest, fields)
        order = forms.sheet_order(form, settings.max_variants, image)
        order = forms.with_model(order, form.model, settings.models)
        timings = _noted(request, order, start)
        made = await reuse.sheet(studio, request, data, form, order, timings)
        return _timed(answers.sheet(request, *made), timings)

    @app.post("/v1/cutouts", tags=["photos"], **_takes(CutoutForm), **_gives(*_CUTOUTS))
    async def cutouts(request: Request) -> Response:
        """The person or thing on transparent ground, or its mask."""
        studio.require_room()
        start = time.perf_counter()
        data, fields = await uploads.read(request, settings.max_body_bytes)
        form = forms.parse(CutoutForm, fields)
        order = forms.cutout_order(form, settings.max_cutout_side_px)
        order = forms.with_model(order, form.model, settings.models)
        timings = _noted(request, order, start)
        return _timed(answers.photos(request, await studio.cutouts(data, order, timings)), timings)

    @app.post(
        "/v1/checks", tags=["photos"], response_model=ReportsInfo, **_takes(CheckForm), **_refuses()
    )
    async def checks(request: Request) -> Response:
        """What is to be said about a photo: one value for each check, with its limits and a hint.

        By default the photo is a snapshot, and the answer tells what would come of it. With
        ``as_is`` it is a finished ID photo, which is judged as it is. A photo without a single face
        is answered, too: with the check that failed.
        """
        studio.require_room()
        start = time.perf_counter()
        data, fields = await uploads.read(request, settings.max_body_bytes)
        form = forms.parse(CheckForm, fields)
        order = forms.check_order(form, settings.max_variants)
        timings = _noted(request, order, start)
        reports = await studio.checks(data, order, form.as_is, timings)
        return _timed(answers.checks(reports), timings)

    @app.get(
        "/v1/documents",
        tags=["documents"],
        openapi_extra={"parameters": _in_query(DocumentQuery)},
        **_refuses(),
    )
    def list_documents(request: Request) -> list[DocumentInfo]:
        """Every document, or those that are searched for: size and where the rule wants the head.

        Case and accents do not count.
        """
        query = forms.parse(DocumentQuery, request.query_params.multi_items())
        return [schemas.document_info(found) for found in documents.search(query.q, query.country)]

    @app.get("/v1/documents/{name}", tags=["documents"], **_refuses())
    def one_document(name: str) -> DocumentInfo:
        """One document by its id."""
        try:
            return schemas.document_info(documents.find(name))
        except BadOrder as error:
            raise NotFound(error.code, **error.details) from None

    @app.get("/healthz", tags=["health"])
    def healthz() -> dict[str, str]:
        """Liveness: this process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], **_refuses())
    async def readyz() -> dict[str, str]:
        """Readiness: every step of the graph has a running replica; else 503."""
        if not await studio.ready():
            raise Unavailable("unavailable")
        return {"status": "ready"}

    job_routes.install(app, settings)
    interfaces.install(app, studio)
    # Whatever reads below is told of a client that leaves.
    app.add_middleware(Leaving)
    app.add_middleware(RequestLog)
    app.add_middleware(Places, gateway=studio)
    return app


def _protect(app: FastAPI, settings: Settings) -> None:
    """What a request passes before a route sees it; the last one added is the first one passed."""
    app.add_middleware(Arrival, upload_s=settings.upload_s)
    app.add_middleware(Guard, settings=settings)
    if settings.allowed_origins:
        # Outside the guard: a browser asks for permission before it sends a key.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=(
                *("Authorization", "X-Api-Key", "X-Request-Id", "Content-Type"),
                *("Idempotency-Key", "Last-Event-ID"),
            ),
            expose_headers=_EXPOSED,
            max_age=_PREFLIGHT_S,
        )
    app.add_middleware(SecurityHeaders)


def _noted(
    request: Request, order: Order | SheetOrder | CutoutOrder, start: float
) -> dict[str, float]:
    """The timings that the steps go on with, from the request's note, which now knows the order and
    the upload that began at ``start``.
    """
    noted = note.of(request.scope)
    noted.document = metrics.document(order)
    noted.timings["upload"] = (time.perf_counter() - start) * 1000
    return noted.timings


def _timed(response: Response, timings: dict[str, float]) -> Response:
    response.headers["Server-Timing"] = ", ".join(
        f"{step};dur={milliseconds:.1f}" for step, milliseconds in timings.items()
    )
    return response


def _takes(form: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI of a request that holds a photo and the form's fields, as multipart or as body and
    query.
    """
    schema = form.model_json_schema()
    picture = {"type": "string", "format": "binary"}
    fields = {uploads.PHOTO_FIELD: picture, **schema["properties"]}
    if issubclass(form, FinishForm):
        fields[uploads.BACKGROUND_FIELD] = picture
    required = [] if CUTOUT_FIELD in fields else [uploads.PHOTO_FIELD]
    multipart = {
        "type": "object",
        "properties": fields,
        "required": required,
        "additionalProperties": False,
    }
    content = {"multipart/form-data": {"schema": multipart}, "image/*": {"schema": picture}}
    return {
        "openapi_extra": {
            "parameters": _in_query(form),
            "requestBody": {"required": bool(required), "content": content},
        }
    }


def _in_query(form: type[BaseModel]) -> list[dict[str, Any]]:
    """OpenAPI of the form's fields as parameters of the query."""
    return [
        {"name": name, "in": "query", "required": False, "schema": field}
        for name, field in form.model_json_schema()["properties"].items()
    ]


def _gives(*media_types: str, model: type[BaseModel] = PhotosInfo) -> dict[str, Any]:
    """OpenAPI of the answers: files, JSON, and problem documents."""
    file = {"schema": {"type": "string", "format": "binary"}}
    content: dict[str, Any] = dict.fromkeys(media_types, file)
    responses = {
        200: {"description": "The picture.", "content": content, "model": model},
        **_refuses()["responses"],
    }
    return {"response_class": Response, "responses": responses}


def _refuses() -> dict[str, Any]:
    """OpenAPI of the problem documents."""
    responses: dict[int | str, Any] = {}
    content = {MEDIA_TYPE: {"schema": schemas.ProblemInfo.model_json_schema()}}
    for status, title, _ in STATUS.values():
        responses[status] = {"description": title, "content": content}
    return {"responses": responses}
