"""The service as it is shipped, in folders of its own, for the tests of ``inside.py``."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from deployments import access
from tests.loopback.traces import processes

ROOT = Path(__file__).parents[2]
# As `make serve` does it.
_IDPHOTO = Path(sys.executable).with_name("idphoto")
START_S = 400
STOP_S = 60


@dataclass(frozen=True)
class Service:
    """A running service; ``folder`` holds its logs, Ray's session and its temporary files."""

    url: str
    key: str
    folder: Path
    log: Path
    started_at: float

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, headers={"X-Api-Key": self.key})


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """``make serve``, with a key, all that can listen, and patience for a slow machine."""
    # Not below pytest's own folder: Ray's sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="idp-", ignore_cleanup_errors=True) as name:
        folder, key = Path(name), access.make()
        config = yaml.safe_load((ROOT / "serve_config.yaml").read_text("utf-8"))
        entry = {"name": "test", "sha256": access.digest(key)}
        config["applications"][0]["args"] |= {"deadline_s": 100, "keys": [entry]}
        (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
        log, started_at = folder / "serve.log", time.time()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [_IDPHOTO, "serve", "--dashboard", "--config", folder / "config.yaml"],
                cwd=ROOT,
                env={**os.environ, "TMPDIR": name, "RAY_TMPDIR": name},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        url = f"http://127.0.0.1:{config['http_options']['port']}"
        try:
            wait_for(url, process, log)
            yield Service(url, key, folder, log, started_at)
        finally:
            stop(process, name)


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once the service is ready."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"the service did not start:\n{log.read_text('utf-8', 'replace')}")


def stop(process: subprocess.Popen[bytes], folder: str) -> None:
    """Ends the service, and whatever of it is left: the processes that have its folder in their
    environment.
    """
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    for left in processes():
        with suppress(OSError):
            if f"RAY_TMPDIR={folder}".encode() in (left / "environ").read_bytes().split(b"\0"):
                os.kill(int(left.name), signal.SIGKILL)
    process.wait()
