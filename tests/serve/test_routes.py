"""Cut-outs, documents, health and the documentation page over HTTP."""

import io
import re

import httpx
import numpy as np
import pytest
from PIL import Image

from pipeline import documents


@pytest.mark.parametrize(
    ("order", "format", "mode"),
    [
        ({}, "PNG", "RGBA"),
        ({"format": "webp"}, "WEBP", "RGBA"),
        ({"kind": "mask"}, "PNG", "L"),
    ],
)
def test_cutouts(
    client: httpx.Client, portrait: bytes, order: dict[str, str], format: str, mode: str
) -> None:
    answer = client.post("/v1/cutouts", files={"photo": portrait}, data=order)
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.mode, image.size) == (format, mode, (512, 512))
    alpha = np.asarray(image)[..., 3] if mode == "RGBA" else np.asarray(image)
    assert alpha[120, 220] > 200  # the forehead
    assert alpha[20, 500] < 50  # the flag in the corner


def test_a_cutout_is_at_most_as_large_as_asked(client: httpx.Client, portrait: bytes) -> None:
    answer = client.post("/v1/cutouts", files={"photo": portrait}, data={"max_side_px": "200"})
    assert Image.open(io.BytesIO(answer.content)).size == (200, 200)


def test_a_cutout_of_nothing_is_refused(client: httpx.Client) -> None:
    file = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(file, "PNG")
    answer = client.post("/v1/cutouts", files={"photo": file.getvalue()})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_subject")


def test_every_document_is_listed(client: httpx.Client) -> None:
    listed = client.get("/v1/documents").json()
    assert [row["id"] for row in listed] == [found.id for found in documents.all_documents()]
    one = client.get("/v1/documents/us-passport").json()
    assert one in listed
    assert one["size_px"] == [600, 600]
    assert (one["head_height"]["min_mm"], one["head_height"]["max_mm"]) == (25, 35)
    assert (one["derived"], one["head_derived"]) == (False, False)


def test_all_that_is_known_of_a_document_is_shown(client: httpx.Client) -> None:
    one = client.get("/v1/documents/cn-visa-digital").json()
    assert (one["face_width"]["min_mm"], one["face_width"]["max_mm"]) == (16.2, 18.6)  # of 30
    assert (one["top_margin"]["min"], one["top_margin"]["max"]) == (0.0212, 0.1483)
    assert one["bytes_limit"] == [40 * 1024, 120_000]
    assert one["pixel_limits"] == [[354, 472], [420, 560]]
    assert (one["derived"], one["head_derived"]) == (False, True)
    france = client.get("/v1/documents/fr-passport").json()
    assert (france["crown"], france["forbidden_backgrounds"]) == ("skull", ["white"])
    assert france["face_width"] is france["bytes_limit"] is france["pixel_limits"] is None
    assert client.get("/v1/documents/us-ds160").json()["note"] == "A square JPEG."


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "finland passport"}, ["finland-passport"]),
        ({"q": "芬兰护照"}, ["finland-passport"]),
        ({"q": "visa", "country": "us"}, ["us-visa", "us-ds160"]),
        ({"country": "法国", "q": "驾驶证"}, ["france-drivers-licence"]),
        ({"q": "moon"}, []),
    ],
)
def test_documents_are_searched(
    client: httpx.Client, query: dict[str, str], found: list[str]
) -> None:
    answer = client.get("/v1/documents", params=query)
    assert [row["id"] for row in answer.json()] == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?colour=blue", "unknown_parameter"),
        ("?q=a&q=b", "bad_parameter"),
        ("?q=" + "a" * 101, "bad_parameter"),
    ],
)
def test_a_search_that_cannot_be_meant_is_refused(
    client: httpx.Client, query: str, code: str
) -> None:
    answer = client.get("/v1/documents" + query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_health(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_the_documentation_loads_nothing_from_other_hosts(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "swagger" in page.text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert assets
    for asset in assets:
        assert asset.startswith("/"), asset
        assert client.get(asset).status_code == 200


def test_openapi_names_every_route_and_parameter(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) >= {
        "/v1/photos",
        "/v1/sheets",
        "/v1/cutouts",
        "/v1/checks",
        "/v1/documents",
        "/v1/documents/{name}",
        "/healthz",
        "/readyz",
    }
    search = schema["paths"]["/v1/documents"]["get"]["parameters"]
    assert [parameter["name"] for parameter in search] == ["q", "country"]
    body = schema["paths"]["/v1/photos"]["post"]["requestBody"]["content"]
    fields = body["multipart/form-data"]["schema"]["properties"]
    assert set(fields) == {
        *("photo", "document", "background", "size_mm", "size_px", "format", "dpi"),
        *("quality", "min_kb", "max_kb", "progressive", "background_image", "reuse", "cutout"),
        *("adjust", "brightness", "contrast", "saturation", "sharpness", "white_balance"),
        *("fill_light", "watermark", "watermark_style", "watermark_opacity"),
        *("zoom", "shift_x", "shift_y", "turn", "model", "sheet"),
    }
    checked = schema["paths"]["/v1/checks"]["post"]
    fields = checked["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert set(fields) == {"photo", "document", "as_is", "quality"}
    assert checked["responses"]["200"]["content"].keys() == {"application/json"}
