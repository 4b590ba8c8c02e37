"""The interface of remove.bg, version 1.0: https://www.remove.bg/api."""

import base64
import math
import re
import time
from typing import Literal, NamedTuple

from fastapi import FastAPI, Request, Response
from PIL import ImageColor
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from deployments import forms
from deployments.dropin.bodies import Body, Studio, of_base64, read, taken, takes
from deployments.dropin.fetch import Fetcher
from deployments.problems import give_shape
from deployments.settings import Settings
from deployments.statuses import RETRY_AFTER_S
from pipeline.cutout_values import (
    Cutout,
    Frame,
    GroundFile,
    Length,
    Shows,
    StyledCutoutOrder,
)
from pipeline.errors import BadOrder, IdPhotoError

PATH, ACCOUNT = "/v1.0/removebg", "/v1.0/account"
_FILE, _GROUND = "image_file", "bg_image_file"
_BASE64, _URL = "image_file_b64", "image_url"
# Nothing is charged; clients that look before they send go on.
_CREDITS = 1_000_000
_MOST_MARGIN_PX, _MOST_MARGIN_PERCENT, _LEAST_SCALE = 500, 50, 10
_LENGTH = re.compile(r"([0-9]{1,5})(%|px)?")
_PERCENT = re.compile(r"([0-9]{1,3})%")
# Alone with these codes clients of remove.bg can tell what is wrong.
_CODES = {
    "body_too_large": "file_too_large",
    "too_many_pixels": "resolution_too_high",
    "side_too_long": "resolution_too_high",
    "unsupported_format": "invalid_file_type",
    "broken_image": "failed_to_read_image",
    "no_subject": "unknown_foreground",
    "no_face": "unknown_foreground",
    "overloaded": "rate_limit_exceeded",
    "key_busy": "rate_limit_exceeded",
    "key_missing": "auth_failed",
    "key_unknown": "auth_failed",
    "url_not_allowed": "invalid_image_url",
    "url_not_fetched": "failed_image_download",
}
_KEPT_STATUS = (402, 403, 408, 429)

Size = Literal["preview", "small", "regular", "500px", "medium", "hd", "full", "4k", "50MP", "auto"]
_PIXELS = {
    **dict.fromkeys(("preview", "small", "regular", "500px"), 250_000),
    "medium": 1_500_000,
    "hd": 4_000_000,
}
Type = Literal[
    "auto",
    "person",
    "product",
    "animal",
    "car",
    "car_interior",
    "car_part",
    "transportation",
    "graphics",
    "graphic",
    "other",
]
_SHOWS: dict[str, Shows] = {"auto": "anything", "person": "person"}


