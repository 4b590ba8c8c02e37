"""The HTTP interface of jobs: sent, watched, fetched, erased."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from deployments import forms
from deployments.jobs import archive, events, schemas
from deployments.jobs.depot import Depot
from deployments.jobs.files import MissingFile
from deployments.jobs.flow import AtGateway
from deployments.jobs.intake import Intake
from deployments.jobs.openapi import events_extra, refuses, takes_job, takes_query
from deployments.jobs.records import Item, ItemState
from deployments.jobs.schemas import ItemsPage, JobInfo, RetryInfo
from deployments.jobs.store import WrongState
from deployments.settings import Settings
from deployments.statuses import STATUS
from pipeline.errors import BadOrder, Conflict, IdPhotoError, NotFound

_MOST = 2**31 - 1
_MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".zip": "application/zip",
}
# Codes of our own for a WebSocket: 4000 and the status that the same error has in HTTP.
_CLOSE = 4000
_BY_CLIENT = "client"
"""Why a job is paused: somebody asked for it."""
Number = Annotated[int, Field(ge=0, le=_MOST)]


class ItemsQuery(BaseModel):
    """The parameters of GET /v1/jobs/{id}/items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: list[str] = Field([], description="Only photos in these states; repeatable.")
    after: int = Field(-1, ge=-1, le=_MOST, description="Only positions beyond this one.")
    limit: int = Field(100, ge=1, le=500)


class ResultQuery(BaseModel):
    """The parameters of GET /v1/jobs/{id}/items/{position}/result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: Number | None = Field(
        None, description="One of several pictures, from 0. Default: all, as a zip."
    )


class EventsQuery(BaseModel):
    """The parameters of GET /v1/jobs/{id}/events."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: Number = Field(
        0, description="That of the last message that was received; 0: from the beginning."
    )


def install(app: FastAPI, settings: Settings) -> None:
    """Adds the routes, unless the settings turn jobs off."""
    if settings.jobs is None:
        return
    depot = Depot(settings.jobs)
    intake = Intake(depot, settings)
    app.add_middleware(AtGateway)
    # A job's photos and progress are each client's own: those of other keys do not exist.
    _install_jobs(app, depot, intake)
    _install_steering(app, depot)
    _install_results(app, depot)
    _install_events(app, depot)


def _install_jobs(app: FastAPI, depot: Depot, intake: Intake) -> None:
    @app.post("/v1/jobs", tags=["jobs"], status_code=202, **takes_job(), **refuses())
    async def create_job(request: Request) -> JobInfo:
        """Thousands of photos under one order, worked on while nobody waits.

        The photos are multipart files, one zip, or keys of an object store. The answer is 202 with
        the job, and 200 where the same ``Idempotency-Key`` has made it before.
        """
        job, created = await intake.receive(request, _key_name(request))
        info = await _info(depot, job.id)
        location = f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"
        return JSONResponse(  # type: ignore[return-value]
            info.model_dump(mode="json"), 202 if created else 200, {"Location": location}
        )

    @app.get("/v1/jobs/{job_id}", tags=["jobs"], **refuses())
    async def job(request: Request, job_id: str) -> JobInfo:
        """State, counts, rate and time left."""
        await depot.run(depot.job, job_id, _key_name(request))
        return await _info(depot, job_id)

    @app.get("/v1/jobs/{job_id}/items", tags=["jobs"], **takes_query(ItemsQuery), **refuses())
    async def items(request: Request, job_id: str) -> ItemsPage:
        """The photos by position, with their findings or errors, page by page."""
        query: ItemsQuery = forms.parse(ItemsQuery, request.query_params.multi_items())
        states = [_state(name) for name in query.state]
        await depot.run(depot.job, job_id, _key_name(request))

        def page() -> list[Item]:
            after, limit = query.after, query.limit
            return depot.store.items(job_id, states=states, after=after, limit=limit)

        found = await depot.run(page)
        more = found[-1].position if len(found) == query.limit else None
        return ItemsPage(items=[schemas.item_info(item) for item in found], next_after=more)

    @app.post("/v1/jobs/{job_id}/retry", tags=["jobs"], status_code=202, **refuses())
    async def retry(request: Request, job_id: str) -> RetryInfo:
        """Tries the failed photos again whose upload is still there; the others stay."""

        def again(key_name: str) -> int:
            found = depot.job(job_id, key_name)
            try:
                return depot.store.retry_failed(job_id)
            except WrongState:
                raise Conflict("job_not_ended", state=found.state.value) from None

        retried = await depot.run(again, _key_name(request))
        return RetryInfo(retried=retried, job=await _info(depot, job_id))

    @app.delete("/v1/jobs/{job_id}", tags=["jobs"], status_code=204, **refuses())
    async def erase(request: Request, job_id: str) -> Response:
        """Cancels the job, and erases its photos, results and names at once."""

        def gone(key_name: str) -> None:
            depot.job(job_id, key_name)
            # First: from here on it is erased by the sweeper, should the rest fail.
            depot.store.expire(job_id)
            depot.files.delete_job(job_id)
            depot.store.delete(job_id)

        await depot.run(gone, _key_name(request))
        return Response(status_code=204)


