"""Reading a request's photo and parameters: in memory alone, never more than the limit."""

from contextlib import aclosing

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive

from pipeline.errors import BadOrder, PhotoTooLarge, UnreadableRequest

PHOTO_FIELD = "photo"
_MAX_FIELDS = 100
_MAX_FIELD_BYTES = 4096


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


async def read(request: Request, max_bytes: int) -> tuple[bytes, list[tuple[str, str]]]:
    """The photo, and the parameters of the query and the form.

    The photo is the multipart file ``photo``, or the whole body of any other content type.
    Raises PhotoTooLarge (``body_too_large``), UnreadableRequest (``bad_form``) or BadOrder.
    """
    fields = list(request.query_params.multi_items())
    limited = Request(request.scope, _limited(request, max_bytes))
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        data = await limited.body()
        # A client that sends no content type and no body, or only the fields of a form.
        if content_type.startswith("application/x-www-form-urlencoded") or not (
            data or content_type
        ):
            raise BadOrder("missing_photo")
        return data, fields
    try:
        # Two files, so that a second one is refused by name and not as a broken form.
        async with aclosing(limited.stream()) as stream:
            form = await _InMemoryParser(
                limited.headers,
                stream,
                max_files=2,
                max_fields=_MAX_FIELDS,
                max_part_size=_MAX_FIELD_BYTES,
            ).parse()
    except MultiPartException as error:
        raise UnreadableRequest("bad_form", reason=error.message.rstrip(".")) from None
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields.append((name, value))
            elif name != PHOTO_FIELD:
                raise BadOrder("unknown_parameter", name=name[:60])
        if not files:
            raise BadOrder("missing_photo")
        if len(files) > 1:
            raise BadOrder("several_photos")
        return await files[0].read(), fields
    finally:
        await form.close()


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
