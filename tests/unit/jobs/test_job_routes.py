"""A job from its request to its end, over HTTP."""

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from deployments import access
from deployments.settings import Key
from tests.unit.jobs import zips
from tests.unit.jobs.service import Service

PHOTOS = [(f"class/{number:02}.jpg", zips.photo(number)) for number in range(5)]
NO_JOB = "0" * 32


def report_of(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("report.csv").decode("utf-8-sig"))))


def fetched(service: Service, job_id: str, **headers: str) -> zipfile.ZipFile:
    answer = service.client.get(f"/v1/jobs/{job_id}/result.zip", headers=headers)
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def test_a_job_from_beginning_to_end(service: Service) -> None:
    answer = service.post(zips.zipped([*PHOTOS, ("notes.txt", b"hello")]))
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["total"]) == ("running", 6)
    assert (job["counts"]["waiting"], job["counts"]["failed"]) == (5, 1)
    assert job["keep_until"] is None

    failing = {"class/03.jpg": "no_face"}
    assert service.runner.work(fails=failing.get) == [name for name, _ in PHOTOS]
    job = service.client.get(answer.headers["location"]).json()
    assert job["state"] == "done"
    assert (job["counts"]["done"], job["counts"]["failed"]) == (4, 2)
    assert job["seconds_left"] == 0
    assert job["keep_until"] > job["ended_at"]

    items = service.items(job["id"])
    assert [item["position"] for item in items] == list(range(6))
    assert [item["error"] for item in items] == [None] * 3 + ["no_face", None, "unsupported_format"]
    assert items[3]["hint"]["en"].startswith("Use a photo of one person")
    assert items[0]["findings"][0]["checks"][0]["code"] == "mouth_open"

    archive = fetched(service, job["id"])
    done = [name for name, _ in PHOTOS if name not in failing]
    assert archive.namelist() == [*done, "report.csv"]
    assert archive.read("class/00.jpg") == b"picture of class/00.jpg for us-passport on white"
    rows = report_of(archive)
    assert [row["picture"] for row in rows] == [*done[:3], "", done[3], ""]
    assert rows[0]["checks"] == "mouth_open=warn"
    assert (rows[0]["result"], rows[3]["error"]) == ("warn", "no_face")


def test_a_job_keeps_its_rate_while_it_runs(service: Service) -> None:
    job = service.post(zips.zipped(PHOTOS)).json()
    assert (job["photos_per_s"], job["seconds_left"]) == (None, None)
    service.runner.work(3)
    job = service.client.get(f"/v1/jobs/{job['id']}").json()
    assert job["photos_per_s"] > 0
    assert job["seconds_left"] == pytest.approx(2 / job["photos_per_s"], rel=0.2, abs=0.1)


def test_items_come_in_pages_and_by_state(service: Service) -> None:
    job_id = service.post(zips.zipped(PHOTOS)).json()["id"]
    service.runner.work(2)
    path = f"/v1/jobs/{job_id}/items"
    first = service.client.get(path, params={"limit": 3}).json()
    assert [item["position"] for item in first["items"]] == [0, 1, 2]
    rest = service.client.get(path, params={"limit": 3, "after": first["next_after"]}).json()
    assert [item["position"] for item in rest["items"]] == [3, 4]
    assert rest["next_after"] is None
    assert [item["position"] for item in service.items(job_id, "state=done")] == [0, 1]
    assert len(service.items(job_id, "state=done,waiting")) == 5


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "state=ill", "after=-2", "other=1"])
def test_a_bad_page_is_refused(service: Service, query: str) -> None:
    job_id = service.post(zips.zipped(PHOTOS[:1])).json()["id"]
    assert service.client.get(f"/v1/jobs/{job_id}/items?{query}").status_code == 422


