"""Reading a request's photo and parameters: in memory alone, never more than the limit."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive

from pipeline.errors import BadOrder, PhotoTooLarge, UnreadableRequest

PHOTO_FIELD = "photo"
BACKGROUND_FIELD = "background_image"
_MAX_FIELDS = 100
_MAX_FIELD_BYTES = 4096
_MAX_FORM_BYTES = 65_536


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, which would put files above one megabyte on the disk."""

    # No limit to what stays in memory; the body as a whole has one.
    spool_max_size = 0
    _ended = False

    def on_end(self) -> None:
        self._ended = True

    async def parse(self) -> FormData:
        """The form. Raises MultiPartException, also for one that was cut short."""
        form = await super().parse()
        if not self._ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("It ends before its last boundary.")
        return form


class Upload(NamedTuple):
    """What a request holds."""

    photo: bytes
    fields: list[tuple[str, str]]
    """The parameters of the query and the form."""
    others: dict[str, bytes]
    """Further files, by their field."""


async def read(
    request: Request, max_bytes: int, instead: str | None = None
) -> tuple[bytes, list[tuple[str, str]]]:
    """The photo and the parameters; as ``read_all``, with no other file."""
    upload = await read_all(request, max_bytes, instead)
    return upload.photo, upload.fields


async def read_all(
    request: Request, max_bytes: int, instead: str | None = None, also: Sequence[str] = ()
) -> Upload:
    """The photo, the parameters of the query and the form, and the files of the fields ``also``.

    The photo is the multipart file ``photo``, or the whole body of any other content type. Where
    the parameter ``instead`` is given there need be none, and the photo is empty. All files
    together have at most ``max_bytes``.
    Raises PhotoTooLarge (``body_too_large``), UnreadableRequest (``bad_form``) or BadOrder.
    """
    fields = list(request.query_params.multi_items())
    limited = Request(request.scope, _limited(request, max_bytes))
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        data = await limited.body()
        if content_type.startswith("application/x-www-form-urlencoded"):
            data, fields = b"", fields + _fields(data)
        elif data or content_type:
            return Upload(data, fields, {})
        _require_photo(fields, instead)
        return Upload(data, fields, {})
    try:
        # Two files, so that a second one is refused by name and not as a broken form.
        async with aclosing(limited.stream()) as stream:
            form = await _InMemoryParser(
                limited.headers,
                stream,
                max_files=2 + len(also),
                max_fields=_MAX_FIELDS,
                max_part_size=_MAX_FIELD_BYTES,
            ).parse()
    except MultiPartException as error:
        raise UnreadableRequest("bad_form", reason=error.message.rstrip(".")) from None
    try:
        files: list[UploadFile] = []
        others: dict[str, bytes] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields.append((name, value))
            elif name == PHOTO_FIELD:
                files.append(value)
            elif name not in also:
                raise BadOrder("unknown_parameter", name=name[:60])
            elif name in others:
                raise BadOrder("bad_parameter", name=name, reason="it is given twice")
            else:
                others[name] = await value.read()
        if not files:
            _require_photo(fields, instead)
            return Upload(b"", fields, others)
        if len(files) > 1:
            raise BadOrder("several_photos")
        return Upload(await files[0].read(), fields, others)
    finally:
        await form.close()


def _fields(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form that holds no file. Raises UnreadableRequest (``bad_form``)."""
    if len(body) > _MAX_FORM_BYTES:
        raise UnreadableRequest("bad_form", reason=f"It has more than {_MAX_FORM_BYTES} bytes")
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        reason = f"It is no UTF-8, or has more than {_MAX_FIELDS} fields"
        raise UnreadableRequest("bad_form", reason=reason) from None


def _require_photo(fields: list[tuple[str, str]], instead: str | None) -> None:
    if all(name != instead for name, _ in fields):
        raise BadOrder("missing_photo")


def _limited(request: Request, max_bytes: int) -> Receive:
    """The request's messages, until they hold more than ``max_bytes`` of body, whatever the headers
    say.
    """
    too_large = PhotoTooLarge("body_too_large", limit_mb=round(max_bytes / 1e6, 1))
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise too_large
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise too_large
        return message

    return receive


async def body(request: Request, max_bytes: int) -> bytes:
    """The whole body. Raises PhotoTooLarge (``body_too_large``)."""
    return await Request(request.scope, _limited(request, max_bytes)).body()


async def form(
    request: Request, max_bytes: int, *, max_files: int
) -> tuple[list[tuple[str, bytes]], list[tuple[str, str]]]:
    """The files and the fields of a multipart form, whatever their names; a field may be as large
    as the body. Raises PhotoTooLarge (``body_too_large``) or UnreadableRequest (``bad_form``).
    """
    limited = Request(request.scope, _limited(request, max_bytes))
    try:
        async with aclosing(limited.stream()) as stream:
            form = await _InMemoryParser(
                limited.headers,
                stream,
                max_files=max_files,
                max_fields=_MAX_FIELDS,
                max_part_size=max_bytes,
            ).parse()
    except MultiPartException as error:
        raise UnreadableRequest("bad_form", reason=error.message.rstrip(".")) from None
    try:
        parts = form.multi_items()
        files = [
            (name, await value.read()) for name, value in parts if isinstance(value, UploadFile)
        ]
        return files, [(name, value) for name, value in parts if isinstance(value, str)]
    finally:
        await form.close()
