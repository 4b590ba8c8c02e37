"""POST /v1/checks over HTTP: what is said about a snapshot, and about a photo as it is."""

import io
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image

from tests.serve.conftest import DATA


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def reports(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["reports"]
    return found


def checks(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["code"]: check for check in report["checks"]}


def assert_sound(report: dict[str, Any]) -> None:
    """Every check has a title and its limits; only what is not passed has a hint."""
    order = ["pass", "warn", "fail"]
    assert report["result"] == max((c["result"] for c in report["checks"]), key=order.index)
    for check in report["checks"]:
        assert set(check) == {"code", "title", "value", "unit", "min", "max", "result", "hint"}
        assert check["title"]["en"] and check["title"]["zh"]
        assert (check["hint"] is None) == (check["result"] == "pass")


def test_a_snapshot(client: httpx.Client, portrait: bytes) -> None:
    """The same checks as those of the photo that would be made."""
    answer = client.post("/v1/checks", files={"photo": portrait}, data={"document": "us-passport"})
    (report,) = reports(answer)
    assert report["document"] == "us-passport"
    assert_sound(report)
    found = checks(report)
    assert found["faces"]["value"] == 1
    assert found["enlargement"]["result"] == "warn"
    assert found["head_height"]["min"] == 25
    made = client.post(
        "/v1/photos",
        files={"photo": portrait},
        data={"document": "us-passport"},
        headers={"Accept": "application/json"},
    )
    (photo,) = made.json()["photos"]
    assert photo["checks"] == report["checks"]
    steps = [part.strip().split(";")[0] for part in answer.headers["server-timing"].split(",")]
    assert steps[:3] == ["upload", "cropping", "matting"]
    assert steps[-1] == "compositing"


@pytest.mark.parametrize(
    ("name", "said"), [("grace-hopper.png", "warn"), ("astronaut.png", "fail")]
)
def test_a_painting_is_told_from_a_photo(client: httpx.Client, name: str, said: str) -> None:
    """A doubtful one is made and warned about, a clear one is refused."""
    photo = (DATA / name).read_bytes()
    rgb = np.asarray(Image.open(io.BytesIO(photo)).convert("RGB"))
    painting = png(Image.fromarray(cv2.stylization(rgb)))
    for file, result in ((photo, "pass"), (painting, said)):
        sent: dict[str, Any] = {"files": {"photo": file}, "data": {"document": "cn-1-inch"}}
        (report,) = reports(client.post("/v1/checks", **sent))
        assert checks(report)["photo_like"]["result"] == result
        answer = client.post("/v1/photos", **sent, headers={"Accept": "application/json"})
        if result == "fail":
            assert (answer.status_code, answer.json()["code"]) == (422, "not_a_photo")
        else:
            (made,) = answer.json()["photos"]
            assert checks(made)["photo_like"] == checks(report)["photo_like"]


def test_a_finished_photo_as_it_is(client: httpx.Client, portrait: bytes) -> None:
    finished = client.post(
        "/v1/photos", files={"photo": portrait}, data={"document": "us-passport"}
    ).content
    (report,) = reports(
        client.post(
            "/v1/checks",
            params={"document": "us-passport", "as_is": "true"},
            content=finished,
            headers={"Content-Type": "image/jpeg"},
        )
    )
    assert_sound(report)
    found = checks(report)
    for code in ("faces", "roll", "head_height", "eye_line", "centring", "width", "height"):
        assert found[code]["result"] == "pass", found[code]
    assert (found["width"]["value"], found["roll"]["max"]) == (600, 8)
    assert "enlargement" not in found
    assert found["background_evenness"]["result"] == "pass"


def test_a_snapshot_as_it_is_is_no_passport(client: httpx.Client, portrait: bytes) -> None:
    (report,) = reports(
        client.post(
            "/v1/checks",
            files={"photo": portrait},
            data={"document": "us-passport", "as_is": "1", "quality": "fast"},
        )
    )
    assert report["result"] == "fail"
    assert {"head_height", "eye_line", "width"} <= {
        code for code, check in checks(report).items() if check["result"] == "fail"
    }


def test_several_documents(client: httpx.Client, portrait: bytes) -> None:
    answer = client.post(
        "/v1/checks",
        files={"photo": portrait},
        data={"document": ["cn-1-inch", "us-passport,uk-passport"]},
    )
    found = reports(answer)
    assert [r["document"] for r in found] == ["cn-1-inch", "us-passport", "uk-passport"]
    for report in found:
        assert_sound(report)


def test_without_a_document(client: httpx.Client, portrait: bytes) -> None:
    (report,) = reports(client.post("/v1/checks", files={"photo": portrait}))
    assert report["document"] == "icao-portrait"


@pytest.mark.parametrize("as_is", ["true", "false"])
def test_no_face_is_a_failed_check(client: httpx.Client, as_is: str) -> None:
    blank = png(Image.new("RGB", (600, 800), "white"))
    answer = client.post(
        "/v1/checks",
        files={"photo": blank},
        data={"document": ["us-passport", "cn-1-inch"], "as_is": as_is},
    )
    for report in reports(answer):
        assert report["result"] == "fail"
        (check,) = report["checks"]
        assert (check["code"], check["value"], check["result"]) == ("faces", 0, "fail")
        assert "No face" in check["hint"]["en"]
        assert_sound(report)


def test_two_faces_are_a_failed_check(client: httpx.Client, portrait: bytes) -> None:
    one = Image.open(io.BytesIO(portrait)).convert("RGB")
    both = Image.new("RGB", (one.width * 2, one.height))
    both.paste(one, (0, 0))
    both.paste(one, (one.width, 0))
    (report,) = reports(client.post("/v1/checks", files={"photo": png(both)}))
    (check,) = report["checks"]
    assert (check["code"], check["value"]) == ("faces", 2)


@pytest.mark.parametrize(
    ("photo", "order", "status", "code"),
    [
        (None, {"as_is": "perhaps"}, 422, "bad_parameter"),
        (None, {"as_is": ["true", "true"]}, 422, "bad_parameter"),
        (None, {"quality": "worst"}, 422, "bad_parameter"),
        (None, {"background": "white"}, 422, "unknown_parameter"),
        (None, {"document": "atlantis-passport"}, 422, "unknown_document"),
        (None, {"document": ""}, 422, "bad_parameter"),
        (
            None,
            {
                "document": [
                    *("cn-1-inch", "cn-2-inch", "us-passport", "us-visa", "us-ds160"),
                    *("uk-passport", "fr-passport", "de-passport", "it-passport"),
                ]
            },
            422,
            "bad_parameter",
        ),
        (b"", {}, 400, "empty_body"),
        (b"this is text", {}, 415, "unsupported_format"),
        (png(Image.new("RGB", (10, 10))), {}, 422, "photo_too_small"),
        (png(Image.new("RGB", (10, 10))), {"as_is": "true"}, 422, "photo_too_small"),
    ],
)
def test_what_cannot_be_checked(
    client: httpx.Client,
    portrait: bytes,
    photo: bytes | None,
    order: dict[str, Any],
    status: int,
    code: str,
) -> None:
    file = portrait if photo is None else photo
    answer = client.post("/v1/checks", files={"photo": file}, data=order)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
