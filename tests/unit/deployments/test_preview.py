"""When the private preview is offered, and how its files are sent."""

import asyncio
import gzip
import hashlib
import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deployments import preview, problems, web
from deployments.headers import SecurityHeaders
from deployments.settings import Page, Settings
from models import preview_files

WASM = b"\0asm" * 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of weights with two of the preview's files."""
    own = preview_files.place(tmp_path)
    own.mkdir(parents=True)
    files = {"ort.mjs": b"export {}", "ort.wasm": WASM}
    for name, data in files.items():
        (own / name).write_bytes(data)
    (own / "ort.wasm.gz").write_bytes(gzip.compress(WASM))
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    (own / preview_files.LISTING).write_text(json.dumps(sums))
    return tmp_path


def get(app: FastAPI, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def offering(folder: Path) -> tuple[FastAPI, preview.Preview | None]:
    found = preview.find(Settings(weights_folder=folder))
    app = FastAPI()
    problems.install(app)
    preview.install(app, found)
    web.install(app, found.path if found else "")
    app.add_middleware(SecurityHeaders)
    return app, found


@pytest.mark.parametrize(
    "other",
    [
        {"page": Page(private_preview="off")},
        {"ai_label": "metadata"},
        {"nets": {"saliency": "u2netp"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_it_is_offered_only_where_it_does_the_same(folder: Path, other: dict[str, object]) -> None:
    assert preview.find(Settings(weights_folder=folder)) is not None
    assert preview.find(Settings.model_validate({"weights_folder": folder, **other})) is None


@pytest.mark.parametrize("missing", ["ort.wasm", preview_files.LISTING])
def test_without_a_file_the_page_says_nothing_of_it(folder: Path, missing: str) -> None:
    (preview_files.place(folder) / missing).unlink()
    app, found = offering(folder)
    assert found is None
    page = get(app, "/")
    assert 'data-preview=""' in page.text
    assert "trusted-types 'none'" in page.headers["content-security-policy"]
    assert get(app, "/web/preview/0/ort.wasm").status_code == 404


def test_the_page_names_where_the_files_are(folder: Path) -> None:
    app, found = offering(folder)
    assert found is not None
    page = get(app, "/")
    assert f'data-preview="{found.path}"' in page.text
    policy = page.headers["content-security-policy"]
    assert "trusted-types preview" in policy and "unsafe" not in policy
    worker = get(app, f"/web/{web.site().version}/preview/worker.js")
    assert worker.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
    )
    for name, zipped in (("ort.wasm", "gzip"), ("ort.wasm", "identity"), ("ort.mjs", "gzip")):
        file = get(app, f"/{found.path}{name}", **{"accept-encoding": zipped})
        assert file.content == (WASM if name == "ort.wasm" else b"export {}")
        assert ("content-encoding" in file.headers) == (name == "ort.wasm" and zipped == "gzip")
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["x-content-type-options"] == "nosniff"
    checks = get(app, f"/{found.path}checks.json").json()
    assert checks["matte"]["min"] == 92.5 and checks["head_height"]["title"]["zh"]


@pytest.mark.parametrize("name", ["files.json", "ort.wasm.gz", "..%2Fort.mjs", "none.onnx"])
def test_there_is_nothing_else(folder: Path, name: str) -> None:
    app, found = offering(folder)
    assert found is not None
    assert get(app, f"/{found.path}{name}").status_code == 404
    assert get(app, f"/web/preview/0ld/{name}").status_code == 404
