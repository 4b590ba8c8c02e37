"""The source archive holds what the wheel is built from."""

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

_SDIST = "from setuptools import build_meta; build_meta.build_sdist('dist')"


def test_the_wheel_of_the_source_archive_is_the_wheel(
    tools: Path, context: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(context, tree, symlinks=True)
    python = str(tools / "python")
    done = subprocess.run([python, "-c", _SDIST], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (archive,) = (tree / "dist").iterdir()
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    ours = wheel(python, tree, tmp_path / "ours")
    assert wheel(python, tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path / "its") == ours
    packaged = {path.relative_to(tree) for path in (tree / "deployments" / "web").rglob("*.*")}
    assert {str(path) for path in packaged} <= ours.keys()
    assert "cli/serve_config.yaml" in ours


def wheel(python: str, tree: Path, folder: Path) -> dict[str, int]:
    """The wheel's files with their checksums, but for RECORD, which has their order as well."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    command = [python, "-m", "pip", "wheel", *options, "--wheel-dir", str(folder), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (file,) = folder.iterdir()
    with zipfile.ZipFile(file) as opened:
        return {i.filename: i.CRC for i in opened.infolist() if not i.filename.endswith("RECORD")}
