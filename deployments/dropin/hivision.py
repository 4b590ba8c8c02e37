"""The interface of HivisionIDPhotos: https://github.com/Zeyi-Lin/HivisionIDPhotos, deploy_api.py.

Answers are ``{"status": true, "image_base64": ...}``, or ``{"status": false}`` with the reason.
"""

import base64
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from deployments import forms
from deployments.dropin.bodies import Studio, of_base64, read, taken, takes
from deployments.problems import give_shape
from pipeline import colours, documents, orders, papers
from pipeline.cutout_values import StyledCutoutOrder
from pipeline.edit_values import CropOut, EditOrder, PutOn, Rewrite, Stamp
from pipeline.errors import BadOrder, IdPhotoError, UnusablePhoto
from pipeline.finish_values import Adjustments, Finish
from pipeline.values import Background, Bounds, Document, IdPhoto, Order

_FILE, _BASE64 = "input_image", "input_image_base64"
_MM_PER_INCH = 25.4
_MAX_KB = 100_000
# The longest side of its pictures.
_FINEST_PX = 2000
# As many percent as one step of its sharpening.
_SHARPER = 20
# Of a face as the detector boxes it: width per height, and of the head the height per the box's
# and the part above the box's middle. Medians of 44 portraits; one in three is off by a tenth.
_BOX_ASPECT, _HEAD_PER_BOX, _ABOVE_MIDDLE = 0.75, 1.29, 0.6
_HEAD_LIMITS, _HEAD_SLACK = (0.1, 0.9), 1.03
# What its programs ask for when they mean nothing by it.
Model = Literal[
    "hivision_modnet",
    "modnet_photographic_portrait_matting",
    "mnn_hivision_modnet",
    "rmbg-1.4",
    "birefnet-v1-lite",
]
Detector = Literal["mtcnn", "retinaface-resnet50"]
# Where its answer is that of a picture it cannot use, and not of a request.
_OF_PICTURE = ("too_many_bytes",)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    dpi: int = Field(300, ge=72, le=1200)


class _Framed(_Form):
    height: int = Field(413, ge=32, le=4096)
    width: int = Field(295, ge=32, le=4096)
    hd: bool = Field(True, description="A second picture, as fine as the photo.")
    face_detect_model: Detector = Field("mtcnn", description="Whichever: the service's own.")
    head_measure_ratio: float = Field(0.2, ge=0.02, le=0.6, description="Face by picture, areas.")
    head_height_ratio: float = Field(0.45, ge=0.1, le=0.9, description="Face's middle from top.")
    top_distance_max: float = Field(0.12, ge=0, le=0.5)
    top_distance_min: float = Field(0.10, ge=0, le=0.5)


class IdPhotoForm(_Framed):
    """The parameters of POST /idphoto."""

    human_matting_model: Model = Field("hivision_modnet", description="Whichever: our own nets.")
    face_align: bool = Field(False, description="Eyes are levelled in any case.")
    whitening_strength: Literal["0"] = Field("0", description="Skin is not whitened here.")
    brightness_strength: float = Field(0, ge=-100, le=100)
    contrast_strength: float = Field(0, ge=-100, le=100)
    sharpen_strength: float = Field(0, ge=0, le=5)
    saturation_strength: float = Field(0, ge=-100, le=100)


class CropForm(_Framed):
    """The parameters of POST /idphoto_crop."""


class MattingForm(_Form):
    """The parameters of POST /human_matting."""

    human_matting_model: Model = Field("hivision_modnet", description="Whichever: our own nets.")


class BackgroundForm(_Form):
    """The parameters of POST /add_background."""

    color: str = Field("000000", max_length=20)
    kb: int | None = Field(None, ge=1, le=_MAX_KB, description="Most kB; a JPEG then.")
    render: Literal["0", "1", "2"] = Field("0", description="1: fades to white down, 2: outwards.")


