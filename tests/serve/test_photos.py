"""The service over HTTP: what comes back for a photo and an order."""

import base64
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

BLUE = (67, 142, 219)


def opened(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def corner(image: Image.Image) -> tuple[int, ...]:
    pixel = image.getpixel((2, 2))
    assert isinstance(pixel, tuple)
    return pixel


def test_a_one_inch_photo_on_blue(client: httpx.Client, portrait: bytes) -> None:
    answer = client.post(
        "/v1/photos",
        files={"photo": portrait},
        data={"document": "cn-1-inch", "background": "blue"},
    )
    image = opened(answer)
    assert (image.format, image.size, image.mode) == ("JPEG", (295, 413), "RGB")
    assert image.info["dpi"] == (300, 300)
    assert not image.getexif()
    assert not {"icc_profile", "comment", "exif"} & image.info.keys()
    assert all(abs(a - b) <= 3 for a, b in zip(corner(image), BLUE, strict=True))
    assert answer.headers["content-type"] == "image/jpeg"
    assert "cn-1-inch_blue.jpg" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("order", "size", "dpi"),
    [
        ({"document": "us-passport"}, (600, 600), 300),
        ({"document": "cn-id-card"}, (358, 441), 350),
        ({"document": "cn-2-inch"}, (413, 579), 300),
        ({"document": "cn-large-2-inch"}, (413, 626), 300),
        ({"document": "SCHENGEN-VISA"}, (413, 531), 300),
        ({"document": "finland-passport"}, (425, 555), 300),  # a size from the package
        ({"size_mm": "35x45"}, (413, 531), 300),
        ({"size_mm": "35 x 45", "dpi": "600"}, (827, 1063), 600),
        ({"size_px": "480x640"}, (480, 640), 300),
    ],
)
def test_sizes(
    client: httpx.Client,
    portrait: bytes,
    order: dict[str, str],
    size: tuple[int, int],
    dpi: int,
) -> None:
    image = opened(client.post("/v1/photos", files={"photo": portrait}, data=order))
    assert image.size == size
    assert image.info["dpi"] == (dpi, dpi)


@pytest.mark.parametrize(
    ("order", "format", "mode"),
    [
        ({"background": "transparent"}, "PNG", "RGBA"),
        ({"background": "transparent", "format": "webp"}, "WEBP", "RGBA"),
        ({"background": "#0a0b0c", "format": "png"}, "PNG", "RGB"),
        ({"background": "light grey", "format": "webp"}, "WEBP", "RGB"),
    ],
)
def test_formats(
    client: httpx.Client, portrait: bytes, order: dict[str, str], format: str, mode: str
) -> None:
    data = {"document": "cn-1-inch", **order}
    image = opened(client.post("/v1/photos", files={"photo": portrait}, data=data))
    assert (image.format, image.mode) == (format, mode)
    if mode == "RGBA":
        assert corner(image)[3] == 0
        assert image.getchannel("A").getextrema() == (0, 255)


def test_fast_asks_one_net_and_makes_the_same_crop(client: httpx.Client, portrait: bytes) -> None:
    best, fast = (
        opened(
            client.post(
                "/v1/photos",
                files={"photo": portrait},
                data={"document": "us-passport", "quality": quality, "format": "png"},
            )
        )
        for quality in ("best", "fast")
    )
    assert best.size == fast.size == (600, 600)
    assert best.tobytes() != fast.tobytes()


def test_a_crowd_gets_fast_photos_and_is_told(client: httpx.Client, portrait: bytes) -> None:
    def post(quality: str) -> str:
        order = {"document": "cn-1-inch", "quality": quality}
        answer = client.post("/v1/photos", files={"photo": portrait}, data=order)
        assert answer.status_code == 200, answer.text
        return str(answer.headers["x-quality"])

    assert post("best") == "best"
    assert post("fast") == "fast"
    with ThreadPoolExecutor(14) as crowd:
        assert set(crowd.map(post, ["best"] * 14)) == {"best", "fast"}


