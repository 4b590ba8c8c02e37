"""What ``benchmarks.chaos`` does to a service that it has started: kill -9 and redeploy."""

import asyncio
import os
import random
import re
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.census import title
from benchmarks.processes import Tree
from benchmarks.production import production
from benchmarks.recovery import Fault
from benchmarks.service import ROOT
from cli.serve import environment

DEPLOYMENTS = ("Gateway", "Cropping", "Matting", "Compositing")
CONTROLLER = "ServeController"
# With the codes that colour it.
_DASHBOARD = re.compile(r"dashboard at (?:\x1b\[\d+m)*(http://[\d.:]+)")
# Differs from the shipped one, so that every deployment that is given the settings is replaced.
_OTHER_DEADLINE_S = 9.5


class Havoc:
    """Breaks one service, and keeps a list of what was done when."""

    def __init__(self, pid: int, port: int, folder: Path, seed: int) -> None:
        """``pid`` is that of ``idphoto serve``, whose log lies in the folder as serve.log."""
        self._tree = Tree(pid)
        self._port = port
        self._folder = folder
        self._chance = random.Random(seed)
        self.faults: list[Fault] = []

    async def run(self, seconds: float, kill_every_s: float) -> None:
        """Kills a replica of a random deployment every so often; the controller after a quarter of
        the time; and deploys anew, with another setting, after half. Returns once the time is up
        and the redeployment has been accepted. Raises RuntimeError where it is not.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._after(seconds / 4, CONTROLLER))
            group.create_task(self._redeploy_after(seconds / 2))
            end_s = time.monotonic() + seconds
            while (left_s := end_s - time.monotonic()) > 0:
                await asyncio.sleep(min(kill_every_s, left_s))
                if time.monotonic() < end_s:
                    await asyncio.to_thread(self._kill, self._chance.choice(DEPLOYMENTS))

    async def _after(self, seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._kill, name)

    def _kill(self, name: str) -> None:
        # The tree is this run's own: no process of another service can be in it.
        pids = sorted(pid for pid in self._tree.members() if title(pid) == name)
        if not pids:  # all of them were killed before and are not back yet
            return
        with suppress(ProcessLookupError):
            os.kill(self._chance.choice(pids), signal.SIGKILL)
            self.faults.append(Fault(time.monotonic(), name))

    async def _redeploy_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        folder = self._folder / "other"
        folder.mkdir(exist_ok=True)
        production(self._port, folder, deadline_s=_OTHER_DEADLINE_S)
        log = (self._folder / "serve.log").read_text("utf-8", "replace")
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("serve")), "deploy"),
            *("--address", dashboard(log), str(folder / "serve.json")),
            cwd=ROOT,
            env={**os.environ, **environment()},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.faults.append(Fault(time.monotonic(), "redeploy"))
        said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"serve deploy failed:\n{said.decode(errors='replace')[-2000:]}")


def dashboard(log: str) -> str:
    """The address of Ray's dashboard, as Ray logs it. Raises LookupError."""
    if found := _DASHBOARD.search(log):
        return found[1]
    raise LookupError("Ray did not log where its dashboard is")
