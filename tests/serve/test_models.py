"""Nets that a request names, over HTTP."""

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from ray import serve

from tests.serve.conftest import eventually

ORDER = {"document": "cn-1-inch", "background": "transparent"}
MODEL = "saliency-only"


def replicas(name: str) -> int:
    deployments = serve.status().applications["idphoto"].deployments
    return deployments[name].replica_states.get("RUNNING", 0)


def alpha(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        return np.asarray(image, np.int16)[..., 3]


def test_a_model_starts_for_the_photo_that_asks_it(client: httpx.Client, portrait: bytes) -> None:
    assert replicas(f"Matting-{MODEL}") == 0
    files = {"photo": portrait}
    theirs = client.post("/v1/photos", files=files, data={**ORDER, "model": MODEL})
    eventually(lambda: replicas(f"Matting-{MODEL}") == 1)
    ours = client.post("/v1/photos", files=files, data=ORDER)
    assert 0 < np.abs(alpha(theirs) - alpha(ours)).mean() < 20
    cutout = client.post("/v1/cutouts", files=files, data={"model": MODEL})
    assert alpha(cutout).shape == (512, 512)
    sheet = client.post(
        "/v1/sheets", files=files, data={"document": "cn-1-inch", "model": MODEL, "reuse": "true"}
    )
    again = {"document": "cn-2-inch", "cutout": sheet.headers["x-cutout"]}
    assert client.post("/v1/photos", data=again).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/photos", {"document": "cn-1-inch", "model": "isnet"}),
        ("/v1/cutouts", {"model": "person"}),
        ("/v1/sheets", {"document": "cn-1-inch", "model": MODEL, "as_is": "true"}),
    ],
)
def test_models_that_are_not_there(
    client: httpx.Client, portrait: bytes, path: str, fields: dict[str, str]
) -> None:
    answer = client.post(path, files={"photo": portrait}, data=fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_parameter")
