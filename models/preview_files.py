"""What the page's private preview runs in a browser: which files, and where they lie."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from models.catalog import NpmMembers, Weights

_PACKAGE = "onnxruntime-web@1.30.0"
RELEASE = "1.30.0-1"
"""Of the files: the package's, and a number that rises with every other change of them."""
RUNTIME = (
    Weights(
        "ort.mjs",
        "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
        73_054,
        (NpmMembers(_PACKAGE, ("package/dist/ort.wasm.bundle.min.mjs",)),),
    ),
    Weights(
        "ort.wasm",
        "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
        14_239_897,
        (NpmMembers(_PACKAGE, ("package/dist/ort-wasm-simd-threaded.wasm",)),),
    ),
)
"""ONNX Runtime's WebAssembly for one thread of a browser, MIT; pinned by its sums."""
NETS = ("u2netp", "selfie", "mtcnn", "facemesh", "iris")
"""Those that the service runs out of the box, in float: browsers gain nothing from int8."""
LISTING = "files.json"
"""Holds each file's SHA-256; written last, so that files without it are not all there."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files, all there."""

    folder: Path
    sums: dict[str, str]
    """SHA-256 of each file, by its name. Beside a file NAME there may be NAME.gz."""

    @property
    def digest(self) -> str:
        """Of all of them."""
        text = json.dumps(self.sums, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def place(folder: Path) -> Path:
    """Where the files lie in the folder of the weights."""
    return folder / "preview" / RELEASE


def find(folder: Path) -> Files | None:
    """The files in the folder of the weights; None where they were not fetched."""
    own = place(folder)
    try:
        sums: dict[str, str] = json.loads((own / LISTING).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return Files(own, sums) if all((own / name).is_file() for name in sums) else None
