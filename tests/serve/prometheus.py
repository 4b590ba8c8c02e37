"""The real Prometheus, on a free port of the loopback address."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.serve.conftest import ROOT, eventually

DEPLOY = ROOT / "deploy" / "prometheus"


def program(name: str) -> str:
    """Where it is installed; that it is not is an error in CI, else the test is left out."""
    found = shutil.which(name)
    if found is None:
        sentence = f"{name} is missing: apt-get install prometheus (or your system's package)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
    return str(found)


class Prometheus:
    """Asked over HTTP, as Grafana does it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector: labels and value of each series."""
        answer = httpx.get(f"{self._url}/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def value(self, expression: str) -> float:
        """The one number; 0 where there is none."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else 0.0

    def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health and last error."""
        groups = httpx.get(f"{self._url}/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@contextmanager
def watching(service_url: str, folder: Path) -> Iterator[Prometheus]:
    """Prometheus with the shipped configuration, which asks this service every few seconds. It
    gives a scrape up that takes longer than that, and on a busy machine one may take a second.
    """
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "4s", "evaluation_interval": "2s"}
    config["rule_files"] = [str(DEPLOY / "rules.yml")]
    (scrape,) = config["scrape_configs"]
    scrape["file_sd_configs"] = [{"files": [str(folder / "targets.yml")]}]
    (folder / "targets.yml").write_text(f"- targets: [{httpx.URL(service_url).netloc.decode()}]\n")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            prometheus = Prometheus(f"http://127.0.0.1:{port}")
            eventually(lambda: _answers(port))
            yield prometheus
        finally:
            process.terminate()
            process.wait(20)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready").status_code == 200
    except httpx.TransportError:
        return False
