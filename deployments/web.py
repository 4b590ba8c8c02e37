"""The page at /: its files, which come with the package, and what browsers are told about them."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import FastAPI, Request, Response

from pipeline.errors import NotFound

FOLDER = Path(__file__).parent / "web"
_PAGE = "index.html"
_VERSION, _PREVIEW = b"{version}", b"{preview}"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# The page runs its own files and nothing else: no script or style that stands in HTML, and no
# string that becomes markup. Its pictures come out of answers (blob:), all else from this service.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
# The private preview runs in a worker, which has leave of its own to compile WebAssembly; the page
# needs leave to start that one worker.
_POLICY_OFFERING = _POLICY.replace("trusted-types 'none'", "trusted-types preview")
_WORKER = "preview/worker.js"
_OF_WORKER = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    "connect-src 'self'"
}
_OF_PAGE = {
    "Permissions-Policy": "camera=(self), display-capture=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Asked about every time, and answered with 304: it names the version of all other files.
    "Cache-Control": "no-cache",
}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_ASK_AGAIN = {"Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page, as it is sent."""

    data: bytes
    zipped: bytes
    """``data`` in gzip."""
    media_type: str
    digest: str
    """Of the contents: what ETags are made of."""


@dataclass(frozen=True, slots=True)
class Site:
    """All files of the page."""

    version: str
    """Of all contents; stands in the addresses, so that browsers may keep files for good."""
    page: bytes
    """As it is without a private preview's place."""
    files: Mapping[str, Asset]
    """By name; the page itself is not among them."""


@cache
def site() -> Site:
    """The page and its files, out of the package."""
    found = dict(sorted(_read(FOLDER)))
    told = hashlib.sha256()
    for name, data in found.items():
        told.update(f"{name} {len(data)} ".encode())
        told.update(data)
    version = told.hexdigest()[:12]
    page = found.pop(_PAGE).replace(_VERSION, version.encode())
    files = {name: _asset(name, data) for name, data in found.items()}
    return Site(version, page, files)


def install(app: FastAPI, preview: str = "") -> None:
    """Adds / and /web/. ``preview`` is where the files of the private preview lie; empty: it is not
    offered.
    """
    everything = site()
    start = _asset(_PAGE, everything.page.replace(_PREVIEW, preview.encode()))
    policy = {"Content-Security-Policy": _POLICY_OFFERING if preview else _POLICY}

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def page(request: Request) -> Response:
        return _sent(request, start, {**_OF_PAGE, **policy})

    @app.api_route("/web/{version}/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    def file(request: Request, version: str, name: str) -> Response:
        return found(request, version, name)

    @app.api_route(
        "/web/{version}/preview/{name}", methods=["GET", "HEAD"], include_in_schema=False
    )
    def private_file(request: Request, version: str, name: str) -> Response:
        return found(request, version, f"preview/{name}")

    def found(request: Request, version: str, name: str) -> Response:
        asset = everything.files.get(name)
        if asset is None:
            raise NotFound("unknown_route")
        # A page of another version, as while replicas are replaced, must not keep this one's file.
        headers = _FOREVER if version == everything.version else _ASK_AGAIN
        return _sent(request, asset, {**headers, **(_OF_WORKER if name == _WORKER else {})})


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.suffix in _MEDIA_TYPES:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _asset(name: str, data: bytes) -> Asset:
    media_type = _MEDIA_TYPES[Path(name).suffix]
    zipped = gzip.compress(data, mtime=0)
    return Asset(data, zipped, media_type, hashlib.sha256(data).hexdigest()[:20])


def _sent(request: Request, asset: Asset, headers: Mapping[str, str]) -> Response:
    """The file as the client can read it, or 304 where it has it already."""
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{asset.digest}{"-gzip" if zipped else ""}"'
    about = {**headers, "ETag": etag, "Vary": "Accept-Encoding"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=about)
    if zipped:
        about["Content-Encoding"] = "gzip"
    data = asset.zipped if zipped else asset.data
    # FastAPI leaves a body out where only the head was asked for; its length stays.
    return Response(data, media_type=asset.media_type, headers=about)