class LayoutForm(_Form):
    """The parameters of POST /generate_layout_photos."""

    height: int = Field(413, ge=32, le=4096)
    width: int = Field(295, ge=32, le=4096)
    kb: int | None = Field(None, ge=1, le=_MAX_KB, description="Most kB; a JPEG then.")


class WatermarkForm(_Form):
    """The parameters of POST /watermark."""

    text: str = Field("Hello", min_length=1, max_length=100)
    size: int = Field(20, ge=4, le=500)
    opacity: float = Field(0.5, ge=0, le=1)
    angle: float = Field(30, ge=-360, le=360)
    color: str = Field("#000000", max_length=20)
    space: int = Field(25, ge=0, le=1000)
    kb: int | None = Field(None, ge=1, le=_MAX_KB, description="Most kB; a JPEG then.")


class BytesForm(_Form):
    """The parameters of POST /set_kb."""

    kb: int = Field(50, ge=1, le=_MAX_KB, description="Most kB of the JPEG.")


def document(form: _Framed) -> Document:
    """The size with the head where the form's ratios put it, as a rule for the whole head.

    HivisionIDPhotos frames by the detector's box about the face: its share of the area, where its
    middle lies, and bounds for the margin above the hair, which win. Raises BadOrder.
    """
    if form.top_distance_min > form.top_distance_max:
        reason = "it is above top_distance_max"
        raise BadOrder("bad_parameter", name="top_distance_min", reason=reason)
    own = documents.custom(None, (form.width, form.height), form.dpi)
    box = math.sqrt(form.head_measure_ratio * form.width / form.height / _BOX_ASPECT)
    low, high = _HEAD_LIMITS
    head = min(max(box * _HEAD_PER_BOX, low), high)
    top = form.head_height_ratio - _ABOVE_MIDDLE * head
    least, most = form.top_distance_min, form.top_distance_max
    return replace(
        own,
        head_height=Bounds(head / _HEAD_SLACK, head * _HEAD_SLACK, head),
        eye_line=None,
        top_margin=Bounds(least, most, min(max(top, least), most)),
        crown="hair",
        face_width=None,
        pixel_limits=None,
    )


