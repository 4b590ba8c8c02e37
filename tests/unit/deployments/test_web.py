"""How the page's files are sent, without Ray and without a browser."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deployments import problems, web
from deployments.headers import SecurityHeaders

MOST_BYTES = 150_000
KEYS = re.compile(
    r"""(?:\bt: |label: |placeholder: |title: |\bt\(|data-t(?:-\w+)?=)\[?"([\w.]+)\""""
)


class Files:
    """Asks for the page's files."""

    def __init__(self) -> None:
        app = FastAPI()
        problems.install(app)
        web.install(app)
        app.add_middleware(SecurityHeaders)
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask() -> httpx.Response:
            about = {"transport": self._transport, "base_url": "http://test"}
            async with httpx.AsyncClient(**about) as client:  # type: ignore[arg-type]
                return await client.request(method, path, headers=named)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def files() -> Files:
    return Files()


def text(name: str) -> str:
    return (web.FOLDER / name).read_text("utf-8")


def test_the_page_and_all_that_it_names(files: Files) -> None:
    page = files.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    names = set(re.findall(r'(?:src|href)="(web/[^"]+)"', page.text))
    assert len(names) > 15
    for name in names:
        file = files.get(f"/{name}")
        assert file.status_code == 200
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        kind = {"css": "text/css", "svg": "image/svg+xml", "js": "text/javascript"}
        assert file.headers["content-type"].startswith(kind[name.rpartition(".")[2]])
        assert file.headers["x-content-type-options"] == "nosniff"


def test_the_first_load_is_light(files: Files) -> None:
    page = files.get("/")
    names = set(re.findall(r'(?:src|href)="(web/[^"]+)"', page.text))
    names.add(f"web/{web.site().version}/strings-zh.js")
    sizes = [len(files.get(f"/{name}", accept_encoding="identity").content) for name in names]
    assert sum(sizes) + len(page.content) <= MOST_BYTES


def test_all_of_it_is_light_as_it_is_sent() -> None:
    files = web.site().files.items()
    own = [file for name, file in files if not name.startswith("preview/")]
    assert sum(len(file.zipped) for file in own) <= MOST_BYTES / 2


def test_what_is_imported_at_first_is_named_in_the_page() -> None:
    """Else a browser asks for file after file."""
    wanted, found = ["main.js"], set()
    while wanted:
        name = wanted.pop()
        found.add(name)
        imports = re.findall(r'^(?:import .*|\} )from "\./([\w-]+\.js)";', text(name), re.MULTILINE)
        wanted += [each for each in imports if each not in found]
    named = set(re.findall(r'web/\{version\}/([\w-]+\.js)"', text("index.html")))
    assert named == found


@pytest.mark.parametrize("path", ["/", f"/web/{web.site().version}/page.css"])
def test_what_is_known_is_not_sent_again(files: Files, path: str) -> None:
    first = files.get(path)
    again = files.get(path, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == first.headers["cache-control"]
    other = files.get(path, accept_encoding="identity")
    assert other.headers["etag"] != first.headers["etag"]
    assert other.content == first.content
    assert files.get(path, "HEAD").content == b""


def test_a_file_of_another_version_is_not_kept(files: Files) -> None:
    assert files.get("/web/0ld/page.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2Fweb.py", "../web.py"])
def test_there_is_nothing_else(files: Files, name: str) -> None:
    assert files.get(f"/web/1/{name}").status_code == 404


def test_the_policy_is_strict(files: Files) -> None:
    headers = files.get("/").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert [name for name, value in policy.items() if "blob:" in value] == ["img-src"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "camera=(self)" in headers["permissions-policy"]


def test_nothing_stands_in_the_page_that_the_policy_refuses() -> None:
    page = text("index.html")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    scripts = "".join(path.read_text("utf-8") for path in web.FOLDER.rglob("*.js"))
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|https?://(?!www\.w3)", scripts
    )


def test_every_string_that_is_asked_for_exists() -> None:
    known = set(re.findall(r'^\s+"?([\w.-]+)"?:', text("strings-en.js"), re.MULTILINE))
    sources = [*web.FOLDER.glob("*.js"), web.FOLDER / "index.html"]
    asked = {
        key
        for path in sources
        if not path.name.startswith("strings")
        for key in KEYS.findall(path.read_text("utf-8"))
    }
    assert len(asked) > 80
    assert asked <= known


def test_no_file_is_above_400_lines() -> None:
    for path in filter(Path.is_file, web.FOLDER.rglob("*")):
        assert len(path.read_text("utf-8").splitlines()) <= 400, path.name
