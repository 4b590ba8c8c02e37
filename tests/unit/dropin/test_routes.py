"""What the three interfaces answer, over the pipeline in this process."""

import base64
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deployments import access
from deployments.settings import Dropin, Key
from tests.unit.dropin.conftest import Clients

REMBG, REMOVEBG = "/api/remove", "/v1.0/removebg"
HIVISION = (
    *("/idphoto", "/human_matting", "/add_background", "/generate_layout_photos"),
    *("/watermark", "/set_kb", "/idphoto_crop"),
)


@pytest.fixture
def cup(data: Path) -> bytes:
    """A thing, 600 x 400."""
    return (data / "coffee-cup.png").read_bytes()


@pytest.fixture
def portrait(data: Path) -> bytes:
    """A person, 512 x 512."""
    return (data / "astronaut.png").read_bytes()


@pytest.fixture
def cutout() -> bytes:
    """A red square in the middle of a transparent picture, 200 x 100."""
    rgba = np.zeros((100, 200, 4), np.uint8)
    rgba[25:75, 75:125] = (200, 10, 20, 255)
    return png(rgba)


def png(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def opened(data: bytes | str) -> Image.Image:
    if isinstance(data, str):
        data = base64.b64decode(data.partition(",")[2] or data)
    return Image.open(io.BytesIO(data))


def test_none_of_them_is_there_unless_it_is_switched_on(make_client: Clients) -> None:
    client = make_client(dropin=Dropin())
    paths = client.get("/openapi.json").json()["paths"]
    for path in (REMBG, *HIVISION, REMOVEBG, "/v1.0/account"):
        assert client.post(path).status_code == 404
        assert path not in paths


def test_all_of_them_are_in_the_documentation(client: Any) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {REMBG, *HIVISION, REMOVEBG, "/v1.0/account"} <= paths.keys()


@pytest.mark.parametrize(
    ("asked", "mode"),
    [
        ({}, "RGBA"),
        ({"model": "u2netp"}, "RGBA"),
        ({"model": "u2net", "dc": "true"}, "RGBA"),
        ({"model": "u2netp", "om": "true"}, "L"),
        ({"model": "u2netp", "om": "true", "ppm": "true"}, "L"),
        ({"model": "u2netp", "bgc": "10,20,30,255"}, "RGBA"),
    ],
)
def test_rembg(client: Any, cup: bytes, asked: dict[str, str], mode: str) -> None:
    answer = client.post(REMBG, files={"file": cup}, data=asked)
    assert answer.status_code == 200, answer.text
    image = opened(answer.content)
    assert (image.format, image.mode, image.size) == ("PNG", mode, (600, 400))
    pixels = np.asarray(image)
    if "ppm" in asked:
        assert set(np.unique(pixels)) == {0, 255}
    if "bgc" in asked:
        assert tuple(pixels[2, 2]) == (10, 20, 30, 255)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"a": "true"}, "a"),
        ({"vm": "1"}, "vm"),
        ({"model": "sam"}, "model"),
        ({"bgc": "1,2"}, "bgc"),
        ({"bgc": "1,2,3,999"}, "bgc"),
        ({"bgc": "٣,2,3,4"}, "bgc"),
        ({"extras": '{"x": 1}'}, "extras"),
        ({"af": "-1"}, "af"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_what_rembg_has_and_we_have_not_is_refused_by_name(
    client: Any, cup: bytes, asked: dict[str, str], name: str
) -> None:
    answer = client.post(REMBG, files={"file": cup}, data=asked)
    assert answer.status_code == 422
    assert name in answer.json()["detail"]


def test_addresses_are_refused_by_default(client: Any) -> None:
    answer = client.get(REMBG, params={"url": "https://images.example/a.jpg"})
    assert (answer.status_code, answer.json()["code"]) == (422, "url_not_allowed")
    answer = client.post(REMOVEBG, data={"image_url": "https://images.example/a.jpg"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["problem"] == "url_not_allowed"


def test_a_picture_too_large_to_answer_in_its_size_is_refused(
    make_client: Clients, cup: bytes
) -> None:
    client = make_client(max_cutout_side_px=599)
    answer = client.post(REMBG, files={"file": cup})
    assert (answer.status_code, answer.json()["code"]) == (413, "side_too_long")
    answer = client.post(REMOVEBG, files={"image_file": cup}, data={"size": "full"})
    assert (answer.headers["x-width"], answer.headers["x-max-width"]) == ("599", "599")


def test_an_id_photo(client: Any, portrait: bytes) -> None:
    data = {"height": "413", "width": "295", "hd": "true", "dpi": "300"}
    said = client.post("/idphoto", files={"input_image": portrait}, data=data).json()
    assert said.keys() == {"status", "image_base64_standard", "image_base64_hd"}
    standard = opened(said["image_base64_standard"])
    assert (standard.mode, standard.size) == ("RGBA", (295, 413))
    text = base64.b64encode(portrait).decode()
    alone = client.post("/idphoto", data={"input_image_base64": text, "hd": "false"}).json()
    assert alone.keys() == {"status", "image_base64_standard"}
    assert opened(alone["image_base64_standard"]).tobytes() == standard.tobytes()
    cropped = client.post(
        "/idphoto_crop",
        files={"input_image": base64.b64decode(said["image_base64_hd"].partition(",")[2])},
    ).json()
    assert opened(cropped["image_base64_standard"]).size == (295, 413)


def test_red_stays_red(client: Any, cutout: bytes) -> None:
    """HivisionIDPhotos swaps red and blue of a picture in base64."""
    text = "data:image/png;base64," + base64.b64encode(cutout).decode()
    for given in ({"data": {"input_image_base64": text}}, {"files": {"input_image": cutout}}):
        data = {**given.get("data", {}), "color": "0000ff"}
        said = client.post("/add_background", data=data, files=given.get("files")).json()
        image = opened(said["image_base64"])
        assert (image.getpixel((100, 50)), image.getpixel((2, 2))) == ((200, 10, 20), (0, 0, 255))


@pytest.mark.parametrize(("render", "place"), [("1", (3, 97)), ("2", (2, 2))])
def test_grounds_that_fade_to_white(
    client: Any, cutout: bytes, render: str, place: tuple[int, int]
) -> None:
    data = {"color": "#000000", "render": render}
    said = client.post("/add_background", files={"input_image": cutout}, data=data).json()
    pixel = opened(said["image_base64"]).getpixel(place)
    assert isinstance(pixel, tuple) and min(pixel) > 225


@pytest.mark.parametrize("kb", [40, 200])
def test_bytes_are_not_padded(client: Any, cup: bytes, kb: int) -> None:
    data = {"kb": str(kb)}
    said = client.post("/set_kb", files={"input_image": cup}, data=data).json()
    assert said["status"] is True
    file = base64.b64decode(said["image_base64"].partition(",")[2])
    assert len(file) <= kb * 1000
    assert file.endswith(b"\xff\xd9")
    assert Image.open(io.BytesIO(file)).size == (600, 400)


@pytest.mark.parametrize(
    ("path", "picture", "asked", "status", "code"),
    [
        ("/idphoto", "cup", {}, 200, "no_face"),
        ("/idphoto_crop", "cup", {}, 200, "no_face"),
        ("/set_kb", "cup", {"kb": "1"}, 200, "too_many_bytes"),
        ("/idphoto", "none", {}, 422, "bad_parameter"),
        ("/idphoto", "text", {}, 415, "unsupported_format"),
        ("/idphoto", "cup", {"whitening_strength": "3"}, 422, "bad_parameter"),
        ("/idphoto", "cup", {"human_matting_model": "mine"}, 422, "bad_parameter"),
        ("/idphoto", "cup", {"top_distance_min": "0.4"}, 422, "bad_parameter"),
        ("/idphoto", "cup", {"height": "20000", "width": "20000"}, 422, "bad_parameter"),
        ("/idphoto", "none", {"input_image_base64": "!"}, 422, "bad_parameter"),
        ("/add_background", "cup", {}, 422, "not_transparent"),
        ("/add_background", "cutout", {"color": "transparent"}, 422, "bad_parameter"),
        ("/generate_layout_photos", "cup", {"height": "413", "width": "295"}, 422, "bad_parameter"),
        ("/generate_layout_photos", "cup", {"dpi": "72"}, 422, "bad_parameter"),
    ],
)
def test_hivisions_false(
    client: Any,
    request: pytest.FixtureRequest,
    path: str,
    picture: str,
    asked: dict[str, str],
    status: int,
    code: str,
) -> None:
    files = {}
    if picture != "none":
        file = b"text" if picture == "text" else request.getfixturevalue(picture)
        files = {"input_image": file}
    answer = client.post(path, files=files or None, data=asked)
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (
        *(status, False),
        code,
    )


def test_a_watermark(client: Any, cup: bytes) -> None:
    data = {"text": "SAMPLE", "size": "30", "color": "#ff0000", "opacity": "1"}
    said = client.post("/watermark", files={"input_image": cup}, data=data).json()
    marked = np.asarray(opened(said["image_base64"]))
    assert marked.shape == (400, 600, 3)
    assert (marked == (255, 0, 0)).all(axis=2).mean() > 0.02


def test_a_layout(client: Any, load_rgb: Any) -> None:
    photo = png(np.full((413, 295, 3), (10, 200, 30), np.uint8))
    data = {"height": "413", "width": "295"}
    said = client.post("/generate_layout_photos", files={"input_image": photo}, data=data).json()
    sheet = opened(said["image_base64"])
    assert sorted(sheet.size) == [1205, 1795]
    share = (np.asarray(sheet) == (10, 200, 30)).all(axis=2).mean()
    assert share == pytest.approx(12 * 295 * 413 / (1205 * 1795), rel=0.001)


@pytest.mark.parametrize(
    ("asked", "size", "mode"),
    [
        ({"size": "full"}, (600, 400), "RGBA"),
        ({"size": "full", "channels": "alpha"}, (600, 400), "L"),
        ({"size": "full", "bg_color": "red"}, (600, 400), "RGB"),
        ({"size": "full", "bg_color": "81d4fa77"}, (600, 400), "RGBA"),
        ({"size": "full", "format": "jpg"}, (600, 400), "RGB"),
        ({"size": "full", "scale": "50%", "position": "0% 100%"}, (600, 400), "RGBA"),
    ],
)
def test_removebg(
    client: Any, cup: bytes, asked: dict[str, str], size: tuple[int, int], mode: str
) -> None:
    answer = client.post(REMOVEBG, files={"image_file": cup}, data=asked)
    assert answer.status_code == 200, answer.text
    image = opened(answer.content)
    assert (image.size, image.mode) == (size, mode)
    assert (answer.headers["x-type"], answer.headers["x-ratelimit-limit"]) == ("other", "16")
    if "scale" in asked:
        rows, columns = np.nonzero(np.asarray(image)[..., 3] > 30)
        assert columns.min() <= 2 and rows.max() >= 397
        assert max((np.ptp(columns) + 1) / 600, (np.ptp(rows) + 1) / 400) == pytest.approx(
            0.5, 0.04
        )


def test_the_region_crop_and_margin_of_removebg(client: Any, cup: bytes) -> None:
    plain = client.post(REMOVEBG, files={"image_file": cup}, data={"size": "full"})
    data = {"size": "full", "crop": "true", "crop_margin": "10px 20px"}
    cropped = client.post(REMOVEBG, files={"image_file": cup}, data=data)
    wide, high = (int(plain.headers[f"x-foreground-{side}"]) for side in ("width", "height"))
    assert opened(cropped.content).size == (wide + 40, high + 20)
    left = int(plain.headers["x-foreground-left"])
    data = {"size": "full", "roi": f"0px 0px {left + wide // 2}px 100%", "type_level": "none"}
    half = client.post(REMOVEBG, files={"image_file": cup}, data=data)
    assert int(half.headers["x-foreground-width"]) == pytest.approx(wide // 2, abs=2)
    assert "x-type" not in half.headers


def test_the_preview_zip_and_json_of_removebg(client: Any, portrait: bytes) -> None:
    data = {"size": "preview", "format": "zip"}
    answer = client.post(REMOVEBG, files={"image_file": portrait}, data=data)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        colour, alpha = (opened(archive.read(name)) for name in ("color.jpg", "alpha.png"))
    assert (colour.mode, alpha.mode, colour.size) == ("RGB", "L", (500, 500))
    text = base64.b64encode(portrait).decode()
    said = client.post(
        REMOVEBG,
        json={"image_file_b64": text, "size": "auto", "crop": False, "bg_color": None},
        headers={"Accept": "application/json"},
    ).json()["data"]
    assert opened(said["result_b64"]).size == (512, 512)
    assert said["foreground_width"] > 100


def test_a_picture_behind_the_subject(client: Any, cup: bytes) -> None:
    ground = png(np.full((50, 300, 3), (9, 99, 199), np.uint8))
    files = {"image_file": cup, "bg_image_file": ground}
    answer = client.post(REMOVEBG, files=files, data={"size": "full", "format": "png"})
    assert opened(answer.content).getpixel((3, 3)) == (9, 99, 199, 255)


@pytest.mark.parametrize(
    ("files", "asked", "code"),
    [
        ((), {}, "missing_source"),
        (("image_file",), {"image_file_b64": "aGk="}, "multiple_sources"),
        (("image_file",), {"size": "huge"}, "invalid_size"),
        (("image_file",), {"bg_color": "#12"}, "invalid_bg_color"),
        (("image_file",), {"roi": "0 0 700px 10px"}, "invalid_roi"),
        (("image_file",), {"roi": "5 5 5 5"}, "invalid_roi"),
        (("image_file",), {"scale": "5%"}, "invalid_scale"),
        (("image_file",), {"crop_margin": "501px"}, "invalid_crop_margin"),
        (("image_file",), {"position": "50% 50% 50%"}, "invalid_position"),
        (("image_file",), {"add_shadow": "true"}, "invalid_add_shadow"),
        (("image_file",), {"semitransparency": "false"}, "invalid_semitransparency"),
        (("image_file",), {"format": "zip", "channels": "alpha"}, "invalid_format"),
        (("image_file", "bg_image_file"), {"bg_color": "red"}, "multiple_bg_sources"),
        (("image_file",), {"type": "person"}, "unknown_foreground"),
        (("image_file",), {"nonsense": "1"}, "unknown_parameter"),
        (("other",), {}, "unknown_parameter"),
    ],
)
def test_errors_are_told_as_removebg_tells_them(
    client: Any, cup: bytes, files: tuple[str, ...], asked: dict[str, str], code: str
) -> None:
    answer = client.post(REMOVEBG, files=dict.fromkeys(files, cup) or None, data=asked)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["code"] == code
    assert error["title"] and error["detail"]


def test_keys_guard_them_in_their_own_words(make_client: Clients, cup: bytes) -> None:
    key = access.make()
    client = make_client(keys=(Key(name="shop", sha256=access.digest(key)),))
    for path, status in ((REMBG, 401), ("/set_kb", 401), (REMOVEBG, 403)):
        assert client.post(path, files={"image_file": cup}).status_code == status
    assert client.get("/v1.0/account").json()["errors"][0]["code"] == "auth_failed"
    headers = {"X-Api-Key": key}
    credits = client.get("/v1.0/account", headers=headers).json()["data"]["attributes"]["credits"]
    assert credits["total"] > 0
    answer = client.post(REMOVEBG, files={"image_file": cup}, headers=headers)
    assert answer.status_code == 200


def test_a_body_that_is_too_large(make_client: Clients) -> None:
    client = make_client(max_body_mb=0.1)
    big = b"x" * 200_000
    assert client.post(REMBG, files={"file": big}).json()["code"] == "body_too_large"
    assert client.post("/idphoto", files={"input_image": big}).json()["status"] is False
    for given in ({"files": {"image_file": big}}, {"json": {"image_file_b64": "A" * 200_000}}):
        answer = client.post(REMOVEBG, **given)
        assert answer.json()["errors"][0]["code"] == "file_too_large"
