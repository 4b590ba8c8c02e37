"""The unit for one machine, asked of systemd's own tools."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY

UNIT = DEPLOY / "systemd" / "idphoto.service"
# Of systemd's 10; units that nobody hardened have about 9.6.
MOST_EXPOSED = 20

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="NOT RUN: systemd-analyze is not installed"
)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_systemd_knows_every_line(tmp_path: Path) -> None:
    # The program is not installed here.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text("utf-8"), flags=re.M)
    copy = tmp_path / UNIT.name
    copy.write_text(text, "utf-8")
    done = analyze("verify", "--man=no", copy)
    assert done.returncode == 0
    # Of the machine's own units it complains, too.
    assert UNIT.name not in done.stderr
    copy.write_text(text.replace("ProtectSystem=", "ProtectSytem="), "utf-8")
    assert "ProtectSytem" in analyze("verify", "--man=no", copy).stderr


def test_systemd_finds_it_hardly_exposed() -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", UNIT)
    assert done.returncode == 0, done.stdout[-300:]


def test_it_ends_as_ctrl_c_does_and_keeps_its_memory_in_bounds() -> None:
    lines = UNIT.read_text("utf-8").splitlines()
    for line in ("KillSignal=SIGINT", "MemoryMax=85%", "DynamicUser=yes", "ProtectSystem=strict"):
        assert line in lines
