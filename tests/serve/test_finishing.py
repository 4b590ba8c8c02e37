"""Light, marks and backgrounds over HTTP."""

import io
from typing import Any

import httpx
import pytest
from PIL import Image

JSON = {"Accept": "application/json"}


def post(client: httpx.Client, portrait: bytes, **fields: Any) -> httpx.Response:
    files = {"photo": portrait}
    if image := fields.pop("background_image", None):
        files["background_image"] = image
    data = {"document": "cn-1-inch", "quality": "fast", **fields}
    return client.post("/v1/photos", files=files, data=data, headers=JSON)


def test_what_was_done_is_in_the_answer(client: httpx.Client, portrait: bytes) -> None:
    answer = post(
        client, portrait, brightness="20", fill_light="true", watermark="样本", max_kb="40"
    )
    assert answer.status_code == 200, answer.text
    (photo,) = answer.json()["photos"]
    done = photo["adjustments"]
    assert (done["brightness"], done["contrast"], done["white_balance"]) == (20, 0, None)
    assert 1 < done["fill_light"] < 12
    (plain,) = post(client, portrait).json()["photos"]
    assert plain["adjustments"] is None


def test_a_picture_is_the_background(client: httpx.Client, portrait: bytes) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (10, 200, 30)).save(file, "PNG")
    answer = client.post(
        "/v1/photos",
        files={"photo": portrait, "background_image": file.getvalue()},
        data={"document": "cn-1-inch", "quality": "fast"},
    )
    assert answer.status_code == 200, answer.text
    assert "cn-1-inch_image.jpg" in answer.headers["content-disposition"]
    with Image.open(io.BytesIO(answer.content)) as image:
        red, green, blue = image.convert("RGB").getpixel((2, 2))  # type: ignore[misc]
        assert max(abs(red - 10), abs(green - 200), abs(blue - 30)) < 8
        assert not {"xmp", "exif"} & image.info.keys()


def test_a_finished_photo_on_paper(client: httpx.Client, portrait: bytes) -> None:
    made = client.post(
        "/v1/photos", files={"photo": portrait}, data={"document": "cn-1-inch", "quality": "fast"}
    )
    data = {"document": "cn-1-inch", "as_is": "true", "count": "2"}
    answer = client.post("/v1/sheets", files={"photo": made.content}, data=data)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-photos"] == "cn-1-inch_as-is=2"
    assert "matting" not in answer.headers["server-timing"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"document": "us-passport", "sharpness": "5"}, "retouching_forbidden"),
        ({"document": "us-passport", "background": "gradient:fff-000"}, "background_forbidden"),
        ({"background": "image"}, "bad_parameter"),
        ({"brightness": "101"}, "bad_parameter"),
        ({"watermark": "two\nlines"}, "bad_parameter"),
        ({"watermark": "😀"}, "no_font"),
    ],
)
def test_what_is_refused(
    client: httpx.Client, portrait: bytes, fields: dict[str, str], code: str
) -> None:
    answer = post(client, portrait, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