class RemoveBgForm(BaseModel):
    """The parameters of POST /v1.0/removebg besides the picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Size = Field("preview", description="preview: 0.25, medium: 1.5, hd: 4 megapixels.")
    type: Type = Field("auto", description="person: there must be a face; else it is a thing.")
    type_level: Literal["none", "1", "2", "latest"] = "1"
    format: Literal["auto", "png", "jpg", "zip"] = "auto"
    roi: str = Field("0% 0% 100% 100%", max_length=40, description="x1 y1 x2 y2 in px or %.")
    crop: bool = False
    crop_margin: str = Field("0", max_length=40, description="1, 2 or 4 of px or %.")
    scale: str = Field("original", max_length=10, description="10% to 100%, or original.")
    position: str = Field("original", max_length=20, description="original, center, or 50% 50%.")
    channels: Literal["rgba", "alpha"] = "rgba"
    bg_color: str | None = Field(None, max_length=30, description="A name, or 3, 4, 6, 8 digits.")
    semitransparency: Literal["true", "1"] = Field("true", description="Of car windows: not here.")
    add_shadow: Literal["false", "0"] = Field("false", description="Not here.")
    shadow_type: Literal["none"] = Field("none", description="Not here.")


def order(form: RemoveBgForm, ground_file: bytes | None, settings: Settings) -> StyledCutoutOrder:
    """What the form asks for. Raises BadOrder."""
    ground: tuple[int, int, int, int] | GroundFile | None = None
    if form.bg_color:
        ground = _colour(form.bg_color)
    if ground_file is not None:
        if ground is not None:
            reason = "give bg_color or bg_image_file"
            raise BadOrder("bad_parameter", name=_GROUND, reason=reason)
        ground = GroundFile(ground_file, settings.max_pixels)
    alone = form.channels == "alpha"
    if alone and form.format == "zip":
        raise BadOrder("bad_parameter", name="format", reason="a zip holds the colours as well")
    opaque = isinstance(ground, GroundFile) or (ground is not None and ground[3] == 255)
    format = form.format
    if format == "auto":
        format = "jpg" if opaque and not alone else "png"
    scale = _scale(form.scale)
    return StyledCutoutOrder(
        "jpeg" if format == "jpg" else format,
        "mask" if alone else "rgba",
        settings.max_cutout_side_px,
        shows=_SHOWS.get(form.type, "thing"),
        max_pixels=_PIXELS.get(form.size),
        region=_region(form.roi),
        frame=Frame(form.crop, _margins(form.crop_margin), scale, _position(form.position)),
        ground=None if alone else ground,
    )


def install(app: FastAPI, studio: Studio, fetcher: Fetcher) -> None:
    """Adds POST /v1.0/removebg and GET /v1.0/account."""
    settings = studio.settings
    for path in (PATH, ACCOUNT):
        give_shape(app, path, _shaped)

    @app.post(
        PATH,
        tags=["remove.bg"],
        response_class=Response,
        **takes(RemoveBgForm, [_FILE, _GROUND], others=[_BASE64, _URL]),
    )
    async def removebg(request: Request) -> Response:
        """The subject without its background, as remove.bg answers.

        With ``Accept: application/json`` the answer is ``{"data": {"result_b64": ...}}``.
        """
        body = await read(studio, request, [_FILE, _GROUND])
        source, fields = _source(body)
        form = forms.parse(RemoveBgForm, fields)
        wanted = order(form, body.files.get(_GROUND), settings)
        data = await fetcher.get(source) if isinstance(source, str) else source
        (made,) = await studio.cutouts(data, wanted, body.timings)
        if not isinstance(made, Cutout):
            raise TypeError("a styled order makes a Cutout")
        headers = {**_about(made, form, settings), **_limits(studio)}
        if "application/json" in request.headers.get("accept", ""):
            left, top, right, bottom = made.foreground_xyxy_px
            told = {
                "result_b64": base64.b64encode(made.data).decode(),
                "foreground_top": top,
                "foreground_left": left,
                "foreground_width": right - left,
                "foreground_height": bottom - top,
            }
            return JSONResponse({"data": told}, headers=headers)
        return Response(made.data, media_type=made.media_type, headers=headers)

    @app.get(ACCOUNT, tags=["remove.bg"])
    def account() -> dict[str, object]:
        """Credits, which nothing is charged to."""
        credits = {"total": _CREDITS, "subscription": 0, "payg": _CREDITS, "enterprise": 0}
        api = {"free_calls": _CREDITS, "sizes": "all"}
        return {"data": {"attributes": {"credits": credits, "api": api}}}


class _Wrong(NamedTuple):
    """One of an answer's errors, as remove.bg's clients read them."""

    title: str
    code: str
    detail: str


def _shaped(answer: Response, error: IdPhotoError) -> Response:
    """The error as remove.bg tells it; ``code`` is remove.bg's where it has one for it."""
    status = {401: 403}.get(answer.status_code, answer.status_code)
    if 400 <= status < 500 and status not in _KEPT_STATUS:
        status = 400
    code = _CODES.get(error.code, error.code)
    if error.code == "bad_parameter":
        name = str(error.details["name"])
        sources = {
            _FILE: "missing_source",
            _GROUND: "multiple_bg_sources",
            _URL: "multiple_sources",
        }
        code = sources.get(name, f"invalid_{name}")
    wrong = _Wrong(error.text.title, code, error.text.hint)._asdict()
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("content-length", "content-type")
    }
    return JSONResponse({"errors": [{**wrong, "problem": error.code}]}, status, headers)


def _source(body: Body) -> tuple[bytes | str, list[tuple[str, str]]]:
    """The picture or its address, and the fields that are left. Raises BadOrder."""
    text, fields = taken(body.fields, _BASE64)
    url, fields = taken(fields, _URL)
    given = [source for source in (body.files.get(_FILE), text, url) if source]
    if len(given) > 1:
        reason = "give one of image_file, image_file_b64 and image_url"
        raise BadOrder("bad_parameter", name=_URL, reason=reason)
    if not given:
        raise BadOrder("bad_parameter", name=_FILE, reason="no picture is given")
    return (of_base64(text, _BASE64) if text else given[0]), fields


