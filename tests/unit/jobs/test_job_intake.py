"""What a job is made of: forms, keys of a store, overrides, limits, repeated requests."""

import asyncio
import os
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from deployments.jobs import spool
from pipeline.errors import PhotoTooLarge, StorageFull
from tests.unit.jobs import zips
from tests.unit.jobs.service import MAX_PHOTO_BYTES, Service

PHOTO = zips.photo()
Files = list[tuple[str, tuple[str, bytes]]]


def photos(*names: str) -> Files:
    return [("photo", (name, PHOTO)) for name in names]


def send(service: Service, files: Files, **fields: Any) -> Any:
    return service.client.post("/v1/jobs", files=files, data={"document": "us-passport", **fields})


def test_many_files(service: Service) -> None:
    files = [*photos("a.jpg", "b.jpg"), ("photo", ("c.txt", b"no photo"))]
    answer = send(service, files)
    assert answer.status_code == 202
    found = [(item["file"], item["error"]) for item in service.items(answer.json()["id"])]
    assert found == [("a.jpg", None), ("b.jpg", None), ("c.txt", "unsupported_format")]
    uploads = sorted(path for path in service.files_on_disk())
    assert [path.read_bytes() for path in uploads] == [PHOTO, PHOTO]


def test_a_zip_as_a_file_of_the_form(service: Service) -> None:
    archive = zips.zipped([("in/a.jpg", PHOTO)])
    answer = send(service, [*photos("b.jpg"), ("archive", ("photos.zip", archive))])
    assert [item["file"] for item in service.items(answer.json()["id"])] == ["b.jpg", "in/a.jpg"]
    assert [path.read_bytes() for path in service.files_on_disk()] == [PHOTO, PHOTO]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.jpg", "etc/passwd.jpg"),
        ("/etc/a.jpg", "etc/a.jpg"),
        (r"C:\Users\Ann\a.jpg", "a.jpg"),
        ("..", "photo"),
        ("x" * 5000 + ".jpg", "x" * 296 + ".jpg"),
    ],
)
def test_odd_names_are_made_harmless(service: Service, sent: str, kept: str) -> None:
    job_id = send(service, photos(sent)).json()["id"]
    assert [item["file"] for item in service.items(job_id)] == [kept]


@pytest.mark.parametrize(
    ("files", "fields", "status", "code"),
    [
        (photos("a.jpg"), {"document": "no-such"}, 422, "unknown_document"),
        (photos("a.jpg"), {"document": ""}, 422, "bad_parameter"),
        (photos("a.jpg"), {"colour": "red"}, 422, "unknown_parameter"),
        ([("picture", ("a.jpg", PHOTO))], {}, 422, "unknown_parameter"),
        (photos("a.jpg"), {"document": "x" * 5000}, 400, "bad_form"),
        (photos("a.jpg"), {"background": "white,transparent", "format": "jpeg"}, 422, None),
        (photos("a.jpg"), {"webhook": "https://hooks.example"}, 422, "webhook_not_allowed"),
        ([("archive", ("a.zip", b"PK"))], {}, 400, "broken_archive"),
        ([("archive", ("a.zip", zips.zipped([])))] * 2, {}, 422, "bad_parameter"),
        (photos(*[f"{n}.jpg" for n in range(11)]), {}, 413, "too_many_items"),
    ],
)
def test_a_form_that_is_refused(
    make_service: Callable[..., Service],
    files: Files,
    fields: dict[str, str],
    status: int,
    code: str | None,
) -> None:
    service = make_service(max_items=10)
    answer = send(service, files, **fields)
    assert answer.status_code == status
    assert code in (None, answer.json()["code"])
    assert service.files_on_disk() == []


def test_a_file_input_without_a_choice(service: Service) -> None:
    part = 'content-disposition: form-data; name="photo"; filename=""\r\n\r\n\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    body = f"--x\r\n{part}--x--\r\n".encode()
    answer = service.client.post("/v1/jobs", content=body, headers=headers)
    assert answer.json()["code"] == "missing_photos"


def test_overrides(service: Service) -> None:
    table = "file,document,background,name\na.jpg,cn-1-inch,blue,Ann\nsub/b.jpg,,red,\n"
    archive = zips.zipped([("in/a.jpg", PHOTO), ("sub/b.jpg", PHOTO), ("c.jpg", PHOTO)])
    files = [("archive", ("a.zip", archive)), ("overrides", ("o.csv", table.encode()))]
    job_id = send(service, files).json()["id"]
    service.runner.work()
    findings = [item["findings"][0] for item in service.items(job_id)]
    made = [(each["document"], each["background"]) for each in findings]
    assert made == [("cn-1-inch", "blue"), ("us-passport", "red"), ("us-passport", "white")]
    answer = service.client.get(f"/v1/jobs/{job_id}/items/0/result")
    assert 'filename="Ann.jpg"' in answer.headers["content-disposition"]


