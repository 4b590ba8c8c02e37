"""Where the parts of a multipart body lie in the file that it was written to (RFC 2046, RFC 7578).

Starlette's parser keeps each file below a megabyte in memory and each larger one open: thousands of
photos are gigabytes or thousands of open files. Here a part is an offset and a length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from python_multipart.multipart import parse_options_header

from deployments.jobs.spool import Slice
from pipeline.errors import PhotoTooLarge, UnreadableRequest

_MAX_BOUNDARY_BYTES = 70
_MAX_HEAD_BYTES = 8192
_SCAN_BYTES = 1 << 20
# What follows a boundary: padding and a line's end, then the part's headers, which may be none.
_HEAD = re.compile(rb"[ \t]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
_DISPOSITION = re.compile(rb"^content-disposition[ \t]*:[ \t]*([^\r\n]+)", re.I | re.M)


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    file_name: str | None
    """None for a plain field."""
    start: int
    size: int


def parts(file: IO[bytes], content_type: str, max_parts: int) -> list[Part]:
    """The parts of the body in ``file``, in their order.

    Raises UnreadableRequest (``bad_form``) and PhotoTooLarge (``too_many_items``).
    """
    body = Slice(file)
    delimiter = b"--" + _boundary(content_type)
    found: list[Part] = []
    head: tuple[str, str | None, int] | None = None
    for at in _occurrences(body, delimiter):
        after = at + len(delimiter)
        body.seek(after)
        text = body.read(_MAX_HEAD_BYTES)
        last = text.startswith(b"--")
        match = _HEAD.match(text)
        if not last and not re.match(rb"[ \t]*\r\n", text):
            continue  # a longer word that begins like the boundary: part of the data
        if head is not None:
            name, file_name, start = head
            end = at - len(b"\r\n")
            if end < start:
                continue  # the line's end before it is the headers' own
            found.append(Part(name, file_name, start, end - start))
            if len(found) > max_parts:
                raise PhotoTooLarge("too_many_items", limit=max_parts)
        if last:
            return found
        if match is None:
            raise _bad("the headers of a part are broken or too long")
        head = (*_names(match[1]), after + match.end())
    raise _bad("it is cut short")


def _occurrences(body: Slice, delimiter: bytes) -> Iterator[int]:
    """Offsets of the delimiter where it begins a line."""
    kept, kept_at, at = b"\r\n", -2, 0
    line = b"\r\n" + delimiter
    while True:
        body.seek(at)
        chunk = body.read(_SCAN_BYTES)
        if not chunk:
            return
        at += len(chunk)
        window = kept + chunk
        found = window.find(line)
        while found >= 0:
            yield kept_at + found + 2
            found = window.find(line, found + len(line))
        overlap = min(len(window), len(line) - 1)
        kept, kept_at = window[-overlap:], kept_at + len(window) - overlap


def _boundary(content_type: str) -> bytes:
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= _MAX_BOUNDARY_BYTES:
        raise _bad("its content type names no boundary")
    return boundary


def _names(head: bytes) -> tuple[str, str | None]:
    disposition = _DISPOSITION.search(head)
    options = parse_options_header(disposition[1])[1] if disposition else {}
    if b"name" not in options:
        raise _bad("a part has no name")
    file_name = options.get(b"filename")
    return _text(options[b"name"]), None if file_name is None else _text(file_name)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _bad(reason: str) -> UnreadableRequest:
    return UnreadableRequest("bad_form", reason=reason)
