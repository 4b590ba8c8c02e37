"""The interfaces of other services over the real graph, asked as their own clients ask."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from ray import serve

from deployments.app import build
from deployments.settings import Dropin, Scale, Settings
from tests.serve.conftest import DATA, eventually

ONE = Scale(min_replicas=1, max_replicas=1, cpus_per_replica=0.1)


@pytest.fixture(scope="module")
def peer(address: str) -> Iterator[httpx.Client]:
    """A client of a service with all three, and no more of it than that takes."""
    settings = Settings(
        device="cpu",
        precision="fp32",
        runtime="onnxruntime",
        deadline_s=60,
        jobs=None,
        cutouts=None,
        max_body_mb=2,
        dropin=Dropin(rembg=True, hivision=True, removebg=True),
        gateway=ONE,
        cropping=ONE,
        matting=ONE,
        compositing=ONE,
    )
    serve.run(build(settings), name="dropin", route_prefix="/dropin")
    with httpx.Client(base_url=f"{address}/dropin", timeout=120) as client:
        eventually(lambda: client.get("/readyz").status_code == 200)
        yield client
    serve.delete("dropin")


def opened(data: bytes | str) -> Image.Image:
    if isinstance(data, str):
        data = base64.b64decode(data.partition(",")[2] or data)
    return Image.open(io.BytesIO(data))


def test_rembg(peer: httpx.Client) -> None:
    cup = (DATA / "coffee-cup.png").read_bytes()
    asked = {"model": "u2netp", "om": "true"}
    answer = peer.post("/api/remove", files={"file": cup}, data=asked)
    mask = opened(answer.content)
    assert (answer.headers["content-type"], answer.headers["x-model"]) == ("image/png", "u2netp")
    assert (mask.mode, mask.size) == ("L", (600, 400))
    assert 0.1 < (np.asarray(mask) > 127).mean() < 0.6


def test_an_id_photo_of_hivision_on_a_colour_on_paper(peer: httpx.Client) -> None:
    def ask(path: str, picture: bytes, **data: Any) -> dict[str, Any]:
        answer = peer.post(path, files={"input_image": picture}, data=data)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        assert said["status"] is True, said
        return said

    portrait = (DATA / "astronaut.png").read_bytes()
    made = ask("/idphoto", portrait, height=413, width=295)
    standard = opened(made["image_base64_standard"])
    assert (standard.mode, standard.size) == ("RGBA", (295, 413))
    finer = opened(made["image_base64_hd"])
    assert finer.size >= standard.size
    cut = base64.b64decode(made["image_base64_standard"].partition(",")[2])
    on_blue = ask("/add_background", cut, color="638cce", kb=40)["image_base64"]
    photo = opened(on_blue)
    assert (photo.format, photo.size) == ("JPEG", (295, 413))
    corner = photo.getpixel((3, 3))
    assert isinstance(corner, tuple)
    assert max(abs(a - b) for a, b in zip(corner, (0x63, 0x8C, 0xCE), strict=True)) < 6
    blue = base64.b64decode(on_blue.partition(",")[2])
    assert len(blue) <= 40_960 and not blue.endswith(b"\0")
    sheet = opened(ask("/generate_layout_photos", blue, height=413, width=295)["image_base64"])
    assert sorted(sheet.size) == [1205, 1795]


def test_a_picture_without_a_face_is_hivisions_false(peer: httpx.Client) -> None:
    cup = (DATA / "coffee-cup.png").read_bytes()
    answer = peer.post("/idphoto", files={"input_image": cup})
    assert answer.status_code == 200
    assert {"status": False, "code": "no_face"}.items() <= answer.json().items()


def test_removebg(peer: httpx.Client) -> None:
    portrait = (DATA / "astronaut.png").read_bytes()
    data = {"size": "full", "crop": "true", "bg_color": "81d4fa", "format": "png"}
    answer = peer.post("/v1.0/removebg", files={"image_file": portrait}, data=data)
    assert answer.status_code == 200, answer.text
    image = opened(answer.content)
    headers = answer.headers
    assert image.size == (int(headers["x-width"]), int(headers["x-height"]))
    assert image.size == (int(headers["x-foreground-width"]), int(headers["x-foreground-height"]))
    assert (headers["x-type"], headers["x-credits-charged"]) == ("person", "0")
    assert (headers["x-max-width"], headers["x-max-height"]) == ("512", "512")