def test_the_result_of_one_photo(service: Service) -> None:
    job_id = service.post(zips.zipped(PHOTOS)).json()["id"]
    path = f"/v1/jobs/{job_id}/items"
    assert service.client.get(f"{path}/0/result").json()["code"] == "no_result"
    service.runner.work(1)
    answer = service.client.get(f"{path}/0/result")
    assert answer.content == b"picture of class/00.jpg for us-passport on white"
    assert answer.headers["content-type"] == "image/jpeg"
    assert 'filename="00.jpg"' in answer.headers["content-disposition"]
    for position in ("5", "99999999999999999999"):
        answer = service.client.get(f"{path}/{position}/result")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_item")


def test_several_pictures_of_one_photo(service: Service) -> None:
    query = "document=us-passport&background=white,blue"
    job_id = service.post(zips.zipped([("a/Ann.jpeg", zips.photo())]), query).json()["id"]
    service.runner.work()
    names = ["Ann_us-passport_white.jpg", "Ann_us-passport_blue.jpg"]
    path = f"/v1/jobs/{job_id}/items/0/result"
    archive = zipfile.ZipFile(io.BytesIO(service.client.get(path).content))
    assert archive.namelist() == names
    assert service.client.get(path, params={"picture": 1}).content == archive.read(names[1])
    assert service.client.get(path, params={"picture": 2}).status_code == 422
    whole = fetched(service, job_id)
    assert whole.namelist() == [f"a/{name}" for name in names] + ["report.csv"]
    assert [row["background"] for row in report_of(whole)] == ["white", "blue"]


def test_the_archive_waits_for_the_end(service: Service) -> None:
    job_id = service.post(zips.zipped(PHOTOS)).json()["id"]
    answer = service.client.get(f"/v1/jobs/{job_id}/result.zip")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_ended")


def test_the_report_in_chinese_and_without_formulas(service: Service) -> None:
    files = [("=1+1.jpg", zips.photo()), ("b.jpg", zips.photo())]
    job_id = service.post(zips.zipped(files)).json()["id"]
    service.runner.work(fails={"b.jpg": "no_face"}.get)
    rows = report_of(fetched(service, job_id, **{"accept-language": "zh-CN"}))
    assert rows[0]["file"] == "'=1+1.jpg"
    assert rows[1]["explanation"] == "照片中未检测到人脸。"


def test_a_retry_takes_the_failed_photos_alone(service: Service) -> None:
    job_id = service.post(zips.zipped(PHOTOS)).json()["id"]
    path = f"/v1/jobs/{job_id}/retry"
    assert service.client.post(path).json()["code"] == "job_not_ended"
    service.runner.work(fails={"class/03.jpg": "no_face"}.get)
    answer = service.client.post(path)
    assert (answer.status_code, answer.json()["retried"]) == (202, 1)
    assert answer.json()["job"]["state"] == "running"
    assert service.runner.work() == ["class/03.jpg"]
    assert service.client.get(f"/v1/jobs/{job_id}").json()["counts"]["done"] == 5


def test_a_job_is_paused_and_goes_on(service: Service) -> None:
    path = f"/v1/jobs/{service.post(zips.zipped(PHOTOS)).json()['id']}"
    service.runner.work(2)
    paused = service.client.post(f"{path}/pause").json()
    assert (paused["state"], paused["paused_for"]) == ("paused", "client")
    assert service.runner.work() == []
    assert service.client.post(f"{path}/pause").json()["state"] == "paused"
    assert service.client.post(f"{path}/resume").json()["state"] == "running"
    assert len(service.runner.work()) == 3
    for turn in ("pause", "resume", "cancel"):
        assert service.client.post(f"{path}/{turn}").json()["state"] == "done"


def test_a_job_that_waits_for_the_storage_is_not_resumed_by_clients(service: Service) -> None:
    job_id = service.post(zips.zipped(PHOTOS)).json()["id"]
    service.runner.store.pause("storage_unavailable", job_id)
    job = service.client.post(f"/v1/jobs/{job_id}/resume").json()
    assert (job["state"], job["paused_for"]) == ("paused", "storage_unavailable")