def _install_steering(app: FastAPI, depot: Depot) -> None:
    async def steer(request: Request, job_id: str, turn: Callable[[], object]) -> JobInfo:
        await depot.run(depot.job, job_id, _key_name(request))
        await depot.run(turn)
        return await _info(depot, job_id)

    @app.post("/v1/jobs/{job_id}/pause", tags=["jobs"], **refuses())
    async def pause(request: Request, job_id: str) -> JobInfo:
        """Begins no further photo until the job is resumed. Nothing happens to one that does not
        run; a paused job is kept until it is resumed or deleted.
        """
        return await steer(request, job_id, lambda: depot.store.pause(_BY_CLIENT, job_id))

    @app.post("/v1/jobs/{job_id}/resume", tags=["jobs"], **refuses())
    async def resume(request: Request, job_id: str) -> JobInfo:
        """Goes on with a job that a client paused. Nothing happens to others."""
        return await steer(request, job_id, lambda: depot.store.resume(_BY_CLIENT, job_id))

    @app.post("/v1/jobs/{job_id}/cancel", tags=["jobs"], **refuses())
    async def cancel(request: Request, job_id: str) -> JobInfo:
        """Ends the job now; what is finished is kept as of a job that is done."""
        return await steer(request, job_id, lambda: depot.store.cancel(job_id))


def _install_results(app: FastAPI, depot: Depot) -> None:
    picture = {"schema": {"type": "string", "format": "binary"}}
    one = {kind: picture for kind in _MEDIA_TYPES.values()}
    zipped: dict[int | str, Any] = {
        200: {"description": "The archive.", "content": {"application/zip": picture}}
    }

    @app.get(
        "/v1/jobs/{job_id}/items/{position:int}/result",
        tags=["jobs"],
        response_class=Response,
        **takes_query(ResultQuery),
        **refuses({200: {"description": "The picture, or a zip of several.", "content": one}}),
    )
    async def result(request: Request, job_id: str, position: int) -> Response:
        """What came of one photo, also while the job runs."""
        query: ResultQuery = forms.parse(ResultQuery, request.query_params.multi_items())
        key_name = _key_name(request)

        def item() -> Item:
            depot.job(job_id, key_name)
            found = depot.store.item(job_id, position) if position <= _MOST else None
            if found is None:
                raise NotFound("unknown_item", position=position)
            if found.state is not ItemState.DONE:
                raise Conflict("no_result", state=found.state.value)
            return found

        found = await depot.run(item)
        names, keys = archive.picture_names(found), found.result_keys
        wanted = query.picture if query.picture is not None or len(keys) > 1 else 0
        if wanted is None:
            body = b"".join(await depot.run(list, archive.of_item(depot, found)))
            return _attached(body, "application/zip", f"{position}.zip")
        if wanted >= len(keys):
            reason = f"this photo has {len(keys)} pictures, counted from 0"
            raise BadOrder("bad_parameter", name="picture", reason=reason)
        try:
            data = await depot.run(depot.files.get, keys[wanted])
        except MissingFile:
            raise NotFound("unknown_item", position=position) from None
        ending = keys[wanted][keys[wanted].rfind(".") :]
        media_type = _MEDIA_TYPES.get(ending, "application/octet-stream")
        return _attached(data, media_type, names[wanted].rpartition("/")[2])

    @app.get(
        "/v1/jobs/{job_id}/result.zip",
        tags=["jobs"],
        response_class=Response,
        **refuses(zipped),
    )
    async def result_zip(request: Request, job_id: str) -> Response:
        """Every picture under its photo's name, and ``report.csv`` with what is to be said about
        each and why others failed. Only once the job has ended.
        """
        found = await depot.run(depot.job, job_id, _key_name(request))
        if not found.ended:
            raise Conflict("job_not_ended", state=found.state.value)
        chinese = request.headers.get("accept-language", "").lower().startswith("zh")
        pieces = archive.of_job(depot, job_id, chinese=chinese)
        headers = {"Content-Disposition": _disposition("photos.zip")}
        release = depot.take_stream()
        return _Streamed(pieces, release, media_type="application/zip", headers=headers)


