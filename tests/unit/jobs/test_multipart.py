"""Multipart bodies are taken apart as RFC 2046 and RFC 7578 say, wherever their pieces lie."""

import tempfile

import pytest

from deployments.jobs import multipart
from deployments.jobs.spool import Slice
from pipeline.errors import PhotoTooLarge, UnreadableRequest

TYPE = "multipart/form-data; boundary=bnd"
Found = list[tuple[str, str | None, bytes]]


def parsed(body: bytes, content_type: str = TYPE, max_parts: int = 100) -> Found:
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        return [
            (part.name, part.file_name, Slice(file, part.start, part.size).read())
            for part in multipart.parts(file, content_type, max_parts)
        ]


def part(data: bytes, disposition: str = 'form-data; name="a"', more: str = "") -> bytes:
    return f"--bnd\r\nContent-Disposition: {disposition}\r\n{more}\r\n".encode() + data + b"\r\n"


END = b"--bnd--\r\n"
AWKWARD = [
    b"",
    b"\r\n",
    b"\r\n--",
    b"--bnd",
    b"\r\n--bn",
    b"\r\n--bndx\r\n",
    b"--bnd--",
    b"\r\n--bnd\t x\r\n",
    bytes(range(256)) * 50,
]


@pytest.mark.parametrize("data", AWKWARD)
def test_the_bytes_between_boundaries(data: bytes) -> None:
    body = part(data) + part(data, 'form-data; name="b"; filename="ann.jpg"') + END
    assert parsed(body) == [("a", None, data), ("b", "ann.jpg", data)]


@pytest.mark.parametrize("more", range(-12, 13))
def test_a_boundary_across_two_pieces(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    monkeypatch.setattr(multipart, "_SCAN_BYTES", 100)
    data = b"x" * (100 + more)
    assert parsed(part(data) + part(b"y") + END) == [("a", None, data), ("a", None, b"y")]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"preamble\r\n" + part(b"x") + END + b"epilogue", TYPE),
        (part(b"x") + END, 'multipart/form-data; charset=utf-8; boundary="bnd"'),
        (part(b"x").replace(b"--bnd\r\n", b"--bnd \t\r\n") + END, TYPE),
        (part(b"x", more="Content-Type: image/jpeg\r\nX-Other: 1\r\n") + END, TYPE),
        (part(b"x").replace(b"Content-Disposition", b"content-DISPOSITION") + END, TYPE),
        (part(b"x") + b"--bnd--", TYPE),
    ],
)
def test_what_may_differ(body: bytes, content_type: str) -> None:
    assert parsed(body, content_type) == [("a", None, b"x")]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('form-data; name="a"; filename="张伟.jpg"', "张伟.jpg"),
        ('form-data; name="a"; filename="a;b.jpg"', "a;b.jpg"),
        ('form-data; name="a"; filename=""', ""),
        ("form-data; name=a; filename=b.jpg", "b.jpg"),
    ],
)
def test_file_names(disposition: str, name: str) -> None:
    assert parsed(part(b"", disposition) + END) == [("a", name, b"")]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", TYPE),
        (END[2:], TYPE),
        (part(b"x"), TYPE),
        (part(b"x") + b"--bnd", TYPE),
        (part(b"x") + b"--bnd\r\n", TYPE),
        (part(b"x", "form-data") + END, TYPE),
        (b"--bnd\r\nX-Other: 1\r\n\r\nx\r\n" + END, TYPE),
        (b"--bnd\r\n\r\nx\r\n" + END, TYPE),
        (part(b"x", more="X: " + "y" * 9000 + "\r\n") + END, TYPE),
        (b"--bnd\r\nContent-Disposition: form-data; name=a\r\n\r\n--bnd--\r\n", TYPE),
        (part(b"x") + END, "multipart/form-data"),
        (part(b"x") + END, "multipart/form-data; boundary=" + "x" * 71),
    ],
)
def test_a_broken_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(UnreadableRequest) as refused:
        parsed(body, content_type)
    assert refused.value.code == "bad_form"


def test_too_many_parts_are_refused() -> None:
    assert len(parsed(part(b"x") * 5 + END, max_parts=5)) == 5
    with pytest.raises(PhotoTooLarge):
        parsed(part(b"x") * 6 + END, max_parts=5)
