"""Errors of the HTTP interface as answers: problem documents in the client's language."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fastapi import FastAPI
from ray.exceptions import RayActorError
from ray.serve.context import _get_serve_request_context
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from deployments import note
from deployments.headers import ALWAYS
from deployments.statuses import MEDIA_TYPE, RETRY_AFTER_S, Language, document, of_error
from pipeline import errors
from pipeline.errors import IdPhotoError

log = logging.getLogger("ray.serve")

Shape: TypeAlias = Callable[[Response, IdPhotoError], Response]
"""From the problem document of an error to another answer that says the same."""

FULL = "X-Idphoto-Full"
"""Tells the turnstiles, which take it away, that a Gateway has no place left."""

PLACES = "X-Idphoto-Places"
"""Tells HAProxy's turnstile how many requests the Gateway that answers may have at once."""


def request_id() -> str:
    """The id that Ray Serve took from ``X-Request-Id`` or made, and puts into the answer and every
    log line.
    """
    return str(_get_serve_request_context().request_id)


def route() -> str:
    """The path's pattern, without what clients put into it, such as the id of a job."""
    return str(_get_serve_request_context().route)


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem document."""

    @app.exception_handler(IdPhotoError)
    def _ours(request: Request, error: IdPhotoError) -> Response:
        return problem(request, error)

    @app.exception_handler(BackPressureError)
    def _full(request: Request, error: BackPressureError) -> Response:
        return problem(request, errors.Overloaded("overloaded"))

    # A replica died with the photo in it, or a deployment has none.
    @app.exception_handler(RayActorError)
    @app.exception_handler(DeploymentUnavailableError)
    def _gone(request: Request, error: Exception) -> Response:
        log.warning("request %s lost its replica: %s", request_id(), error)
        return problem(request, errors.Unavailable("unavailable"))

    @app.exception_handler(ClientDisconnect)
    def _left(request: Request, error: ClientDisconnect) -> Response:
        # In the middle of its upload; nobody reads the answer but the log.
        return Response(status_code=499)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return problem(request, errors.NotFound("unknown_route"))
        title = str(error.detail)
        code = f"http_{error.status_code}"
        body = document(error.status_code, title, title, code, "", request_id())
        answer = _answer(body, "en")
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def _ill(request: Request, error: Exception) -> Response:
        log.error("request %s failed", request_id(), exc_info=error)
        title = "Internal error"
        detail = "The service failed; this is a fault of ours, not of the photo."
        hint = "Report the request id to whoever runs the service."
        return _answer(document(500, title, detail, "internal_error", hint, request_id()), "en")


def problem(request: Request, error: IdPhotoError) -> Response:
    """The problem document of an error, in Chinese where the client prefers it, else in English."""
    note.of(request.scope).code = error.code
    accepted = request.headers.get("accept-language", "").lower()
    language: Language = "zh" if accepted.startswith("zh") else "en"
    answer = _answer(of_error(error, language, request_id()), language)
    status = answer.status_code
    if status == 401:
        # The parameter as RFC 6750 has it, which leaves it out where no key was sent.
        invalid = ', error="invalid_token"' if error.code == "key_unknown" else ""
        answer.headers["WWW-Authenticate"] = f'Bearer realm="idphoto-serve"{invalid}'
    if status == 408:
        # What is left of the upload must not be taken for the next request.
        answer.headers["Connection"] = "close"
    if status in (429, 503):
        wait_s = error.details.get("retry_after_s", RETRY_AFTER_S)
        answer.headers["Retry-After"] = str(wait_s)
    # Only a Gateway that has no place knows when to come back; a part of it may be full alone.
    if "retry_after_s" in error.details:
        answer.headers[FULL] = "1"
    path = str(request.scope["path"]).removeprefix(request.scope.get("root_path", ""))
    reshape = _shapes(request.scope.get("app")).get(path)
    return reshape(answer, error) if reshape else answer


def give_shape(app: FastAPI, path: str, shape: Shape) -> None:
    """Makes the errors of an address what programs read that know it from another service."""
    app.state.error_shapes = {**_shapes(app), path: shape}


def _shapes(app: Any) -> Mapping[str, Shape]:
    # Requests of tests may belong to no app.
    shapes: Mapping[str, Shape] = getattr(getattr(app, "state", None), "error_shapes", {})
    return shapes


def _answer(body: dict[str, Any], language: Language) -> Response:
    # Here as well as in the middleware, which an error of 500 does not pass.
    headers = {"Content-Language": language, **ALWAYS}
    return JSONResponse(body, body["status"], headers, media_type=MEDIA_TYPE)
