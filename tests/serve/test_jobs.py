"""Jobs through the real graph: from a zip to a zip."""

import io
import zipfile
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.serve.conftest import eventually

DATA = Path(__file__).parents[1] / "data"
ORDER = {"document": "cn-1-inch", "background": "blue", "quality": "fast"}


@pytest.fixture(scope="module")
def job(client: httpx.Client) -> str:
    """A job of two portraits, a picture of nobody and a text, once it has ended."""
    file = io.BytesIO()
    nobody = io.BytesIO()
    Image.effect_noise((300, 300), 30).convert("RGB").save(nobody, "JPEG")
    with zipfile.ZipFile(file, "w") as archive:
        portrait = (DATA / "astronaut.png").read_bytes()
        archive.writestr("class 1/ann.png", portrait)
        archive.writestr("class 2/ann.png", portrait)
        archive.writestr("nobody.jpg", nobody.getvalue())
        archive.writestr("readme.txt", "no photo")
    answer = client.post(
        "/v1/jobs",
        params=ORDER,
        content=file.getvalue(),
        headers={"Content-Type": "application/zip"},
    )
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    eventually(lambda: client.get(place).json()["state"] == "done")
    return str(place)


def test_every_photo_is_accounted_for(client: httpx.Client, job: str) -> None:
    items = client.get(f"{job}/items").json()["items"]
    errors = {item["file"]: item["error"] for item in items}
    assert errors == {
        "class 1/ann.png": None,
        "class 2/ann.png": None,
        "nobody.jpg": "no_face",
        "readme.txt": "unsupported_format",
    }
    counts = client.get(job).json()["counts"]
    assert counts == {"waiting": 0, "leased": 0, "done": 2, "failed": 2, "cancelled": 0}


def test_the_results_are_id_photos(client: httpx.Client, job: str) -> None:
    answer = client.get(f"{job}/result.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        pictures = [name for name in archive.namelist() if name.endswith(".jpg")]
        assert len(pictures) == 2
        for name in pictures:
            with Image.open(archive.open(name)) as image:
                assert image.size == (295, 413)
        report = archive.read("report.csv").decode("utf-8-sig").splitlines()
    assert len(report) == 5


def test_uploads_of_finished_photos_are_gone(
    client: httpx.Client, job: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue("settings").jobs.folder / "files" / job.rpartition("/")[2]
    assert sorted(path.name for path in folder.glob("*/upload")) == ["upload"]
    assert [path.parent.name for path in folder.glob("*/upload")] == ["00000002"]


def test_a_deleted_job_leaves_nothing(client: httpx.Client, settings: object, job: str) -> None:
    assert client.delete(job).status_code == 204
    assert client.get(job).status_code == 404
