"""The image, without an engine: its commands were run, and what they made serves a photo as another
user than root, on a file system that cannot be written, where there is no network.
"""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as Picture

from tests.deploy import rootfs, wheelhouse
from tests.deploy.conftest import ROOT

PORTRAIT = ROOT / "tests" / "data" / "astronaut.png"
DATA = "/var/lib/idphoto-serve"
VOLUMES = ("/tmp", "/dev/shm", DATA)
START_S = 400
STOP_S = 120


@pytest.fixture(scope="module")
def image(built: rootfs.Image) -> rootfs.Image:
    """The image with an empty volume, and a photo in it."""
    volume = Path(f"{built.root}.volumes{DATA}")
    volume.mkdir(parents=True)
    shutil.copy(PORTRAIT, volume / "me.png")
    uid, gid = map(int, built.user.split(":"))
    for path in (volume, volume / "me.png"):
        shutil.chown(path, uid, gid)
    return built


def call(image: rootfs.Image, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        rootfs.inside(image, list(command), volumes=VOLUMES, writable=False),
        env=image.environment,
        capture_output=True,
        text=True,
    )


def test_the_image_does_not_run_as_root_and_cannot_write_to_itself(image: rootfs.Image) -> None:
    assert image.user == "10001:10001"
    tried = call(image, "sh", "-c", "id -un; for f in /opt/x /usr/x /etc/x /x; do touch $f; done")
    assert tried.stdout.split() == ["idphoto"]
    assert tried.stderr.count("Read-only file system") == 4


def test_the_wheel_holds_every_file_of_the_packages(image: rootfs.Image, context: Path) -> None:
    installed = wheelhouse.site_packages(image.root / "opt" / "idphoto")
    for package in ("pipeline", "models", "deployments", "cli"):
        for path in (context / package).rglob("*"):
            if path.is_file():
                file = installed / path.relative_to(context)
                assert file.is_file() and not file.is_symlink(), path
                assert file.read_bytes() == path.read_bytes()


def test_the_command_line_works_without_the_service(image: rootfs.Image) -> None:
    version = call(image, "idphoto", "--version")
    assert version.stdout == "idphoto-serve 0.1.0\n", version.stderr
    listed = call(image, "idphoto", "documents", "--search", "us-passport", "--json")
    assert json.loads(listed.stdout.splitlines()[0])["id"] == "us-passport", listed.stderr
    # As KubeRay starts it.
    login = call(image, "bash", "-lc", "ray --version")
    assert "2.60.0" in login.stdout, login.stderr
    made = call(image, "idphoto", "make", "me.png", "--document", "cn-1-inch", "-o", "made")
    assert made.returncode == 0, made.stderr
    assert size(image, "made") == (295, 413)


def test_the_service_answers_and_ends_when_it_is_told_to(
    image: rootfs.Image, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            rootfs.inside(image, image.command, volumes=VOLUMES, writable=False),
            env=image.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        # The image's own health check.
        until(process, log, lambda: beside(process, image, image.health).returncode == 0)
        url = "http://127.0.0.1:8000"
        until(process, log, lambda: beside(process, image, probe(f"{url}/readyz")).returncode == 0)
        photo = f"{DATA}/me.png"
        order = ["--document", "cn-1-inch", "-o", f"{DATA}/served", "--server", url]
        asked = beside(process, image, ["/usr/local/bin/idphoto", "make", photo, *order])
        assert asked.returncode == 0, asked.stdout
        assert size(image, "served") == (295, 413)
        page = beside(process, image, probe(f"{url}/docs"))
        assert page.returncode == 0, page.stdout
        first = rootfs.first_process(process)
        subprocess.run(["kill", f"-{signal.SIGINT.name}", str(first)], check=True)
        process.wait(STOP_S)
    finally:
        # All that it started goes with it.
        process.kill()
        process.wait()


def probe(url: str) -> list[str]:
    code = f"import urllib.request; urllib.request.urlopen({url!r}, timeout=10)"
    return ["/opt/idphoto/bin/python", "-c", code]


def beside(
    process: subprocess.Popen[bytes], image: rootfs.Image, command: list[str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        rootfs.beside(process, image, command),
        env=image.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(process: subprocess.Popen[bytes], log: Path, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + START_S
    while not condition():
        said = log.read_text("utf-8", "replace")
        assert process.poll() is None and time.monotonic() < end, said
        time.sleep(1)


def size(image: rootfs.Image, folder: str) -> tuple[int, int]:
    (file,) = Path(f"{image.root}.volumes{DATA}/{folder}").iterdir()
    with Picture.open(file) as picture:
        return picture.size
