"""The private preview: whether the page may offer it, and the files that it runs in a browser."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, Response

from deployments.settings import Settings
from models import preview_files
from models.weights import default_folder
from pipeline.errors import NotFound

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_CHECKS = "checks.json"
_MEDIA_TYPES = {
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What is served, under an address that holds a hash of it all."""

    folder: Path
    names: frozenset[str]
    checks: bytes
    """Titles, hints and limits of the checks, as JSON."""
    digest: str

    @property
    def path(self) -> str:
        """Where the page finds the files."""
        return f"web/preview/{self.digest}/"


def find(settings: Settings) -> Preview | None:
    """The preview; None where the settings turn it off, its files were not fetched, the service
    asks other nets, so that a browser would come to other results, or files must carry a label.
    """
    own_nets = dict(settings.nets) == Settings.model_fields["nets"].default
    if settings.page.private_preview == "off" or settings.label or not own_nets:
        return None
    files = preview_files.find(settings.weights_folder or default_folder())
    if files is None:
        return None
    table = resources.files("pipeline").joinpath("checks.toml").read_text("utf-8")
    checks = json.dumps(tomllib.loads(table), ensure_ascii=False).encode()
    digest = hashlib.sha256(files.digest.encode() + checks).hexdigest()[:12]
    return Preview(files.folder, frozenset(files.sums), checks, digest)


def install(app: FastAPI, preview: Preview | None) -> None:
    """Adds /web/preview/ where there is one."""
    if preview is None:
        return

    @app.api_route("/web/preview/{digest}/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    def file(request: Request, digest: str, name: str) -> Response:
        if digest != preview.digest:
            raise NotFound("unknown_route")
        if name == _CHECKS:
            return Response(preview.checks, media_type="application/json", headers=_FOREVER)
        if name not in preview.names:
            raise NotFound("unknown_route")
        path, headers = preview.folder / name, {**_FOREVER, "Vary": "Accept-Encoding"}
        zipped = path.with_name(f"{name}.gz")
        if "gzip" in request.headers.get("accept-encoding", "") and zipped.is_file():
            path, headers["Content-Encoding"] = zipped, "gzip"
        return FileResponse(path, headers=headers, media_type=_MEDIA_TYPES[Path(name).suffix])