def _install_events(app: FastAPI, depot: Depot) -> None:
    path = "/v1/jobs/{job_id}/events"

    @app.get(path, tags=["jobs"], response_class=Response, **events_extra(EventsQuery))
    async def server_sent_events(request: Request, job_id: str) -> Response:
        """Progress as server-sent events: ``progress``, ``heartbeat``, and ``end``, after which
        the stream is closed. ``Last-Event-ID`` or ``cursor`` go on where an earlier one stopped.
        The same path takes WebSockets and sends the same messages.
        """
        last = request.headers.get("last-event-id")
        cursor = _cursor(request.query_params, last)
        found = await depot.run(depot.job, job_id, _key_name(request))
        if last is not None and found.ended and cursor >= found.finished_no:
            # What tells a browser's EventSource, which has seen the end, not to come back.
            return Response(status_code=204)
        release = depot.take_stream()
        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        stream = _sse(depot, job_id, cursor)
        return _Streamed(stream, release, media_type="text/event-stream", headers=headers)

    async def websocket_events(websocket: WebSocket) -> None:
        job_id = websocket.path_params["job_id"]
        await websocket.accept()
        try:
            cursor = _cursor(websocket.query_params, None)
            await depot.run(depot.job, job_id, _key_name(websocket))
            with depot.stream():
                await _until_disconnect(websocket, _tell(websocket, depot, job_id, cursor))
        except IdPhotoError as error:
            status = STATUS[type(error)][0]
            await websocket.close(_CLOSE + status, error.code)
        except WebSocketDisconnect:
            pass

    # Not FastAPI's way: the application's dependencies are made for requests alone.
    app.router.routes.append(WebSocketRoute(path, websocket_events))


async def _tell(websocket: WebSocket, depot: Depot, job_id: str, cursor: int) -> None:
    async for message in events.messages(depot, job_id, cursor):
        await websocket.send_text(message.model_dump_json())
    await websocket.close()


async def _until_disconnect(websocket: WebSocket, work: Any) -> None:
    """Does the work until it is done or the client is gone. What clients send is not read."""

    async def disconnected() -> None:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(disconnected())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
    del done


async def _sse(depot: Depot, job_id: str, cursor: int) -> AsyncIterator[bytes]:
    async for message in events.messages(depot, job_id, cursor):
        yield events.sse(message)


class _Streamed(StreamingResponse):
    """A response that gives its place back when it has ended, however it ends."""

    def __init__(
        self, content: AsyncIterator[bytes], release: Callable[[], None], **about: Any
    ) -> None:
        super().__init__(content, **about)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


def _key_name(connection: Request | WebSocket) -> str:
    return getattr(connection.state, "key_name", None) or ""


async def _info(depot: Depot, job_id: str) -> JobInfo:
    def look() -> JobInfo:
        return schemas.job_info(events.look(depot.store, job_id))

    return await depot.run(look)


def _state(name: str) -> ItemState:
    try:
        return ItemState(name)
    except ValueError:
        reason = f"it takes {', '.join(state.value for state in ItemState)}"
        raise BadOrder("bad_parameter", name="state", reason=reason) from None


def _cursor(query: QueryParams, last_event_id: str | None) -> int:
    fields = query.multi_items()
    if last_event_id:
        fields = [field for field in fields if field[0] != "cursor"] + [("cursor", last_event_id)]
    parsed: EventsQuery = forms.parse(EventsQuery, fields)
    return parsed.cursor


def _attached(data: bytes, media_type: str, name: str) -> Response:
    return Response(
        data, media_type=media_type, headers={"Content-Disposition": _disposition(name)}
    )


def _disposition(name: str) -> str:
    """RFC 6266, for old clients in ASCII as well."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
