"""The OpenAPI document tells the truth: requests made from it, sound and unsound, are answered as
it says, and never with a 5xx.
"""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


OPERATIONS = (
    "POST /v1/photos",
    "POST /v1/sheets",
    "POST /v1/cutouts",
    "POST /v1/checks",
    "GET /v1/documents",
    "GET /v1/documents/{name}",
    "GET /healthz",
    "GET /readyz",
)


@pytest.fixture(scope="module")
def api(client: httpx.Client) -> Any:
    """The service's own document; sound and unsound requests are made from it."""
    document = client.get("/openapi.json").json()
    for path in ("/v1/photos", "/v1/sheets"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
        # A cut-out may take its place; but Schemathesis fails on what it makes itself where a file
        # may be left out ("Unsupported type: 'Binary'").
        body["schema"]["required"] = ["photo"]
    return schemathesis.openapi.from_dict(document)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_answers_are_as_the_document_says(
    api: Any, client: httpx.Client, operation: str, mode: GenerationMode
) -> None:
    method, path = operation.split()

    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(api[path][method].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=str(client.base_url), checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        # Nothing can be wrong with a request that takes nothing, or whatever is given.
        assert (method, mode) == ("GET", GenerationMode.NEGATIVE)


def test_every_route_is_tried(api: Any) -> None:
    paths = {path for path in api if not path.startswith("/v1/jobs")}
    assert paths == {operation.split()[1] for operation in OPERATIONS}


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/v1/photos", {"data": {"document": "cn-1-inch"}}),
        ("/v1/photos", {"data": {"size_mm": "35x45"}, "headers": {"Accept": "application/json"}}),
        ("/v1/photos", {"data": {"document": ["cn-1-inch", "us-passport"]}}),
        ("/v1/sheets", {"data": {"document": "cn-1-inch"}}),
        ("/v1/sheets", {"data": {"size_mm": "35x45", "format": "pdf"}}),
        (
            "/v1/sheets",
            {"data": {"document": "cn-1-inch"}, "headers": {"Accept": "application/json"}},
        ),
        ("/v1/cutouts", {}),
        ("/v1/checks", {"data": {"quality": "fast"}}),
    ],
)
def test_good_photos_are_answered_as_the_document_says(
    api: Any, client: httpx.Client, portrait: bytes, path: str, options: dict[str, Any]
) -> None:
    """Made-up requests hold no portrait, so these are told."""
    answer = client.post(path, files={"photo": portrait}, **options)
    assert answer.status_code == 200
    answer.request.read()
    api[path]["POST"].validate_response(answer)
