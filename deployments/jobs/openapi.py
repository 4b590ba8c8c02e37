"""What /docs says about the routes of jobs."""

from typing import Any

from pydantic import BaseModel

from deployments.jobs import bundles
from deployments.jobs.orders import JobForm
from deployments.jobs.schemas import EventInfo
from deployments.statuses import MEDIA_TYPE, STATUS

_BINARY = {"type": "string", "format": "binary"}
_TABLE = {
    "type": "string",
    "format": "binary",
    "description": "CSV with the column file and any of document, background and name (the "
    "picture's name in result.zip): what differs by photo.",
}


def takes_job() -> dict[str, Any]:
    """The request of POST /v1/jobs."""
    fields = JobForm.model_json_schema()["properties"]
    multipart = {
        "type": "object",
        "properties": {
            bundles.PHOTO: {"type": "array", "items": _BINARY, "description": "Photos."},
            bundles.ARCHIVE: {**_BINARY, "description": "A zip of photos."},
            bundles.OVERRIDES: _TABLE,
            **fields,
        },
        "additionalProperties": False,
    }
    keys = {
        "type": "object",
        "properties": {
            bundles.KEYS: {
                "type": "array",
                "items": {"type": "string"},
                "description": "URLs of photos in places that the operator allows.",
            },
            bundles.OVERRIDES: {
                "type": "array",
                "items": {"type": "object", "additionalProperties": {"type": "string"}},
                "description": "Objects with file and any of document, background and name.",
            },
            **fields,
        },
        "required": [bundles.KEYS],
        "additionalProperties": False,
    }
    idempotency = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "maxLength": 200},
        "description": "Repeats with the same key and the same contents make no second job.",
    }
    content = {
        "multipart/form-data": {"schema": multipart},
        "application/zip": {"schema": _BINARY},
        "application/json": {"schema": keys},
    }
    return {
        "openapi_extra": {
            "parameters": [idempotency, *_in_query(JobForm)],
            "requestBody": {"required": True, "content": content},
        }
    }


def takes_query(form: type[BaseModel]) -> dict[str, Any]:
    """The form's fields as parameters of the query."""
    return {"openapi_extra": {"parameters": _in_query(form)}}


def events_extra(form: type[BaseModel]) -> dict[str, Any]:
    """The request and the messages of .../events."""
    event = {"schema": EventInfo.model_json_schema(ref_template="#/components/schemas/{model}")}
    event["schema"].pop("$defs", None)
    stream = {"description": "The messages.", "content": {"text/event-stream": event}}
    nothing = {"description": "The end was seen before."}
    return {**takes_query(form), **refuses({200: stream, 204: nothing})}


def refuses(answers: dict[int | str, Any] | None = None) -> dict[str, Any]:
    """These answers, and the problem documents."""
    responses: dict[int | str, Any] = dict(answers or {})
    for status, title, _ in STATUS.values():
        responses[status] = {"description": title, "content": {MEDIA_TYPE: {}}}
    return {"responses": responses}


def _in_query(form: type[BaseModel]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "schema": field}
        for name, field in form.model_json_schema()["properties"].items()
    ]