def test_several_variants_come_as_a_zip(client: httpx.Client, portrait: bytes) -> None:
    answer = client.post(
        "/v1/photos",
        files={"photo": portrait},
        data={
            "document": ["cn-1-inch", "us-passport"],
            "background": ["red", "blue,white"],
        },
    )
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        sizes = {name: Image.open(archive.open(name)).size for name in archive.namelist()}
    assert sizes == {
        f"{document}_{colour}.jpg": size
        for document, size in (("cn-1-inch", (295, 413)), ("us-passport", (600, 600)))
        for colour in ("red", "blue", "white")
    }


def test_each_document_has_its_own_background(client: httpx.Client, portrait: bytes) -> None:
    names = ["us-passport", "fr-passport", "cn-chsi"]
    answer = client.post("/v1/photos", files={"photo": portrait}, data={"document": names})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [
            "us-passport_white.jpg",
            "fr-passport_light-grey.jpg",
            "cn-chsi_blue.jpg",
        ]


def said(answer: httpx.Response) -> dict[str, str]:
    """The checks of the header that were not passed."""
    header = answer.headers.get("x-checks", "")
    return dict(part.split("=") for part in header.split(", ") if part)


def test_json_holds_checks_and_pictures(client: httpx.Client, portrait: bytes) -> None:
    file = io.BytesIO()
    Image.open(io.BytesIO(portrait)).resize((200, 200)).save(file, "PNG")
    answer = client.post(
        "/v1/photos",
        files={"photo": file.getvalue()},
        data={"document": "us-passport"},
        headers={"Accept": "application/json"},
    )
    (photo,) = answer.json()["photos"]
    checks = {check["code"]: check for check in photo["checks"]}
    assert checks["enlargement"]["result"] == "fail"
    assert checks["enlargement"]["max"] == 1.5
    assert "come closer" in checks["enlargement"]["hint"]["en"]
    assert checks["head_height"]["hint"] is None
    assert {code: c["result"] for code, c in checks.items() if c["result"] != "pass"} == said(
        answer
    )
    small = Image.open(io.BytesIO(base64.b64decode(photo["data_base64"])))
    assert list(small.size) == photo["size_px"] == [600, 600]


def test_a_picture_says_in_its_header_what_was_not_passed(
    client: httpx.Client, portrait: bytes
) -> None:
    order = {"document": "fr-passport", "background": "white"}
    answer = client.post("/v1/photos", files={"photo": portrait}, data=order)
    assert said(answer)["background"] == "fail"
    assert said(answer)["enlargement"] == "warn"
    assert set(said(answer).values()) == {"warn", "fail"}


def test_a_zip_says_the_worst_of_its_pictures(client: httpx.Client, portrait: bytes) -> None:
    data = {"document": ["fr-passport", "cn-1-inch"], "background": ["light-grey", "white"]}
    answer = client.post("/v1/photos", files={"photo": portrait}, data=data)
    assert answer.headers["content-type"] == "application/zip"
    assert said(answer)["background"] == "fail"
    assert "x-checks" not in client.post("/v1/cutouts", files={"photo": portrait}).headers


def test_a_raw_body_with_the_order_in_the_query(client: httpx.Client, portrait: bytes) -> None:
    answer = client.post(
        "/v1/photos",
        params={"document": "cn-1-inch", "background": ["white", "red"]},
        content=portrait,
        headers={"Content-Type": "image/png"},
    )
    assert answer.headers["content-type"] == "application/zip"


def test_timings_and_the_request_id_are_in_the_headers(
    client: httpx.Client, portrait: bytes
) -> None:
    answer = client.post(
        "/v1/photos",
        files={"photo": portrait},
        data={"document": "cn-1-inch"},
        headers={"X-Request-Id": "order-4711"},
    )
    assert answer.headers["x-request-id"] == "order-4711"
    steps = [part.strip().split(";dur=") for part in answer.headers["server-timing"].split(",")]
    assert [name for name, _ in steps] == ["upload", "cropping", "matting", "compositing"]
    assert all(float(milliseconds) >= 0 for _, milliseconds in steps)