def install(app: FastAPI, studio: Studio) -> None:
    """Adds the seven routes."""
    settings = studio.settings
    max_pixels = min(settings.max_pixels, settings.max_cutout_side_px**2)

    def route(
        path: str, form: type[BaseModel]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        give_shape(app, path, _shaped)
        return app.post(
            path,
            tags=["HivisionIDPhotos"],
            response_class=JSONResponse,
            **takes(form, [_FILE], others=[_BASE64]),
        )

    async def received(request: Request, form: type[BaseModel]) -> tuple[bytes, Any, Any]:
        """The picture, the form, and the timings."""
        body = await read(studio, request, [_FILE])
        text, fields = taken(body.fields, _BASE64)
        wanted = forms.parse(form, fields)
        data = of_base64(text, _BASE64) if text else body.files.get(_FILE)
        if data is None:
            raise BadOrder("bad_parameter", name=_FILE, reason="the picture is missing")
        return data, wanted, body.timings

    def edit(edit: Any, form: Any) -> EditOrder:
        limit = orders.bytes_limit(None, getattr(form, "kb", None))
        return EditOrder(edit, form.dpi, limit[1] if limit else None, max_pixels)

    @route("/idphoto", IdPhotoForm)
    async def idphoto(request: Request) -> Response:
        """An ID photo on transparent ground, and with ``hd`` a second one as fine as the photo."""
        data, form, timings = await received(request, IdPhotoForm)
        clear = (colours.parse("transparent"),)
        finest_px = _FINEST_PX if form.hd else None
        finish = Finish(_adjustments(form))
        order = Order((document(form),), clear, "png", finish=finish, finest_px=finest_px)
        return _pair(await studio.photos(data, order, timings))

    @route("/idphoto_crop", CropForm)
    async def idphoto_crop(request: Request) -> Response:
        """A cut-out, or a picture with its background, cropped to an ID photo."""
        data, form, timings = await received(request, CropForm)
        crop = CropOut(document(form), _FINEST_PX if form.hd else None)
        return _pair(await studio.edits(data, edit(crop, form), timings))

    @route("/human_matting", MattingForm)
    async def human_matting(request: Request) -> Response:
        """The person on transparent ground."""
        data, _, timings = await received(request, MattingForm)
        order = StyledCutoutOrder("png", "rgba", settings.max_cutout_side_px)
        return _one(await studio.cutouts(data, order, timings))

    @route("/add_background", BackgroundForm)
    async def add_background(request: Request) -> Response:
        """A cut-out on a colour, or on one that fades to white."""
        data, form, timings = await received(request, BackgroundForm)
        return _one(await studio.edits(data, edit(PutOn(_ground(form)), form), timings))

    @route("/generate_layout_photos", LayoutForm)
    async def generate_layout_photos(request: Request) -> Response:
        """A 6-inch sheet filled with the photo, in true millimetres."""
        data, form, timings = await received(request, LayoutForm)
        order = orders.sheet_order(
            (),
            paper=papers.find("4r"),
            cut="none",
            format="jpeg" if form.kb else "png",
            dpi=form.dpi,
            size_mm=tuple(side * _MM_PER_INCH / form.dpi for side in (form.width, form.height)),
            max_kb=form.kb,
            as_is=True,
        )
        sheet = await studio.sheet(data, order, timings)
        return _said(image_base64=_url(sheet.data, sheet.media_type))

    @route("/watermark", WatermarkForm)
    async def watermark(request: Request) -> Response:
        """The picture with the text all over it."""
        data, form, timings = await received(request, WatermarkForm)
        colour = _colour(form.color)
        mark = Stamp(form.text, form.size, form.opacity, form.angle, colour, form.space)
        return _one(await studio.edits(data, edit(mark, form), timings))

    @route("/set_kb", BytesForm)
    async def set_kb(request: Request) -> Response:
        """The picture as a JPEG of at most so many kB: by its quality, and not padded."""
        data, form, timings = await received(request, BytesForm)
        return _one(await studio.edits(data, edit(Rewrite(), form), timings))


def _adjustments(form: IdPhotoForm) -> Adjustments:
    return Adjustments(
        brightness=round(form.brightness_strength),
        contrast=round(form.contrast_strength),
        saturation=round(form.saturation_strength),
        sharpness=round(form.sharpen_strength * _SHARPER),
    )


def _colour(text: str) -> tuple[int, int, int]:
    found = colours.parse(text)
    if found.rgb is None or found.shape != "plain":
        raise BadOrder("bad_parameter", name="color", reason="it takes a colour such as 638cce")
    return found.rgb


def _ground(form: BackgroundForm) -> Background:
    rgb = _colour(form.color)
    if form.render == "0":
        return Background("color", rgb)
    shape: Literal["vertical", "radial"] = "vertical" if form.render == "1" else "radial"
    return Background("color", rgb, shape, (255, 255, 255))


def _pair(made: tuple[IdPhoto, ...]) -> Response:
    names = ("image_base64_standard", "image_base64_hd")
    return _said(
        **{
            name: _url(photo.data, photo.media_type)
            for name, photo in zip(names, made, strict=False)
        }
    )


def _one(made: tuple[IdPhoto, ...]) -> Response:
    return _said(image_base64=_url(made[0].data, made[0].media_type))


def _url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _said(**pictures: str) -> Response:
    return JSONResponse({"status": True, **pictures})


def _shaped(answer: Response, error: IdPhotoError) -> Response:
    """The error as HivisionIDPhotos tells it: with 200 where the picture is at fault."""
    refused = isinstance(error, UnusablePhoto) or error.code in _OF_PICTURE
    text = error.text
    told = {"status": False, "error": text.title, "code": error.code, "hint": text.hint}
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("content-length", "content-type")
    }
    return JSONResponse(told, 200 if refused else answer.status_code, headers)
