"""Files in a folder, and in a bucket of moto's S3 server."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from deployments.jobs.files import (
    Files,
    MissingFile,
    MissingJob,
    StorageUnavailable,
    result_key,
    upload_key,
)

JOB, OTHER = "0" * 31 + "a", "0" * 31 + "b"
KEY = upload_key(JOB, 7)


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, object]]:
    """Options of an S3 server of our own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while True:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert server.poll() is None and time.monotonic() < end, "moto does not start"
        time.sleep(0.1)
    yield {"endpoint_url": f"http://127.0.0.1:{port}", "key": "a", "secret": "b"}
    server.terminate()
    server.wait(30)


def new_bucket(s3: dict[str, object]) -> str:
    name = f"jobs-{secrets.token_hex(4)}"
    client = boto3.client(
        "s3",
        endpoint_url=s3["endpoint_url"],
        aws_access_key_id="a",
        aws_secret_access_key="b",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=name)
    client.close()
    return name


@pytest.fixture(params=["folder", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "folder":
        return Files(str(tmp_path / "files"))
    s3 = request.getfixturevalue("s3")
    return Files(f"s3://{new_bucket(s3)}/a/prefix", **s3)


def test_keys_hold_nothing_that_a_user_sent() -> None:
    assert upload_key(JOB, 12) == f"{JOB}/00000012/upload"
    assert result_key(JOB, 12, 3, 0, "jpg") == f"{JOB}/00000012/3-0.jpg"


@pytest.mark.parametrize("chunks", [[], [b""], [b"ab", b"", b"c"], [bytes(3 << 20)] * 4])
def test_what_is_put_is_read(files: Files, chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    assert files.put(KEY, iter(chunks)) == len(whole)
    assert files.get(KEY) == whole
    assert b"".join(files.read(KEY)) == whole
    assert all(len(chunk) <= 100_000 for chunk in files.read(KEY, 100_000))
    assert files.exists(KEY) and files.size(KEY) == len(whole)


def test_a_second_put_replaces_the_first(files: Files) -> None:
    files.put(KEY, [b"first"])
    files.put(KEY, [b"2nd"])
    assert files.get(KEY) == b"2nd"


def test_what_is_not_there_is_missing(files: Files) -> None:
    files.put(upload_key(JOB, 8), [b"another of the job"])
    assert not files.exists(KEY)
    for ask in (files.get, files.size, files.read):
        with pytest.raises(MissingFile):
            ask(KEY)
    files.delete([KEY])
    files.delete_job(JOB)
    assert files.job_ids() == []
    assert files.used_bytes() == 0


def test_a_job_of_which_nothing_is_there_may_come_back(files: Files) -> None:
    """As on a disk that is mounted late: its photos are not lost."""
    with pytest.raises(MissingJob):
        files.get(KEY)
    files.put(KEY, [b"back"])
    assert files.get(KEY) == b"back"


@pytest.mark.parametrize("size", [10, 12 << 20])
def test_an_upload_that_breaks_off_leaves_nothing(files: Files, size: int) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(size)
        assert not files.exists(KEY), "seen before it was whole"
        raise RuntimeError("the client is gone")

    with pytest.raises(RuntimeError, match="gone"):
        files.put(KEY, broken())
    assert not files.exists(KEY)
    assert files.delete_unfinished(-1) == 0
    assert files.job_ids() == []


def test_a_job_is_erased_with_all_its_files(files: Files) -> None:
    for job_id in (JOB, OTHER):
        files.put(upload_key(job_id, 0), [b"12345"])
        files.put(result_key(job_id, 0, 1, 0, "jpg"), [b"123"])
    assert files.job_ids() == [JOB, OTHER]
    assert files.used_bytes() == 16
    files.delete([upload_key(OTHER, 0), upload_key(OTHER, 99)])
    files.delete_job(JOB)
    assert files.job_ids() == [OTHER]
    assert not files.exists(KEY)
    assert files.used_bytes() == 3
    assert files.get(result_key(OTHER, 0, 1, 0, "jpg")) == b"123"


def test_the_results_of_a_photo_are_erased_and_not_its_upload(files: Files) -> None:
    others = [upload_key(JOB, 7), upload_key(JOB, 8), result_key(JOB, 8, 1, 0, "jpg")]
    results = [result_key(JOB, 7, attempt, 0, "png") for attempt in (1, 2)]
    for key in (*others, *results):
        files.put(key, [b"123"])
    files.delete_results(JOB, 7)
    files.delete_results(JOB, 99)
    assert [files.exists(key) for key in results] == [False, False]
    assert all(files.exists(key) for key in others)


def test_a_job_is_erased_while_others_write_into_it(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    keys = [result_key(JOB, position, 1, 0, "jpg") for position in range(200)]
    for key in keys:
        files.put(key, [b"123"])

    def interfere() -> None:
        for key in keys:
            files.delete([key])
            files.put(key, [b"456"])

    with ThreadPoolExecutor() as pool:
        busy = pool.submit(interfere)
        while not busy.done():
            files.delete_job(JOB)
            time.sleep(0.01)
        busy.result()
    files.delete_job(JOB)
    assert files.job_ids() == []


@pytest.mark.parametrize("job_id", ["", ".", "../x", "*", JOB.upper()])
def test_only_a_job_is_erased(files: Files, job_id: str) -> None:
    with pytest.raises(ValueError, match="job"):
        files.delete_job(job_id)


def test_left_overs_of_killed_uploads_are_erased_when_old(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    files.put(KEY, [b"x"])
    old, new = tmp_path / ".unfinished" / "old", tmp_path / ".unfinished" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    assert files.delete_unfinished(older_than_s=3600) == 1
    assert new.exists() and not old.exists()
    assert files.get(KEY) == b"x"


def test_a_folder_that_is_gone_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    root, away = tmp_path / "files", tmp_path / "away"
    files = Files(str(root))
    files.put(KEY, [b"x"])
    root.rename(away)
    root.mkdir()  # what an unmounted disk leaves
    for act in (lambda: files.put(KEY, [b"y"]), lambda: files.get(KEY), files.used_bytes):
        with pytest.raises(StorageUnavailable):
            act()
    root.rmdir()
    away.rename(root)
    assert files.get(KEY) == b"x"


def test_a_full_disk_is_unavailable_and_keeps_nothing(tmp_path: Path, no_more_bytes: None) -> None:
    files = Files(str(tmp_path))
    with pytest.raises(StorageUnavailable):
        files.put(KEY, [bytes(200_000), bytes(200_000)])
    assert not files.exists(KEY)
    assert list((tmp_path / ".unfinished").iterdir()) == []
    files.put(KEY, [bytes(200_000)])
    assert files.size(KEY) == 200_000


def test_a_bucket_that_is_not_there_is_unavailable(s3: dict[str, object]) -> None:
    files = Files("s3://no-such-bucket/a", **s3)
    with pytest.raises(StorageUnavailable):
        files.get(KEY)
    with pytest.raises(StorageUnavailable):
        files.put(KEY, [b"x"])


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
        options = {"config_kwargs": {"retries": {"max_attempts": 0}}}
        files = Files("s3://bucket/a", endpoint_url=endpoint, key="a", secret="b", **options)
        with pytest.raises(StorageUnavailable):
            files.get(KEY)
        with pytest.raises(StorageUnavailable):
            files.put(KEY, [b"x"])
