"""What the tests of deploy/ share: its tools, and the image that its Dockerfile describes."""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from models.weights import DEFAULT_NETS, fetch
from tests.deploy import dockerfile, image, rootfs, wheelhouse

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".venv-deploy"


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the programs that deploy/tools.txt names."""
    subprocess.run(["make", "--silent", "tools", f"PYTHON={sys.executable}"], cwd=ROOT, check=True)
    return TOOLS / "bin"


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that an engine would be sent: git's, as far as .dockerignore lets them through."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    folder = tmp_path_factory.mktemp("context")
    for name in filter(None, listed):
        if (ROOT / name).is_file() and not ignored(name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    return folder


def ignored(name: str) -> bool:
    """Whether .dockerignore leaves the file out; the last line that fits it, or a folder above it,
    decides.
    """
    out = False
    parents = [name, *(str(path) for path in Path(name).parents)]
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and any(fnmatch(part, pattern) for part in parents):
            out = not line.startswith("!")
    return out


@pytest.fixture(scope="session")
def built(
    context: Path, tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[rootfs.Image]:
    """The image for CPUs with baked weights: every command of its stages was run."""
    if reason := rootfs.why_not():
        pytest.skip(f"NOT RUN: no root of one's own can be made here: {reason}")
    file = dockerfile.read(DEPLOY / "Dockerfile")
    wheels, nets = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("nets")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["postgres"], *extras["s3"]]
    # What each environment has by itself.
    wanted = [each for each in wheelhouse.required(lines, "") if each.name != "pip"]
    wheelhouse.pack(wheels, Path(sys.prefix), wanted)
    wheelhouse.pack(wheels, TOOLS, [Requirement("setuptools")])
    for name in DEFAULT_NETS:
        for path in fetch(name).values():
            shutil.copy(path, nets)
    # Ray's sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="idp-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        seeds = {"installed-cpu": {"/opt/cache/idphoto-serve": nets}}
        yield image.build(file.built(), file.arguments, context, Path(folder), wheels, seeds)
