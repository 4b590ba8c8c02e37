"""``idphoto batch`` on a real Ray: every photo has a row, whatever happens to it or to the run."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.batch.conftest import ROOT, Batch, command, rows
from tests.unit.cli.people import CODES, GOOD


def made(target: Path) -> dict[str, int]:
    """The finished photos, and when each was written."""
    return {
        path.relative_to(target).as_posix(): path.stat().st_mtime_ns
        for path in target.rglob("*_us-passport_*.jpg")
    }


def test_every_photo_has_a_row_and_a_second_run_makes_only_what_is_missing(
    source: Path, target: Path, batch: Batch
) -> None:
    (source / "list.csv").write_text("no photo")
    first = batch(source, target, "--json")
    assert first.returncode == 1, first.stderr
    told = json.loads(first.stdout)
    assert (told["made"], told["others"], set(told["codes"])) == (5, 1, set(CODES.values()))

    found = rows(target)
    assert {name: row["code"] for name, row in found.items()} == {
        **CODES,
        **dict.fromkeys(GOOD, ""),
    }
    assert set(made(target)) == {f"{name}_us-passport_white.jpg" for name in GOOD}
    good = found["sub/good-0.jpg"]
    assert good["results"] == ["sub/good-0.jpg_us-passport_white.jpg"]
    assert {"head_height", "eyes_open"} <= {check["code"] for check in good["checks"]}
    assert good["seconds"] > 0
    assert found["crowd.png"]["error"].startswith("4 faces") and not found["crowd.png"]["checks"]

    before = made(target)
    (target / "good-1.jpg_us-passport_white.jpg").unlink()
    (source / "cat.png").unlink()
    second = batch(source, target, "--json")
    told = json.loads(second.stdout)
    assert (told["made"], told["written_before"]) == (1, 4)
    after = made(target)
    assert set(after) == set(before)
    assert [name for name in after if after[name] != before[name]] == [
        "good-1.jpg_us-passport_white.jpg"
    ]
    # What the first run knew of a photo stays; a photo that is gone has no row.
    again = rows(target)
    assert again["sub/good-0.jpg"] == good
    assert set(again) == (set(CODES) | GOOD) - {"cat.png"}


def test_a_killed_run_is_taken_up_where_it_was(tmp_path: Path, target: Path, batch: Batch) -> None:
    source = tmp_path / "many"
    source.mkdir()
    photo = (ROOT / "tests" / "data" / "tiny-long-hair.jpg").read_bytes()
    for index in range(200):
        (source / f"{index:03}.jpg").write_bytes(photo)
    with subprocess.Popen(command(source, target), cwd=ROOT, stderr=subprocess.DEVNULL) as run:
        end = time.monotonic() + 120
        while len(made(target)) < 20:
            assert run.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)
    before = _settled(target)
    assert 20 <= len(before) < 200
    assert batch(source, target).returncode == 0
    after = made(target)
    assert len(after) == 200
    assert {name: after[name] for name in before} == before
    assert len(rows(target)) == 200


def _settled(target: Path) -> dict[str, int]:
    """What is there once the killed run's workers are gone, too."""
    before = made(target)
    while True:
        time.sleep(2)
        now = made(target)
        if now == before:
            return now
        before = now


def test_a_bucket_to_a_bucket(source: Path, batch: Batch, tmp_path: Path) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        access = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        s3 = _client(access)
        s3.create_bucket(Bucket="people")
        for path in source.rglob("*"):
            if path.is_file():
                s3.put_object(
                    Bucket="people",
                    Key=f"in/{path.relative_to(source).as_posix()}",
                    Body=path.read_bytes(),
                )
        s3.put_object(Bucket="people", Key="in/../up.jpg", Body=b"x")
        done = batch("s3://people/in", "s3://people/out", "--json", **access)
        assert done.returncode == 1, done.stderr
        told = json.loads(done.stdout)
        assert (told["made"], told["codes"]["unusable_name"]) == (5, 1)
        keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket="people")["Contents"]}
        results = {f"out/{name}_us-passport_white.jpg" for name in GOOD}
        assert results | {"out/manifest.parquet"} == {key for key in keys if key.startswith("out/")}
        local = tmp_path / "fetched"
        local.mkdir()
        body = s3.get_object(Bucket="people", Key="out/manifest.parquet")["Body"].read()
        (local / "manifest.parquet").write_bytes(body)
        assert {name for name, row in rows(local).items() if not row["code"]} == GOOD

        again = batch("s3://people/in", "s3://people/out", "--json", **access)
        assert json.loads(again.stdout)["written_before"] == 5
    finally:
        server.stop()


def _client(access: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=access["AWS_ENDPOINT_URL"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )


@pytest.mark.parametrize("place", ["here", "here/../here"])
def test_results_need_a_folder_of_their_own(tmp_path: Path, batch: Batch, place: str) -> None:
    (tmp_path / "here").mkdir()
    done = batch(tmp_path / "here", tmp_path / place)
    assert done.returncode == 2
    assert "folder of their own" in done.stderr
