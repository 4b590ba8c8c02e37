"""Jobs whose storage fails, and whose runner is taken away."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ray import serve

from deployments.jobs.depot import open_files, open_store
from deployments.jobs.files import result_key
from deployments.jobs.records import ItemState
from deployments.settings import Jobs
from tests.serve import fragile
from tests.serve.conftest import eventually

ORDER = {"document": "cn-1-inch", "quality": "fast"}
PHOTOS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runner")


@pytest.fixture(scope="module")
def service(address: str, folder: Path) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{address}/fragile", timeout=120) as client:
        start(client, folder)
        yield client
    serve.delete(fragile.NAME)


def start(client: httpx.Client, folder: Path) -> None:
    serve.run(fragile.build(folder), name=fragile.NAME, route_prefix="/fragile")
    eventually(lambda: client.get("/readyz").status_code == 200)


def posted(client: httpx.Client, photo: bytes) -> str:
    """The path of a new job."""
    files = [("photo", (f"{number}.png", photo)) for number in range(PHOTOS)]
    answer = client.post("/v1/jobs", files=files, data=ORDER)
    assert answer.status_code == 202, answer.text
    return f"/v1/jobs/{answer.json()['id']}"


def state(client: httpx.Client, job: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(job).json()
    return answer


def pictures(client: httpx.Client, job: str) -> list[str]:
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{job}/result.zip").content))
    return sorted(name for name in archive.namelist() if name.endswith(".jpg"))


def test_a_job_waits_for_its_storage(service: httpx.Client, folder: Path, portrait: bytes) -> None:
    known = posted(service, portrait)
    eventually(lambda: state(service, known)["state"] == "done")
    (folder / "slow").touch()
    job = posted(service, portrait)
    files, gone = folder / "jobs" / "files", folder / "jobs" / "unplugged"
    files.rename(gone)
    eventually(lambda: state(service, job)["state"] == "paused")
    assert state(service, job)["paused_for"] == "storage_unavailable"
    gone.rename(files)
    eventually(lambda: state(service, job)["state"] == "done")
    assert state(service, job)["counts"]["done"] == PHOTOS
    assert len(pictures(service, job)) == PHOTOS


def test_a_photo_may_take_longer_than_a_lease(
    service: httpx.Client, folder: Path, portrait: bytes
) -> None:
    assert fragile.SLOW_S > 2 * fragile.LEASE_S
    (folder / "slow").touch()
    job = posted(service, portrait)
    eventually(lambda: state(service, job)["state"] == "done")
    store = open_store(Jobs(folder=folder / "jobs"))
    items = store.items(job.rpartition("/")[2])
    assert [item.attempt for item in items] == [1] * PHOTOS, "none was begun a second time"


def test_a_runner_that_goes_hands_back_what_it_has(
    service: httpx.Client, folder: Path, portrait: bytes
) -> None:
    """Else its photos would wait until their leases end."""
    (folder / "slow").touch()
    job = posted(service, portrait)
    eventually(lambda: state(service, job)["counts"]["leased"] > 0)
    serve.delete(fragile.NAME)
    jobs = Jobs(folder=folder / "jobs")
    store, files, job_id = open_store(jobs), open_files(jobs), job.rpartition("/")[2]
    assert store.items(job_id, states=[ItemState.LEASED]) == []
    begun = [item for item in store.items(job_id, states=[ItemState.WAITING]) if item.attempt]
    # As of a runner that was killed before it told the store of its results.
    untold = [result_key(job_id, item.position, item.attempt, 0, "jpg") for item in begun]
    for key in untold:
        files.put(key, [b"left over"])
    start(service, folder)
    eventually(lambda: state(service, job)["state"] == "done")
    assert len(pictures(service, job)) == PHOTOS
    assert untold and not any(files.exists(key) for key in untold)
