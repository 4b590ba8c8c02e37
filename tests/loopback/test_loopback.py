"""Runs ``inside.py`` where there is no network but the machine's own loopback address."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# A network namespace of its own, as any user may make one; its loopback interface starts down.
UNSHARED = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "")


def why_not() -> str:
    """Why this machine cannot shut a process off from the network; empty where it can."""
    try:
        tried = subprocess.run([*UNSHARED, "true"], capture_output=True, text=True, timeout=30)
    except FileNotFoundError as missing:
        return f"{missing.filename} is not installed (util-linux)"
    return "" if tried.returncode == 0 else tried.stderr.strip() or "unshare failed"


def test_the_service_works_and_keeps_nothing_without_a_network() -> None:
    if reason := why_not():
        pytest.skip(f"NOT RUN: no network namespace can be made here: {reason}")
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*UNSHARED, *command, str(HERE / "inside.py")],
        cwd=HERE.parents[1],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )
    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout
    assert "skipped" not in run.stdout
