"""Wheels of what is installed here, so that the image's commands install it without a network."""

import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# The installer's own, made anew by whoever installs the wheel.
_OF_THE_INSTALLER = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
# A quarter of a gigabyte that a CPU never loads.
_FOR_GPUS = {"libonnxruntime_providers_cuda.so", "libonnxruntime_providers_tensorrt.so"}


def pack(folder: Path, environment: Path, wanted: list[Requirement]) -> None:
    """Writes a wheel of each distribution in the environment that the requirements lead to."""
    folder.mkdir(parents=True, exist_ok=True)
    installed = {
        canonicalize_name(each.metadata["Name"]): each
        for each in distributions(path=[str(site_packages(environment))])
    }
    packed: set[str] = set()
    asked: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name not in packed:
            packed.add(name)
            _pack(folder, installed[name])
        for extra in ("", *requirement.extras):
            if (name, extra) not in asked:
                asked.add((name, extra))
                wanted.extend(required(installed[name].requires or [], extra))


def required(lines: list[str], extra: str) -> Iterator[Requirement]:
    """Of these lines of metadata, those that hold here with the extra."""
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _pack(folder: Path, distribution: Distribution) -> None:
    files = [path for path in distribution.files or () if ".." not in path.parts]
    (info,) = {path.parts[0] for path in files if path.parts[0].endswith(".dist-info")}
    with zipfile.ZipFile(folder / f"{info[:-10]}-{_tag(distribution)}.whl", "w") as wheel:
        rows = []
        for path in files:
            own = path.parts[0] == info and path.name in _OF_THE_INSTALLER
            if path.suffix != ".pyc" and path.name not in _FOR_GPUS and not own:
                wheel.write(path.locate(), str(path))
                rows.append(f'"{path}",,\n')
        wheel.writestr(f"{info}/RECORD", "".join((*rows, f"{info}/RECORD,,\n")))


def _tag(distribution: Distribution) -> str:
    lines = (distribution.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in lines if line.startswith("Tag: ")]
    return "-".join(".".join(sorted(set(part))) for part in zip(*tags, strict=True))


def site_packages(environment: Path) -> Path:
    """Of a virtual environment of this Python's version."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return environment / "lib" / version / "site-packages"
