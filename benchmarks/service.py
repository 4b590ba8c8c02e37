"""Starts a server for a benchmark, waits until it answers, and stops it by process ids.

with running(ours(8000, folder), "http://127.0.0.1:8000/readyz") as pid: ...
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import Process, ProcFs, Tree
from cli.serve import command, environment

ROOT = Path(__file__).parents[1]
# As other servers run: Ray's workers would yield (15) to the clients beside them, which in life are
# on other machines.
_NICENESS = {"RAY_worker_niceness": "0"}
_START_S, _STOP_S = 240, 40


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a server."""

    words: Sequence[str]
    log: Path
    """Where it may write what it has to say."""
    environment: Mapping[str, str] = field(default_factory=dict)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def serve(
    application: Mapping[str, Any], port: int, folder: Path, *, dashboard: bool = False
) -> Command:
    """``idphoto serve`` of the shipped configuration with the application changed as given, in the
    environment of ``make serve`` where there is one. Writes files to the folder.
    """
    shipped = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    shipped["http_options"]["port"] = port
    shipped["applications"] = [{**shipped["applications"][0], **application}]
    config = folder / "serve.json"  # JSON is YAML
    config.write_text(json.dumps(shipped))
    # Not beside the tests' tools: Ray loads some of them into every process, which shows in memory.
    lean = ROOT / ".venv-serve" / "bin" / "python"
    python = str(lean) if lean.is_file() else sys.executable
    words = command(config, dashboard=dashboard, python=python)
    return Command(words, folder / "serve.log", {**environment(), **_NICENESS})


def ours(port: int, folder: Path) -> Command:
    """The service as it is shipped, on a Ray of its own."""
    return serve({}, port, folder)


@contextmanager
def running(command: Command, ready_url: str) -> Iterator[int]:
    """The process id of a server that answers ``ready_url`` with 200; stopped at the end.

    Raises RuntimeError with the end of its log where it does not come up.
    """
    with command.log.open("wb") as log:
        process = subprocess.Popen(
            command.words,
            cwd=ROOT,
            env={**os.environ, **command.environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for us: the server is stopped below.
            start_new_session=True,
            # A shell has its background jobs ignore SIGINT, and they hand that on.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        _wait(process, command, ready_url)
        yield process.pid
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the process as Ctrl-C does, and then what is left of its tree."""
    tree = Tree(process.pid).members()
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if not (left := _left(tree)):
            break
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)
        end_s = time.monotonic() + 5
        while _left(tree) and time.monotonic() < end_s:
            process.poll()
            time.sleep(0.1)
    process.wait()


def _left(tree: Mapping[int, Process]) -> list[int]:
    """Those that live still, and are not others that got their pid since."""
    now = ProcFs().processes()
    return [
        pid
        for pid, process in tree.items()
        if pid in now and now[pid].started_ticks == process.started_ticks
    ]


def _wait(process: subprocess.Popen[bytes], command: Command, url: str) -> None:
    end_s = time.monotonic() + _START_S
    while time.monotonic() < end_s and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    log = command.log.read_text("utf-8", "replace")[-2000:]
    raise RuntimeError(f"{command.words[0]} does not answer {url}:\n{log}")
