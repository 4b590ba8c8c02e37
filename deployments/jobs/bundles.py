"""The three ways in which photos come: as the files of a form, in a zip, or named in JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from deployments.jobs import multipart, names, overrides, unzip
from deployments.jobs.entries import Bundle, Entry
from deployments.jobs.multipart import Part
from deployments.jobs.spool import Slice
from pipeline.errors import BadOrder, PhotoTooLarge, UnreadableRequest

PHOTO, ARCHIVE, OVERRIDES, KEYS = "photo", "archive", "overrides", "keys"
_MAX_FIELDS = 100
_MAX_FIELD_BYTES = 4096
_MAX_JSON_BYTES = 16_000_000
_ZIP_STARTS = (b"PK\3\4", b"PK\5\6")
_ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Limits:
    max_items: int
    max_job_bytes: int
    max_photo_bytes: int
    allowed_keys: tuple[str, ...]


def read(file: IO[bytes], content_type: str, query: Fields, limits: Limits) -> Bundle:
    """What the body in ``file`` and the query hold. The bundle reads from the file.

    Raises UnreadableRequest, PhotoTooLarge and BadOrder.
    """
    kind = content_type.partition(";")[0].strip().lower()
    body = Slice(file)
    if kind == "multipart/form-data":
        return _form(file, content_type, query, limits)
    # Whatever it is called: curl --data-binary calls everything a form.
    if kind in _ZIP_TYPES or body.read(4) in _ZIP_STARTS:
        return Bundle(query, _unzipped(file, 0, body.size, limits))
    if kind == "application/json":
        return _json(body, query, limits)
    raise BadOrder("missing_photos")


def _unzipped(file: IO[bytes], start: int, size: int, limits: Limits) -> list[Entry]:
    return unzip.entries(
        file,
        start,
        size,
        max_items=limits.max_items,
        max_bytes=limits.max_job_bytes,
        max_member_bytes=limits.max_photo_bytes,
    )


def _form(file: IO[bytes], content_type: str, query: Fields, limits: Limits) -> Bundle:
    fields, entries, table = list(query), list[Entry](), b""
    archives = 0
    for part in multipart.parts(file, content_type, limits.max_items + _MAX_FIELDS):
        if part.name == OVERRIDES:
            table = _small(file, part, overrides.MAX_BYTES)
        elif part.file_name is None:
            fields.append((part.name, _text(_small(file, part, _MAX_FIELD_BYTES))))
            if len(fields) > _MAX_FIELDS:
                raise UnreadableRequest("bad_form", reason=f"more than {_MAX_FIELDS} fields")
        elif not part.file_name and not part.size:
            continue  # a browser's file input in which nothing was chosen
        elif part.name == PHOTO:
            entries.append(_photo(file, part, limits))
        elif part.name == ARCHIVE:
            archives += 1
            if archives > 1:
                raise BadOrder("bad_parameter", name=ARCHIVE, reason="it is given twice")
            entries.extend(_unzipped(file, part.start, part.size, limits))
        else:
            raise BadOrder("unknown_parameter", name=names.shown(part.name))
    return Bundle(fields, entries, overrides.of_csv(table, limits.max_items) if table else ())


def _photo(file: IO[bytes], part: Part, limits: Limits) -> Entry:
    name = part.file_name or ""
    name = name if names.is_safe(name) else names.harmless(name)
    if part.size > limits.max_photo_bytes:
        return Entry(name, error="body_too_large")
    return Entry(name, part.size, chunks=Slice(file, part.start, part.size).chunks)


def _small(file: IO[bytes], part: Part, max_bytes: int) -> bytes:
    if part.size > max_bytes:
        raise UnreadableRequest("bad_form", reason=f"{names.shown(part.name)} is too long")
    return Slice(file, part.start, part.size).read()


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableRequest("bad_form", reason="a field is not in UTF-8") from None


class KeysBody(BaseModel):
    """The JSON body of POST /v1/jobs: where the photos lie, and the parameters of the form."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, str | int | float | list[str]]

    keys: list[str]
    overrides: list[dict[str, str]] = []


def _json(body: Slice, query: Fields, limits: Limits) -> Bundle:
    if body.size > _MAX_JSON_BYTES:
        raise PhotoTooLarge("job_too_large", limit_mb=_MAX_JSON_BYTES // 1_000_000)
    body.seek(0)
    try:
        found = KeysBody.model_validate_json(body.read())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = f"{names.shown(place)}: {first['msg']}".removeprefix(": ")
        raise UnreadableRequest("bad_form", reason=reason.rstrip(".")) from None
    if len(found.keys) > limits.max_items or len(found.overrides) > limits.max_items:
        raise PhotoTooLarge("too_many_items", limit=limits.max_items)
    fields = list(query)
    for name, value in found.__pydantic_extra__.items():
        values = value if isinstance(value, list) else [str(value)]
        fields.extend((name, each) for each in values)
    entries = [_named(key, limits.allowed_keys) for key in found.keys]
    return Bundle(fields, entries, overrides.of_rows(found.overrides))


def _named(key: str, allowed: Sequence[str]) -> Entry:
    """The photo that the key names, called by what follows the allowed place."""
    place = next((place for place in allowed if key.startswith(place)), None)
    name = key.removeprefix(place or "")
    # fsspec takes "::" as a chain of file systems and the others as patterns.
    odd = "::" in key or "\\" in key or any(letter in name for letter in "*?[]")
    if place is None or odd or not names.is_safe(name) or name.endswith("/") or "//" in name:
        raise BadOrder("place_not_allowed", name=names.shown(key))
    return Entry(name, source=key)