def test_a_cancelled_job_keeps_what_is_finished(service: Service) -> None:
    job_id = service.post(zips.zipped(PHOTOS)).json()["id"]
    service.runner.work(2)
    job = service.client.post(f"/v1/jobs/{job_id}/cancel").json()
    assert (job["state"], job["counts"]["done"], job["counts"]["cancelled"]) == ("cancelled", 2, 3)
    assert job["keep_until"] > job["ended_at"]
    assert service.runner.work() == []
    assert fetched(service, job_id).namelist()[:2] == ["class/00.jpg", "class/01.jpg"]


@pytest.mark.parametrize("done", [0, 2, 5])
def test_deletion_leaves_nothing(service: Service, done: int) -> None:
    job_id = service.post(zips.zipped(PHOTOS)).json()["id"]
    service.runner.work(done)
    assert service.files_on_disk()
    assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert service.files_on_disk() == []
    assert service.client.get(f"/v1/jobs/{job_id}").json()["code"] == "unknown_job"
    assert service.runner.work() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/items"),
        ("GET", "/items/0/result"),
        ("GET", "/result.zip"),
        ("GET", "/events"),
        ("POST", "/retry"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/cancel"),
        ("DELETE", ""),
    ],
)
@pytest.mark.parametrize("job_id", [NO_JOB, "nonsense", "%00", "x" * 5000])
def test_jobs_that_do_not_exist(service: Service, method: str, path: str, job_id: str) -> None:
    answer = service.client.request(method, f"/v1/jobs/{job_id}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")


def test_another_key_s_job_does_not_exist(make_service: Callable[..., Service]) -> None:
    secrets = {name: access.make() for name in ("ann", "bob")}
    service = make_service(
        keys=tuple(Key(name=name, sha256=access.digest(key)) for name, key in secrets.items())
    )

    def as_(name: str) -> dict[str, str]:
        return {"authorization": f"Bearer {secrets[name]}"}

    headers = {**as_("ann"), "idempotency_key": "1"}
    job_id = service.post(zips.zipped(PHOTOS), **headers).json()["id"]
    path = f"/v1/jobs/{job_id}"
    assert service.client.get(path, headers=as_("ann")).status_code == 200
    assert service.client.get(path).status_code == 401
    asked = [("GET", ""), ("GET", "/items"), ("GET", "/events"), ("DELETE", "")]
    for method, end in [*asked, ("POST", "/pause"), ("POST", "/resume"), ("POST", "/cancel")]:
        answer = service.client.request(method, path + end, headers=as_("bob"))
        assert answer.status_code == 404
    other = service.post(zips.zipped(PHOTOS), **as_("bob"), idempotency_key="1")
    assert (other.status_code, other.json()["id"] == job_id) == (202, False)
    with service.client.websocket_connect(f"{path}/events", headers=as_("ann")) as socket:
        assert socket.receive_json()["type"] == "progress"


def test_nothing_is_written_before_the_first_job(make_service: Callable[..., Service]) -> None:
    from deployments.jobs.depot import Depot
    from deployments.settings import Jobs

    folder = make_service().folder
    untouched = folder.with_name("untouched")
    Depot(Jobs(folder=untouched))
    assert not untouched.exists()


def test_every_route_is_documented(service: Service) -> None:
    paths: dict[str, Any] = service.client.get("/openapi.json").json()["paths"]
    shown = {(path, method) for path in paths for method in paths[path] if "/jobs" in path}
    job = "/v1/jobs/{job_id}"
    assert shown == {
        ("/v1/jobs", "post"),
        (job, "get"),
        (job, "delete"),
        (f"{job}/items", "get"),
        (f"{job}/items/{{position}}/result", "get"),
        (f"{job}/result.zip", "get"),
        (f"{job}/events", "get"),
        (f"{job}/retry", "post"),
        (f"{job}/pause", "post"),
        (f"{job}/resume", "post"),
        (f"{job}/cancel", "post"),
    }
