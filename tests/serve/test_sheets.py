"""Sheets and files of so many bytes, over HTTP."""

import base64
import io
import zipfile
from typing import Any

import httpx
import numpy as np
import pikepdf
import pytest
from PIL import Image

ORDER = {"document": "cn-1-inch", "background": "blue", "quality": "fast"}


def post(client: httpx.Client, portrait: bytes, path: str, **fields: Any) -> httpx.Response:
    return client.post(path, files={"photo": portrait}, data={**ORDER, **fields})


@pytest.mark.parametrize(
    ("fields", "size_px", "number"),
    [
        ({}, (1205, 1795), 12),
        ({"paper": "6-inch", "orientation": "landscape"}, (1795, 1205), 10),
        ({"paper": "100x150", "margin_mm": "0", "gap_mm": "0"}, (1181, 1772), 16),
        ({"paper": "a4", "dpi": "600", "count": "3"}, (4961, 7016), 3),
    ],
)
def test_a_sheet_of_paper(
    client: httpx.Client,
    portrait: bytes,
    fields: dict[str, str],
    size_px: tuple[int, int],
    number: int,
) -> None:
    answer = post(client, portrait, "/v1/sheets", **fields)
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        dpi = int(fields.get("dpi", "300"))
        assert (image.format, image.size, image.info["dpi"]) == ("JPEG", size_px, (dpi, dpi))
    assert answer.headers["x-photos"] == f"cn-1-inch_blue={number}"
    assert f"bytes={len(answer.content)}, dpi={dpi}, quality=95" in answer.headers["x-file"]
    assert answer.headers["x-quality"] == "fast"


def test_a_pdf_of_two_documents(client: httpx.Client, portrait: bytes) -> None:
    answer = post(
        client,
        portrait,
        "/v1/sheets",
        document=["cn-1-inch", "us-passport"],
        paper="a4",
        format="pdf",
        count=["4", "2"],
    )
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["x-photos"] == "cn-1-inch_blue=4, us-passport_blue=2"
    assert "sheet_a4.pdf" in answer.headers["content-disposition"]
    with pikepdf.open(io.BytesIO(answer.content)) as pdf:
        size_mm = [float(edge) * 25.4 / 72 for edge in pdf.pages[0].mediabox][2:]
    assert sorted(size_mm) == pytest.approx([210, 297], abs=0.01)


def test_a_sheet_as_json(client: httpx.Client, portrait: bytes) -> None:
    answer = client.post(
        "/v1/sheets",
        files={"photo": portrait},
        data={**ORDER, "max_kb": "200"},
        headers={"Accept": "application/json"},
    )
    told = answer.json()
    data = base64.b64decode(told["data_base64"])
    assert told["file"]["bytes"] == len(data) <= 200_000
    assert told["file"]["quality"] < 95
    assert (told["size_mm"], told["size_px"]) == ([102, 152], [1205, 1795])
    (photo,) = told["photos"]
    assert (photo["count"], photo["size_mm"]) == (12, [25, 35])
    assert {"head_height", "matte"} <= {check["code"] for check in photo["checks"]}


@pytest.mark.parametrize(
    ("fields", "code", "mentions"),
    [
        ({"paper": "a0"}, "bad_parameter", "paper"),
        ({"paper": "10x10"}, "bad_parameter", "paper"),
        ({"count": "13"}, "bad_parameter", "count"),
        ({"count": "many"}, "bad_parameter", "count"),
        ({"dpi": "72"}, "bad_parameter", "dpi"),
        ({"gap_mm": "nan"}, "bad_parameter", "gap_mm"),
        ({"cut": "scissors"}, "bad_parameter", "cut"),
        ({"background": "transparent"}, "bad_parameter", "background"),
        ({"size_px": "300x400"}, "unknown_parameter", "size_px"),
        ({"max_kb": "5"}, "too_many_bytes", "5000"),
    ],
)
def test_sheets_that_make_no_sense(
    client: httpx.Client, portrait: bytes, fields: dict[str, str], code: str, mentions: str
) -> None:
    answer = post(client, portrait, "/v1/sheets", **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert mentions in answer.json()["detail"]


def test_bytes_of_a_photo(client: httpx.Client, portrait: bytes) -> None:
    asked = {"document": [], "size_px": "354x472", "max_kb": "40", "progressive": "true"}
    answer = post(client, portrait, "/v1/photos", **asked)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) <= 40_000
    written = dict(part.split("=") for part in answer.headers["x-file"].split(", "))
    assert written["bytes"] == str(len(answer.content))
    assert (written["dpi"], written["chroma"]) == ("300", "4:4:4")
    assert 50 <= int(written["quality"]) < 95
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (354, 472) and image.info["progressive"]


@pytest.mark.parametrize(
    ("fields", "code"), [({"max_kb": "2"}, "too_many_bytes"), ({"min_kb": "500"}, "too_few_bytes")]
)
def test_bytes_that_no_photo_has(
    client: httpx.Client, portrait: bytes, fields: dict[str, str], code: str
) -> None:
    answer = post(client, portrait, "/v1/photos", **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_photos_with_a_sheet_of_them(client: httpx.Client, portrait: bytes) -> None:
    """One matte for both; the sheet is the one that /v1/sheets gives."""
    fields = {"format": "png", "min_kb": "60", "max_kb": "900"}
    answer = post(client, portrait, "/v1/photos", sheet="6-inch", **fields)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["cn-1-inch_blue.png", "sheet_4r.jpg"]
        photo, sheet = (archive.read(name) for name in archive.namelist())
    assert 60 * 1024 <= len(photo) <= 900_000
    alone = post(client, portrait, "/v1/sheets", paper="6-inch")
    with Image.open(io.BytesIO(sheet)) as one, Image.open(io.BytesIO(alone.content)) as other:
        assert one.size == other.size
        assert np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean() < 1
    assert answer.headers["server-timing"].count("matting") == 1


def test_photos_with_a_sheet_as_json_and_by_token(client: httpx.Client, portrait: bytes) -> None:
    wanted = {"sheet": "a6", "document": ["cn-1-inch", "us-passport"]}
    json = {"Accept": "application/json"}
    files = {"photo": portrait}
    fields = {**ORDER, **wanted, "reuse": "true"}
    told = client.post("/v1/photos", files=files, data=fields, headers=json).json()
    assert [photo["document"] for photo in told["photos"]] == wanted["document"]
    kinds = {photo["document"]: photo["count"] for photo in told["sheet"]["photos"]}
    assert min(kinds.values()) > 0 and set(kinds) == set(wanted["document"])
    token = told["cutout"]["token"]
    fields = {"background": "white", **wanted, "cutout": token}
    again = client.post("/v1/photos", data=fields, headers=json).json()
    assert again["sheet"]["size_px"] == told["sheet"]["size_px"]
    assert {photo["background"] for photo in again["photos"]} == {"white"}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"sheet": "b9"}, "sheet"),
        ({"sheet": "45x45", "document": "us-passport"}, "sheet"),
        ({"sheet": "4r", "background": "transparent"}, "background"),
    ],
)
def test_sheets_that_cannot_come_with_photos(
    client: httpx.Client, portrait: bytes, fields: dict[str, str], name: str
) -> None:
    answer = post(client, portrait, "/v1/photos", **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_parameter")
    assert f"The parameter {name} " in answer.json()["detail"]
