"""What an upload leaves on the disk: nothing."""

import asyncio
import tempfile
from typing import Any

import pytest
from starlette.requests import Request

from deployments import uploads
from pipeline.errors import IdPhotoError

PHOTO = bytes(range(256)) * 12_000  # 3 MB, in chunks as a server hands them on
CHUNK = 65_536
LIMIT = 20_000_000


def multipart(photo: bytes, end: bytes = b"\r\n--x--\r\n") -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="me.jpg"\r\n\r\n'
    return head + photo + end


def read(body: bytes, content_type: str, limit: int = LIMIT) -> bytes:
    chunks = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]

    async def receive() -> Any:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    scope = {
        "type": "http",
        "method": "POST",
        "query_string": b"",
        "headers": [(b"content-type", content_type.encode())],
    }
    data, _ = asyncio.run(uploads.read(Request(scope, receive), limit))
    return data


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a temporary file is an error."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the upload was written to a file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(multipart(PHOTO), "multipart/form-data; boundary=x"), (PHOTO, "image/jpeg")],
)
def test_a_large_photo_stays_in_memory(body: bytes, content_type: str) -> None:
    assert read(body, content_type) == PHOTO


@pytest.mark.parametrize(
    ("body", "limit", "code"),
    [
        (multipart(PHOTO), 2_500_000, "body_too_large"),
        (multipart(PHOTO, end=b"\r\n--x!!"), LIMIT, "bad_form"),
        (multipart(PHOTO) + multipart(PHOTO), LIMIT, None),
    ],
)
def test_a_refused_one_does_too(body: bytes, limit: int, code: str | None) -> None:
    if code is None:
        assert read(body, "multipart/form-data; boundary=x", limit) == PHOTO
        return
    with pytest.raises(IdPhotoError) as refused:
        read(body, "multipart/form-data; boundary=x", limit)
    assert refused.value.code == code
