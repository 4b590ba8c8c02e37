"""What is put together for the private preview, without npm."""

import gzip
import hashlib
from pathlib import Path

import pytest

from models import preview, preview_files
from models.catalog import Weights
from models.weights import WeightsUnavailable

WASM = b"\0asm" * 100


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime of one file that nobody has, and no nets."""
    file = Weights("ort.wasm", hashlib.sha256(WASM).hexdigest(), len(WASM), ())
    monkeypatch.setattr(preview, "RUNTIME", (file,))
    monkeypatch.setattr(preview, "NETS", ())


def put(folder: Path, data: bytes) -> Path:
    own = preview_files.place(folder)
    own.mkdir(parents=True)
    (own / "ort.wasm").write_bytes(data)
    return own


def test_all_is_listed_and_zipped(tmp_path: Path) -> None:
    own = put(tmp_path, WASM)
    assert preview_files.find(tmp_path) is None
    made = preview.assemble(tmp_path)
    assert made == preview_files.find(tmp_path)
    assert made.sums == {"ort.wasm": hashlib.sha256(WASM).hexdigest()}
    assert gzip.decompress((own / "ort.wasm.gz").read_bytes()) == WASM


def test_what_is_there_may_be_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, WASM)
    first = preview.assemble(tmp_path)
    monkeypatch.setattr(preview, "locked", None)  # no lock is taken, so nothing is written
    assert preview.assemble(tmp_path) == first


def test_another_file_of_that_name_will_not_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, WASM + b"more")
    with pytest.raises(WeightsUnavailable, match="another SHA-256"):
        preview.assemble(tmp_path)
    assert preview_files.find(tmp_path) is None
    assert preview.main(["--folder", str(tmp_path)]) == 1
    assert "ort.wasm" in capsys.readouterr().err
