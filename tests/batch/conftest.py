"""Folders of photos, and what a batch is started with."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.unit.cli.people import folder

ROOT = Path(__file__).parents[2]
ORDER = ("--document", "us-passport", "--quality", "fast", "--workers", "2")
Batch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twelve files, of which five are good photos."""
    return folder(ROOT / "tests" / "data", tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cli.main", "batch", *map(str, arguments), *ORDER]


@pytest.fixture(scope="session")
def batch() -> Batch:
    """Runs ``idphoto batch`` in a process of its own: only with it is Ray wholly gone."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def rows(target: Path) -> dict[str, dict[str, Any]]:
    """The manifest by source; each has one row."""
    listed: Sequence[dict[str, Any]] = pq.read_table(target / "manifest.parquet").to_pylist()
    found = {row["source"]: row for row in listed}
    assert len(found) == len(listed)
    return found
