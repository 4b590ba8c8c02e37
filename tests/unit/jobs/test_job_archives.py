"""Zips that jobs are made of: ordinary ones, and those that mean harm."""

import json
import zipfile
from collections.abc import Callable

import pytest

from tests.unit.jobs import zips
from tests.unit.jobs.service import MAX_PHOTO_BYTES, Service

PHOTO = zips.photo()
SAFE = zips.zipped([("aa/photo.jpg", PHOTO), ("second.jpg", PHOTO)])
BOMB = zips.zipped([("a.jpg", PHOTO[:100] + bytes(20_000_000))], zipfile.ZIP_DEFLATED)


def shared_bytes() -> bytes:
    """Each member alone is harmless; all of them are the same bytes."""
    inner = zips.zipped([("a.jpg", PHOTO + bytes(900_000))], zipfile.ZIP_DEFLATED)
    at = inner.find(b"PK\1\2")
    entry, end = inner[at : inner.find(b"PK\5\6")], bytearray(inner[inner.find(b"PK\5\6") :])
    end[8:12] = (300).to_bytes(2, "little") * 2
    end[12:16] = (300 * len(entry)).to_bytes(4, "little")
    return inner[:at] + entry * 300 + bytes(end)


REFUSED = {
    "up": (zips.renamed(SAFE, b"aa/photo.jpg", b"../photo.jpg"), 400, "unsafe_archive"),
    "up inside": (zips.renamed(SAFE, b"aa/photo.jpg", b"a/../up.jpeg"), 400, "unsafe_archive"),
    "up with backslashes": (
        zips.renamed(SAFE, b"aa/photo.jpg", rb"..\photo.jpg"),
        400,
        "unsafe_archive",
    ),
    "absolute": (zips.renamed(SAFE, b"aa/photo.jpg", b"/etc/passwd."), 400, "unsafe_archive"),
    "drive": (zips.renamed(SAFE, b"aa/photo.jpg", rb"C:\photo.jpg"), 400, "unsafe_archive"),
    "share": (zips.renamed(SAFE, b"aa/photo.jpg", rb"\\host\a.jpg"), 400, "unsafe_archive"),
    "nul": (zips.renamed(SAFE, b"aa/photo.jpg", b"photo.jpg\0aa"), 400, "unsafe_archive"),
    "line feed": (zips.renamed(SAFE, b"aa/photo.jpg", b"photo\n12.jpg"), 400, "unsafe_archive"),
    "password": (zips.encrypted(SAFE), 400, "encrypted_archive"),
    "cut short": (SAFE[:-30], 400, "broken_archive"),
    "first half": (SAFE[: len(SAFE) // 2], 400, "broken_archive"),
    "no zip": (b"not a zip at all", 400, "broken_archive"),
    "empty": (b"", 400, "broken_archive"),
    "nothing in it": (zips.zipped([]), 422, "missing_photos"),
    "bomb": (BOMB, 413, "archive_bomb"),
    "bomb of shared bytes": (shared_bytes(), 413, "archive_bomb"),
    "members": (zips.zipped([(f"{n}.jpg", b"") for n in range(2001)]), 413, "too_many_items"),
    "directory": (zips.with_a_directory_of(60_000), 413, "too_many_items"),
    "large directory": (zips.with_a_directory_of(400_000), 413, "too_many_items"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_zip_that_is_refused(make_service: Callable[..., Service], name: str) -> None:
    archive, status, code = REFUSED[name]
    service = make_service(max_items=2000)
    answer = service.post(archive)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert service.files_on_disk() == []
    assert service.runner.store.totals().jobs == 0


def test_what_unpacks_to_more_than_a_job_may_have(make_service: Callable[..., Service]) -> None:
    files = [(f"{n}.jpg", PHOTO + bytes(20_000)) for n in range(60)]
    service = make_service(max_job_mb=1)
    answer = service.post(zips.zipped(files, zipfile.ZIP_DEFLATED))
    assert (answer.status_code, answer.json()["code"]) == (413, "job_too_large")


def test_what_is_no_photo_fails_alone(service: Service) -> None:
    bzip2 = zipfile.ZipInfo("bzip2.jpg")
    bzip2.compress_type = zipfile.ZIP_BZIP2
    files: list[tuple[str | zipfile.ZipInfo, bytes]] = [
        ("good.jpg", PHOTO),
        ("folder/", b""),
        ("__MACOSX/._good.jpg", b"\0\5\x16\7\0\2\0\0Mac OS X        "),
        (".DS_Store", b"\0\0\0\1Bud1"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0"),
        ("nested.zip", zips.zipped([("inner.jpg", PHOTO)])),
        ("notes.jpg", b"text"),
        ("empty.jpg", b""),
        (zips.link("link.jpg"), b"/etc/passwd"),
        ("large.jpg", PHOTO + bytes(MAX_PHOTO_BYTES)),
        (bzip2, PHOTO),
        ("last.jpg", PHOTO),
    ]
    answer = service.post(zips.zipped(files))
    assert answer.status_code == 202
    errors = [item["error"] for item in service.items(answer.json()["id"])]
    wrong = "unsupported_format"
    assert errors == [None, *[wrong] * 6, "empty_body", wrong, "body_too_large", wrong, None]
    assert service.runner.work() == ["good.jpg", "last.jpg"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wrong_checksum_fails_its_photo_alone(service: Service, method: int) -> None:
    archive = zips.zipped([("a.jpg", PHOTO), ("b.jpg", PHOTO)], method)
    job_id = service.post(zips.with_wrong_crc(archive)).json()["id"]
    assert [item["error"] for item in service.items(job_id)] == ["broken_image", None]
    assert len(service.files_on_disk()) == 1


def test_members_with_broken_bytes(service: Service) -> None:
    archive = bytearray(zips.zipped([("a.jpg", PHOTO), ("b.jpg", PHOTO)], zipfile.ZIP_DEFLATED))
    archive[40:60] = b"\xff" * 20
    job_id = service.post(bytes(archive)).json()["id"]
    assert [item["error"] for item in service.items(job_id)] == ["broken_image", None]


def test_photos_that_have_the_same_name_are_kept_apart(service: Service) -> None:
    files = [("a.jpg", zips.photo(1)), ("A.jpg", zips.photo(2)), ("a.png", zips.photo(3))]
    job_id = service.post(zips.zipped(files)).json()["id"]
    service.runner.work()
    with service.client.stream("GET", f"/v1/jobs/{job_id}/result.zip") as answer:
        path = service.folder / "result.zip"
        path.write_bytes(answer.read())
    assert zipfile.ZipFile(path).namelist() == ["a.jpg", "A (2).jpg", "a (3).jpg", "report.csv"]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("张伟.jpg".encode("gbk"), "张伟.jpg"),
        ("王喆.jpg".encode("gbk"), "王喆.jpg"),
        ("Müller.jpg".encode("cp437"), "Müller.jpg"),
        ("Zoë.jpg".encode(), "Zoë.jpg"),
    ],
)
def test_names_of_old_zip_programs(service: Service, raw: bytes, name: str) -> None:
    plain = b"x" * len(raw)
    archive = zips.renamed(zips.zipped([(plain.decode(), PHOTO)]), plain, raw)
    assert [item["file"] for item in service.items(service.post(archive).json()["id"])] == [name]


def test_many_members(service: Service) -> None:
    files = [(f"{n // 100}/{n}.jpg", PHOTO[:200]) for n in range(2000)]
    job = service.post(zips.zipped(files)).json()
    assert (job["total"], job["counts"]["waiting"]) == (2000, 2000)
    assert len(service.files_on_disk()) == 2000


@pytest.mark.parametrize("content_type", ["application/zip", "application/x-www-form-urlencoded"])
def test_a_zip_is_known_by_its_bytes(service: Service, content_type: str) -> None:
    answer = service.client.post(
        "/v1/jobs?document=us-passport", content=SAFE, headers={"content-type": content_type}
    )
    assert answer.status_code == 202


def test_a_zip_with_something_before_it(service: Service) -> None:
    """As self-extracting archives are."""
    assert service.post(b"#!/bin/sh\n" + SAFE).json()["total"] == 2


def test_refusals_are_explained(service: Service) -> None:
    answer = service.post(REFUSED["up"][0])
    assert "../photo.jpg" in json.loads(answer.content)["detail"]
