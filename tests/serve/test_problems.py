"""Requests that cannot be served: a status and a code that say why, and never a 500."""

import io
import struct
import zlib
from typing import Any

import httpx
import pytest
from PIL import Image

ORDER = {"document": "cn-1-inch"}


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    checked = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + checked


def white(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(file, "PNG")
    return file.getvalue()


def code(answer: httpx.Response) -> tuple[int, str]:
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["type"].endswith(problem["code"])
    assert problem["title"] and problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, problem["code"]


@pytest.mark.parametrize(
    ("photo", "expected"),
    [
        (b"", (400, "empty_body")),
        (b"this is text", (415, "unsupported_format")),
        (b"%PDF-1.4 ...", (415, "unsupported_format")),
        (b"\xff\xd8", (400, "broken_image")),
        (png_header(20_000, 20_000), (413, "too_many_pixels")),
        (bytes(3_000_000), (413, "body_too_large")),
        (white(10, 10), (422, "photo_too_small")),
        (white(600, 800), (422, "no_face")),
    ],
)
def test_photos_that_are_refused(
    client: httpx.Client, photo: bytes, expected: tuple[int, str]
) -> None:
    assert code(client.post("/v1/photos", files={"photo": photo}, data=ORDER)) == expected


def test_a_photo_cut_short_is_refused(client: httpx.Client, portrait: bytes) -> None:
    photo = portrait[: len(portrait) // 2]
    answer = client.post("/v1/photos", files={"photo": photo}, data=ORDER)
    assert code(answer) == (400, "broken_image")


def test_several_people_are_counted(client: httpx.Client, portrait: bytes) -> None:
    one = Image.open(io.BytesIO(portrait)).convert("RGB")
    both = Image.new("RGB", (one.width * 2, one.height))
    both.paste(one, (0, 0))
    both.paste(one, (one.width, 0))
    file = io.BytesIO()
    both.save(file, "JPEG")
    answer = client.post("/v1/photos", files={"photo": file.getvalue()}, data=ORDER)
    assert code(answer) == (422, "several_faces")
    assert answer.json()["detail"].startswith("2 faces")


def test_chinese_for_those_who_prefer_it(client: httpx.Client) -> None:
    languages = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
    answer = client.post("/v1/photos", files={"photo": b"text"}, data=ORDER, headers=languages)
    assert answer.headers["content-language"] == "zh"
    assert answer.json()["title"] == "不支持的格式"


@pytest.mark.parametrize(
    ("order", "expected", "mentions"),
    [
        ({}, "bad_parameter", "document"),
        ({"document": "atlantis-passport"}, "unknown_document", "atlantis-passport"),
        ({"document": "../../etc"}, "unknown_document", "../../etc"),
        ({"document": "cn-1-inch", "size_mm": "35x45"}, "bad_parameter", "document"),
        ({"size_mm": "35"}, "bad_parameter", "size_mm"),
        ({"size_mm": "0x45"}, "bad_parameter", "size_mm"),
        ({"size_mm": "nanx45"}, "bad_parameter", "size_mm"),
        ({"size_mm": "1e9x45"}, "bad_parameter", "size_mm"),
        ({"size_px": "99999x10"}, "bad_parameter", "size_px"),
        ({"size_px": "300.5x400"}, "bad_parameter", "size_px"),
        ({**ORDER, "background": "#ggg"}, "bad_parameter", "background"),
        ({**ORDER, "background": "transparent", "format": "jpeg"}, "transparent_jpeg", "JPEG"),
        ({**ORDER, "format": "bmp"}, "bad_parameter", "format"),
        ({**ORDER, "dpi": "0"}, "bad_parameter", "dpi"),
        ({**ORDER, "dpi": "nan"}, "bad_parameter", "dpi"),
        ({**ORDER, "dpi": "1e9"}, "bad_parameter", "dpi"),
        ({**ORDER, "dpi": ["300", "600"]}, "bad_parameter", "dpi"),
        ({**ORDER, "colour": "blue"}, "unknown_parameter", "colour"),
        ({**ORDER, "background": [f"#0000{n:02}" for n in range(9)]}, "bad_parameter", "8"),
    ],
)
def test_orders_that_make_no_sense(
    client: httpx.Client, portrait: bytes, order: dict[str, Any], expected: str, mentions: str
) -> None:
    answer = client.post("/v1/photos", files={"photo": portrait}, data=order)
    assert code(answer) == (422, expected)
    assert mentions in answer.json()["detail"]


def test_uploads_that_make_no_sense(client: httpx.Client, portrait: bytes) -> None:
    two = [("photo", portrait), ("photo", portrait)]
    assert code(client.post("/v1/photos", data=ORDER)) == (422, "missing_photo")
    assert code(client.post("/v1/photos", files={"document": (None, "us-passport")})) == (
        422,
        "missing_photo",
    )
    assert code(client.post("/v1/photos", files=two, data=ORDER)) == (422, "several_photos")
    assert code(client.post("/v1/photos", files={"file": portrait}, data=ORDER)) == (
        422,
        "unknown_parameter",
    )
    many = {f"field{n}": "x" for n in range(10_000)}
    assert code(client.post("/v1/photos", files={"photo": portrait}, data=many)) == (
        400,
        "bad_form",
    )
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert code(client.post("/v1/photos", content=b"--y\r\n", headers=broken)) == (400, "bad_form")


@pytest.mark.parametrize("name", ["../../x.jpg", "x" * 300, "a\x00b.jpg", "\u202egpj.exe", ""])
def test_the_name_of_the_file_does_not_matter(
    client: httpx.Client, portrait: bytes, name: str
) -> None:
    files = {"photo": (name or None, portrait, "text/html")}
    answer = client.post("/v1/photos", files=files, data=ORDER)
    assert answer.status_code == (200 if name else 400)


def test_a_streamed_body_is_stopped_at_the_limit(client: httpx.Client) -> None:
    answer = client.post(
        "/v1/photos",
        params=ORDER,
        content=(bytes(100_000) for _ in range(100)),
        headers={"Content-Type": "image/jpeg"},
    )
    assert code(answer) == (413, "body_too_large")


def test_addresses_that_do_not_exist(client: httpx.Client) -> None:
    assert code(client.get("/v1/nothing")) == (404, "unknown_route")
    assert code(client.get("/v1/documents/nothing")) == (404, "unknown_document")
    answer = client.delete("/v1/photos")
    assert code(answer) == (405, "http_405")
    assert answer.headers["allow"] == "POST"