def test_overrides_may_name_every_document(service: Service) -> None:
    table = b"file,document\na.jpg,cn-1-inch\n"
    files = [*photos("a.jpg"), ("overrides", ("o.csv", table))]
    assert send(service, files, document="").status_code == 202
    answer = send(service, [*files, *photos("b.jpg")], document="")
    assert answer.json()["code"] == "bad_parameter"


@pytest.mark.parametrize(
    "table",
    [
        "file,document\na.jpg,no-such\n",
        "file,background\na.jpg,no-colour\n",
        "file,document\nother.jpg,cn-1-inch\n",
        "file\na.jpg\na.jpg\n",
        "file,size\na.jpg,3x4\n",
        "document\ncn-1-inch\n",
        'file\n"a.jpg\n',
    ],
)
def test_overrides_that_are_refused(service: Service, table: str) -> None:
    files = [*photos("a.jpg"), ("overrides", ("o.csv", table.encode()))]
    answer = send(service, files)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_override")
    assert service.files_on_disk() == []


ALLOWED = ("s3://intake/2026/", "file:///srv/photos/")


def test_keys_of_a_store(make_service: Callable[..., Service]) -> None:
    service = make_service(allowed_keys=ALLOWED)
    keys = ["s3://intake/2026/class a/1.jpg", "file:///srv/photos/2.jpg"]
    body = {
        "keys": keys,
        "document": ["us-passport"],
        "overrides": [{"file": "2.jpg", "background": "blue"}],
    }
    answer = service.client.post("/v1/jobs", json=body)
    assert answer.status_code == 202
    assert [item["file"] for item in service.items(answer.json()["id"])] == [
        "class a/1.jpg",
        "2.jpg",
    ]
    leases = service.runner.store.lease("r", 5, 60)
    assert [lease.item.source for lease in leases] == keys
    assert leases[1].item.overrides == {"background": ["blue"]}


@pytest.mark.parametrize(
    "key",
    [
        "s3://other/a.jpg",
        "s3://intake/2025/a.jpg",
        "s3://intake/2026",
        "s3://intake/2026/",
        "s3://intake/2026/../secret.jpg",
        "s3://intake/2026/a/../../secret.jpg",
        "s3://intake/2026//etc/a.jpg",
        "s3://intake/2026/a.jpg::file:///etc/passwd",
        "s3://intake/2026/*.jpg",
        "file:///srv/photos/../../etc/passwd",
        "file:///srv/photos2/a.jpg",
        "/srv/photos/a.jpg",
        "S3://intake/2026/a.jpg",
        "s3://intake/2026/a\0.jpg",
        "",
    ],
)
def test_keys_that_are_not_allowed(make_service: Callable[..., Service], key: str) -> None:
    service = make_service(allowed_keys=ALLOWED)
    body = {"keys": [ALLOWED[0] + "good.jpg", key], "document": "us-passport"}
    answer = service.client.post("/v1/jobs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "place_not_allowed")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "bad_form"),
        (b"[" * 100_000, "bad_form"),
        (b'{"keys": "s3://intake/2026/a.jpg"}', "bad_form"),
        (b'{"keys": [1]}', "bad_form"),
        (b'{"document": "us-passport"}', "bad_form"),
        (b'{"keys": [], "document": "us-passport"}', "missing_photos"),
        (b'{"keys": [], "colour": "red"}', "unknown_parameter"),
        (b'{"keys": [], "document": {"a": 1}}', "bad_form"),
    ],
)
def test_json_that_is_refused(service: Service, body: bytes, code: str) -> None:
    headers = {"content-type": "application/json"}
    assert service.client.post("/v1/jobs", content=body, headers=headers).json()["code"] == code