def _about(made: Cutout, form: RemoveBgForm, settings: Settings) -> dict[str, str]:
    width, height = made.full_size_px
    shrink = min(1.0, settings.max_cutout_side_px / max(width, height))
    left, top, right, bottom = made.foreground_xyxy_px
    kind = "person" if made.is_person else "other"
    return {
        "X-Width": str(made.size_px[0]),
        "X-Height": str(made.size_px[1]),
        "X-Max-Width": str(round(width * shrink)),
        "X-Max-Height": str(round(height * shrink)),
        "X-Foreground-Top": str(top),
        "X-Foreground-Left": str(left),
        "X-Foreground-Width": str(right - left),
        "X-Foreground-Height": str(bottom - top),
        "X-Credits-Charged": "0",
        **({} if form.type_level == "none" else {"X-Type": kind}),
    }


def _limits(studio: Studio) -> dict[str, str]:
    """What is limited here is not pictures in a minute but pictures at once."""
    most, free = studio.places
    return {
        "X-RateLimit-Limit": str(most),
        "X-RateLimit-Remaining": str(free),
        "X-RateLimit-Reset": str(math.ceil(time.time() + RETRY_AFTER_S)),
    }


def _colour(text: str) -> tuple[int, int, int, int]:
    digits = text.removeprefix("#")
    found = f"#{digits}" if re.fullmatch(r"[0-9a-fA-F]{3,8}", digits) else text
    try:
        values = ImageColor.getcolor(found, "RGBA")
    except ValueError:
        values = None
    if not isinstance(values, tuple) or len(values) != 4:
        reason = "it takes a colour's name or hexadecimal digits"
        raise BadOrder("bad_parameter", name="bg_color", reason=reason) from None
    return values[0], values[1], values[2], values[3]


def _lengths(text: str, name: str) -> list[Length]:
    """Lengths in pixels or percent, parted by spaces or commas. Raises BadOrder."""
    found = [_LENGTH.fullmatch(part) for part in re.split("[ ,]", text)]
    lengths = [
        Length(int(each[1]) / 100, True) if each[2] == "%" else Length(float(each[1]))
        for each in found
        if each
    ]
    if len(lengths) != len(found):
        raise BadOrder("bad_parameter", name=name, reason="it takes lengths such as 30px or 10%")
    return lengths


def _region(text: str) -> tuple[Length, Length, Length, Length] | None:
    lengths = _lengths(text, "roi")
    if len(lengths) != 4 or any(length.relative and length.value > 1 for length in lengths):
        raise BadOrder("bad_parameter", name="roi", reason="it takes x1 y1 x2 y2 up to 100%")
    if [(length.value, length.relative) for length in lengths] in (
        [(0, True), (0, True), (1, True), (1, True)],
        [(0, False), (0, False), (1, True), (1, True)],
    ):
        return None
    return lengths[0], lengths[1], lengths[2], lengths[3]


def _margins(text: str) -> tuple[Length, Length, Length, Length]:
    found = _lengths(text, "crop_margin")
    most = {False: _MOST_MARGIN_PX, True: _MOST_MARGIN_PERCENT / 100}
    if len(found) not in (1, 2, 4) or any(each.value > most[each.relative] for each in found):
        reason = f"it takes 1, 2 or 4 of at most {_MOST_MARGIN_PX}px or {_MOST_MARGIN_PERCENT}%"
        raise BadOrder("bad_parameter", name="crop_margin", reason=reason)
    top, right, bottom, left = (found * 4)[:4] if len(found) < 4 else found
    return top, right, bottom, left


def _scale(text: str) -> float | None:
    if text == "original":
        return None
    found = _PERCENT.fullmatch(text)
    if not found or not _LEAST_SCALE <= int(found[1]) <= 100:
        raise BadOrder("bad_parameter", name="scale", reason="it takes 10% to 100%, or original")
    return int(found[1]) / 100


def _position(text: str) -> tuple[float, float] | None:
    if text == "original":
        return None
    if text == "center":
        return 0.5, 0.5
    found = [_PERCENT.fullmatch(part) for part in re.split("[ ,]", text)]
    shares = [int(each[1]) / 100 for each in found if each]
    if len(shares) != len(found) or len(shares) > 2 or max(shares) > 1:
        reason = "it takes original, center, or one or two of 0% to 100%"
        raise BadOrder("bad_parameter", name="position", reason=reason)
    return shares[0], shares[-1]
