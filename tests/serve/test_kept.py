"""Cut-outs that are kept: other sizes and colours without the photo. Their keys and their end:
tests/unit/deployments/test_cutouts.py.
"""

import base64
import io
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from deployments.tokens import Seal
from tests.serve.conftest import eventually
from tests.serve.test_privacy import held_bytes

ORDER = {"document": "cn-1-inch", "quality": "fast"}
OTHER = {"document": "us-passport", "background": "blue", "format": "png"}


def pixels(answer: httpx.Response) -> npt.NDArray[np.int16]:
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image, np.int16)


def kept(client: httpx.Client, portrait: bytes, **more: Any) -> httpx.Response:
    answer = client.post(
        "/v1/photos", files={"photo": portrait}, data={**ORDER, "reuse": "true"}, **more
    )
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture(scope="module")
def token(client: httpx.Client, portrait: bytes) -> str:
    return kept(client, portrait).headers["x-cutout"]


def test_the_token_gives_what_the_photo_would_have_given(
    client: httpx.Client, portrait: bytes, token: str
) -> None:
    data, files = {**OTHER, "quality": "fast"}, {"photo": portrait}
    direct = client.post("/v1/photos", data=data, files=files)
    for again in (
        client.post("/v1/photos", data={**OTHER, "cutout": token}),
        client.post("/v1/photos", params={**OTHER, "cutout": token}),
        client.post("/v1/photos", files={"cutout": (None, token)}, params=OTHER),
    ):
        assert np.abs(pixels(direct) - pixels(again)).mean() < 0.5
        assert "matting" not in again.headers["server-timing"]
        assert again.headers["x-quality"] == "fast"
        assert again.headers["x-checks"] == direct.headers["x-checks"]


def test_what_is_kept_lies_in_no_object_store(
    client: httpx.Client, portrait: bytes, token: str
) -> None:
    before = held_bytes()
    kept(client, portrait)
    # The pixels alone that are kept take as much.
    eventually(lambda: held_bytes() < before + len(portrait))
    assert client.post("/v1/photos", data={**OTHER, "cutout": token}).status_code == 200


def test_a_sheet_of_a_token_and_its_json(client: httpx.Client, token: str) -> None:
    answer = client.post(
        "/v1/sheets",
        data={"document": "cn-2-inch", "cutout": token, "zoom": "0.95"},
        headers={"Accept": "application/json"},
    )
    told = answer.json()
    assert told["cutout"]["token"] == answer.headers["x-cutout"] == token
    assert told["cutout"]["expires_at"].endswith("Z")
    assert told["photos"][0]["nudge"] == {"zoom": 0.95, "shift_x": 0, "shift_y": 0, "turn": 0}


def test_a_nudge_moves_the_person(client: httpx.Client, token: str) -> None:
    def post(**nudge: str) -> httpx.Response:
        data = {"size_px": "300x400", "cutout": token, "format": "png", **nudge}
        return client.post("/v1/photos", data=data, headers={"Accept": "application/json"})

    def drawn(answer: httpx.Response) -> npt.NDArray[np.int16]:
        data = base64.b64decode(answer.json()["photos"][0]["data_base64"])
        return np.asarray(Image.open(io.BytesIO(data)), np.int16)

    still, moved = post(), post(shift_x="10")
    assert still.json()["photos"][0]["nudge"] is None
    assert moved.json()["photos"][0]["nudge"]["shift_x"] == 10
    there = np.abs(drawn(still)[:, :200] - drawn(moved)[:, 30:230]).mean()
    assert there < 1 < np.abs(drawn(still) - drawn(moved)).mean()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"cutout": "made-up"}, 422, "bad_cutout"),
        ({"cutout": Seal(b"another secret").issue()[1]}, 422, "bad_cutout"),
        ({"cutout": "x" * 300}, 422, "bad_parameter"),
        ({"cutout": "made-up", "zoom": "1.3"}, 422, "bad_parameter"),
        ({"cutout": "made-up", "turn": "nan"}, 422, "bad_parameter"),
        ({"cutout": ""}, 422, "bad_cutout"),
        ({}, 422, "missing_photo"),
    ],
)
def test_tokens_that_are_none(
    client: httpx.Client, fields: dict[str, str], status: int, code: str
) -> None:
    answer = client.post("/v1/photos", data={**OTHER, **fields})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_photo_beside_a_token_is_refused(
    client: httpx.Client, portrait: bytes, token: str
) -> None:
    given = {**OTHER, "cutout": token}
    answer = client.post("/v1/photos", data=given, files={"photo": portrait})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_parameter")
    assert "cutout" in answer.json()["detail"]