@pytest.mark.parametrize("content_type", ["text/plain", "image/jpeg", ""])
def test_a_body_that_is_no_job(service: Service, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = service.client.post("/v1/jobs", content=PHOTO, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_photos")


def test_the_same_request_again_makes_no_second_job(service: Service) -> None:
    archive = zips.zipped([("a.jpg", PHOTO)])
    first = service.post(archive, idempotency_key="k 1")
    again = service.post(archive, idempotency_key="k 1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["location"] == first.headers["location"]
    service.runner.work()
    assert service.post(archive, idempotency_key="k 1").json()["state"] == "done"
    assert len(service.files_on_disk()) == 2  # upload and result: the sweeper is not here


@pytest.mark.parametrize(
    ("files", "query"),
    [
        ([("a.jpg", PHOTO)], "document=cn-1-inch"),
        ([("b.jpg", PHOTO)], "document=us-passport"),
        ([("a.jpg", zips.photo(7))], "document=us-passport"),
        ([("a.jpg", PHOTO), ("b.jpg", PHOTO)], "document=us-passport"),
    ],
)
def test_a_key_that_was_used_for_another_job(
    service: Service, files: list[tuple[str, bytes]], query: str
) -> None:
    assert service.post(zips.zipped([("a.jpg", PHOTO)]), idempotency_key="k").status_code == 202
    answer = service.post(zips.zipped(files), query, idempotency_key="k")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert service.runner.store.totals().jobs == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there"])
def test_a_key_that_is_none(service: Service, key: str) -> None:
    answer = service.post(zips.zipped([("a.jpg", PHOTO)]), idempotency_key=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_parameter")


def test_a_request_that_stopped_half_way_is_gone_on_with(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zips.zipped([(f"{n}.jpg", zips.photo(n)) for n in range(5)])
    put = type(service.runner.files).put
    calls = 0

    def fails_once(self: Any, key: str, chunks: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError("killed here")
        return put(self, key, chunks)

    monkeypatch.setattr(type(service.runner.files), "put", fails_once)
    with pytest.raises(OSError, match="killed here"):
        service.post(archive, idempotency_key="k")
    answer = service.post(archive, idempotency_key="k")
    assert (answer.status_code, answer.json()["counts"]["waiting"]) == (200, 5)
    assert sorted(service.runner.work()) == [f"{n}.jpg" for n in range(5)]
    assert service.runner.store.totals().jobs == 1


def test_jobs_beyond_the_quota_are_refused(make_service: Callable[..., Service]) -> None:
    archive = zips.zipped([("a.jpg", PHOTO)])
    service = make_service(quota_gb=len(archive) * 1.5 / 1e9)
    first = service.post(archive)
    assert first.status_code == 202
    answer = service.post(archive)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    service.client.delete(f"/v1/jobs/{first.json()['id']}")
    assert service.post(archive).status_code == 202


def test_what_unpacks_beyond_the_quota_is_refused(make_service: Callable[..., Service]) -> None:
    archive = zips.zipped([("a.jpg", PHOTO + bytes(50_000))], zipfile.ZIP_DEFLATED)
    service = make_service(quota_gb=len(archive) * 2 / 1e9)
    assert service.post(archive).json()["code"] == "storage_full"
    assert service.files_on_disk() == []


def test_more_uploads_at_once_than_are_served(make_service: Callable[..., Service]) -> None:
    service = make_service(max_streams=1)
    job_id = service.post(zips.zipped([("a.jpg", PHOTO)])).json()["id"]
    with service.client.websocket_connect(f"/v1/jobs/{job_id}/events") as socket:
        socket.receive_json()
        answer = service.post(zips.zipped([("a.jpg", PHOTO)]))
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
        assert int(answer.headers["retry-after"]) > 0
    for _ in range(3):
        assert service.post(zips.zipped([("a.jpg", PHOTO)])).status_code == 202


def test_a_photo_as_large_as_allowed(service: Service) -> None:
    exact = PHOTO + bytes(MAX_PHOTO_BYTES - len(PHOTO))
    files = [("photo", ("a.jpg", exact)), ("photo", ("b.jpg", exact + b"1"))]
    job_id = send(service, files).json()["id"]
    assert [item["error"] for item in service.items(job_id)] == [None, "body_too_large"]


def request_of(chunks: list[bytes], **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]

    async def messages() -> AsyncIterator[dict[str, Any]]:
        for chunk in chunks:
            yield {"type": "http.request", "body": chunk, "more_body": True}
        yield {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "headers": raw}, messages().__anext__)


@pytest.mark.parametrize(
    ("chunks", "headers", "error"),
    [
        ([b"x" * 600, b"x" * 600], {}, PhotoTooLarge),
        ([], {"content_length": "1001"}, PhotoTooLarge),
        ([b"x" * 600], {}, ClientDisconnect),
    ],
)
def test_a_body_that_does_not_arrive(
    tmp_path: Path, chunks: list[bytes], headers: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        asyncio.run(spool.receive(request_of(chunks, **headers), tmp_path / "new", 1000))
    assert not list(tmp_path.rglob("*.*"))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, data: memoryview) -> int:
            raise OSError(28, os.strerror(28))

        def close(self) -> None:
            pass

    monkeypatch.setattr(spool, "_unnamed", lambda folder: Full())
    with pytest.raises(StorageFull):
        asyncio.run(spool.receive(request_of([b"x" * 2_000_000]), tmp_path, 10**9))
