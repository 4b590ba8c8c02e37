"""The networks that this project knows: what they are, whence they come, what they take and give.

The rows are in ``catalog.toml``. The project holds no weights; ``models.weights`` fetches them.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter

Family: TypeAlias = Literal[
    "u2net", "isnet", "birefnet", "modnet", "mtcnn", "mediapipe", "efficientnet"
]
Precision: TypeAlias = Literal["fp32", "fp16", "int8"]
WantedPrecision: TypeAlias = Precision | Literal["auto"]


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A file inside a Python wheel, which pip finds by its requirement."""

    requirement: str
    """Pinned, as in ``name==1.2.3``."""
    member: str
    """Path inside the wheel."""
    python: str | None = None
    """The Python that the wheel is for, as in ``3.11``; None for a wheel that fits every one."""
    platform: str | None = None
    """The platform tag of a wheel that is not for every one; given together with ``python``."""
    kind: Literal["wheel"] = "wheel"

    def __str__(self) -> str:
        return f"{self.member} of the wheel {self.requirement}"


@dataclass(frozen=True, slots=True)
class NpmMembers:
    """A file inside an npm package, which npm finds by its name and version; whole or in pieces."""

    package: str
    """Pinned, as in ``name@1.2.3``; the name may have a scope."""
    members: tuple[str, ...]
    """Paths inside the tarball, ``package/`` included; several are joined in this order."""
    kind: Literal["npm"] = "npm"

    def __str__(self) -> str:
        whole = len(self.members) == 1
        what = self.members[0] if whole else f"{len(self.members)} joined files"
        return f"{what} of the npm package {self.package}"


PackageFile: TypeAlias = WheelMember | NpmMembers
"""A file that comes inside of a package."""


@dataclass(frozen=True, slots=True)
class Url:
    """A file on the web."""

    url: str
    kind: Literal["url"] = "url"

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Weights:
    """One file, known by its checksum wherever it comes from."""

    file_name: str
    sha256: str
    size_bytes: int
    sources: tuple[PackageFile | Url, ...]
    """Tried in this order."""

    @property
    def name(self) -> str:
        """The file name without its suffix."""
        return PurePosixPath(self.file_name).stem


@dataclass(frozen=True, slots=True)
class Interface:
    """What a matting net takes and gives: RGB as float32 NCHW, and one plane of the same size.

    A value v of the picture becomes ``(v / scale - mean) / std``.
    """

    size_px: int
    """Side of the square that the net was trained on."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scale: Literal["max", "255"]
    """What the picture is divided by: its own greatest value, or 255."""
    output: str | int
    """The output that holds the matte, by its name or place."""
    activation: Literal["none", "sigmoid"]
    """What is still to be applied to the output to bring it to 0..1."""


@dataclass(frozen=True, slots=True)
class Net:
    """One row of the catalogue: a net of one or more files."""

    name: str
    about: str
    family: Family
    licence: str
    """SPDX identifier."""
    licence_url: str
    licence_note: str
    """What the identifier does not say; may be empty."""
    tested: bool
    """False: this project has never loaded the files; the row rests on what others say."""
    checksum_source: str
    """Where the SHA-256 sums come from."""
    files: tuple[Weights, ...]
    interface: Interface | None = None
    """None for a net that is not a matting net."""
    keep_float: tuple[str, ...] = ()
    """Nodes that stay float in int8, by their names in the file."""


@cache
def nets() -> tuple[Net, ...]:
    """Every net, in the order of the catalogue."""
    text = resources.files("models").joinpath("catalog.toml").read_text(encoding="utf-8")
    rows = TypeAdapter(tuple[Net, ...], config=ConfigDict(extra="forbid"))
    return rows.validate_python(tomllib.loads(text)["nets"])


def find(name: str) -> Net:
    """The net of this name; ValueError says which names there are."""
    for net in nets():
        if net.name == name:
            return net
    raise ValueError(f"no net is called {name!r}; known: {', '.join(net.name for net in nets())}")
