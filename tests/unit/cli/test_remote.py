"""The client of the service, against a server that answers as the service does."""

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.exits import Exit, Failure
from cli.main import main
from cli.outcome import Refusal
from cli.remote import Remote
from cli.wish import Wish

CHECK = {
    "code": "eyes_open",
    "title": {"en": "Eyes", "zh": "眼睛"},
    "value": 0.2,
    "unit": "",
    "min": 0.15,
    "max": None,
    "result": "pass",
    "hint": None,
}
PHOTO = {
    "document": "us-passport",
    "background": "white",
    "media_type": "image/jpeg",
    "size_px": [600, 600],
    "quality": "best",
    "checks": [CHECK],
    "data_base64": base64.b64encode(b"made").decode(),
}
WISH = Wish(("us-passport",))
Answer = tuple[int, Any, dict[str, str]]
FINE: Answer = (200, {"photos": [PHOTO]}, {})
BUSY: Answer = (429, {"code": "overloaded", "detail": "Full."}, {"Retry-After": "0"})


class Server(http.server.ThreadingHTTPServer):
    """Gives its answers one after the other, the last one for ever, and keeps the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = [FINE]
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        status, answer, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_photo_is_sent_and_the_answer_read(server: Server) -> None:
    (photo,) = Remote(server.address + "/", "secret").photos(b"photo", WISH)
    assert (photo.data, photo.size_px, photo.document) == (b"made", (600, 600), "us-passport")
    assert [(check.code, check.hint) for check in photo.checks] == [("eyes_open", "")]
    ((path, headers, body),) = server.requests
    assert urlsplit(path).path == "/v1/photos"
    assert parse_qs(urlsplit(path).query) == {"document": ["us-passport"], "quality": ["best"]}
    assert (headers["Authorization"], headers["Accept"]) == ("Bearer secret", "application/json")
    assert body == b"photo"


def test_the_checks_are_read(server: Server) -> None:
    server.answers = [(200, {"reports": [{"document": "us-passport", "checks": [CHECK]}]}, {})]
    (report,) = Remote(server.address, None).reports(b"photo", WISH, as_is=True)
    assert (report.document, report.checks[0].title_zh) == ("us-passport", "眼睛")
    assert "as_is=true" in server.requests[0][0]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((422, {"code": "no_face", "detail": "No face.", "hint": "Try."}, {}), "no_face"),
        ((500, b"<html>", {}), "http_500"),
        ((404, [], {}), "http_404"),
        ((429, {"code": "overloaded"}, {"Retry-After": "1000"}), "overloaded"),
    ],
)
def test_a_problem_is_a_refusal(server: Server, answer: Answer, code: str) -> None:
    server.answers = [answer]
    with pytest.raises(Refusal) as refused:
        Remote(server.address, None).photos(b"photo", WISH)
    assert refused.value.code == code


def test_a_full_service_is_asked_again(server: Server) -> None:
    server.answers = [BUSY, BUSY, FINE]
    assert len(Remote(server.address, None).photos(b"photo", WISH)) == 1
    assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [(401, {"detail": "A key is needed."}, {}), (200, b"hello", {})])
def test_who_lets_nobody_in_or_is_no_service_ends_the_command(
    server: Server, answer: Answer
) -> None:
    server.answers = [answer]
    with pytest.raises(Failure) as failure:
        Remote(server.address, None).photos(b"photo", WISH)
    assert failure.value.exit == Exit.UNREACHABLE


def test_no_service_at_all(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    with Server() as gone:
        address = gone.address
    photo = str(data / "cat.png")
    assert main(["make", photo, "--document", "us-passport", "--server", address]) == 3
    assert address in capsys.readouterr().err


def test_several_photos_are_made_by_a_service(
    server: Server, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("cat", "coffee-cup", "astronaut")
    photos = [str(data / f"{name}.png") for name in names]
    asked = ["--document", "us-passport", "--server", server.address, "-o", str(tmp_path)]
    assert main(["make", *photos, *asked]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}_us-passport_white.jpg" for name in names
    }
    assert capsys.readouterr().out.splitlines()[0] == str(tmp_path / "cat_us-passport_white.jpg")
