"""The interface of ``rembg s``: https://github.com/danielgatis/rembg, as of version 2.0.86.

Its errors are ``{"detail": ...}``, which problem documents are, too.
"""

from typing import Literal

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from deployments import forms
from deployments.dropin.bodies import Studio, read, taken, takes
from deployments.dropin.fetch import Fetcher
from deployments.settings import Settings
from pipeline.cutout_values import StyledCutoutOrder
from pipeline.errors import BadOrder

PATH = "/api/remove"
_FILE = "file"
# What rembg runs where nobody says which, now and before 2.0.80: what stands here for "the best".
_DEFAULTS = ("bria-rmbg", "u2net")
_REFUSED = {
    "a": "closed-form matting takes minutes of a core; dc=true unmixes the edges' colours",
    "vm": "there is no ViTMatte here; dc=true unmixes the edges' colours",
}


class RembgForm(BaseModel):
    """The parameters of POST /api/remove, as form fields or in the query."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        None,
        max_length=60,
        description="The name of the service's saliency net, such as u2netp, or one of its other "
        "models: the saliency net alone, as rembg runs it. Default, as bria-rmbg and u2net: the "
        "service's own nets together.",
    )
    a: bool = Field(False, description="Alpha matting: not here.")
    af: int = Field(240, ge=0, le=255, description="Of alpha matting.")
    ab: int = Field(10, ge=0, le=255, description="Of alpha matting.")
    ae: int = Field(10, ge=0, description="Of alpha matting.")
    om: bool = Field(False, description="Only the mask, in grey.")
    ppm: bool = Field(False, description="A mask without half tones, its outline smoothed.")
    dc: bool = Field(False, description="The subject's own colours at its edges.")
    vm: bool = Field(False, description="ViTMatte: not here.")
    bgc: str | None = Field(
        None, max_length=20, description="Red, green, blue and alpha: 255,255,255,255."
    )
    extras: Literal["{}"] | None = Field(None, description="Arguments of nets: none here.")


class RembgQuery(RembgForm):
    """The parameters of GET /api/remove."""

    url: str = Field(max_length=2000)


def order(form: RembgForm, settings: Settings) -> StyledCutoutOrder:
    """What the form asks for. Raises BadOrder."""
    for name, reason in _REFUSED.items():
        if getattr(form, name):
            raise BadOrder("bad_parameter", name=name, reason=reason)
    own = settings.nets.get("saliency")
    if form.model not in (None, own, *_DEFAULTS, *settings.models):
        known = ", ".join(name for name in (own, *_DEFAULTS, *settings.models) if name)
        raise BadOrder("bad_parameter", name="model", reason=f"it takes {known}")
    other = settings.models.get(form.model or "")
    alone = "saliency" in other.nets if other else form.model is not None and form.model == own
    return StyledCutoutOrder(
        "png",
        "mask" if form.om else "rgba",
        settings.max_cutout_side_px,
        matte="saliency" if alone else "fused",
        colours="own" if form.dc else "seen",
        hard=form.ppm,
        unscaled=True,
        ground=_colour(form.bgc) if form.bgc and not form.om else None,
        model=form.model if other else None,
    )


def install(app: FastAPI, studio: Studio, fetcher: Fetcher) -> None:
    """Adds GET and POST /api/remove."""
    settings = studio.settings
    picture = {200: {"content": {"image/png": {}}, "description": "The cut-out or its mask."}}
    described = {"tags": ["rembg"], "response_class": Response, "responses": picture}

    async def answer(data: bytes, form: RembgForm, timings: dict[str, float]) -> Response:
        wanted = order(form, settings)
        (made,) = await studio.cutouts(data, wanted, timings)
        asked = settings.models[wanted.model].nets if wanted.model else settings.nets
        alone = wanted.matte == "saliency"
        names = [asked["saliency"]] if alone else list(asked.values())
        return Response(made.data, media_type=made.media_type, headers={"X-Model": "+".join(names)})

    @app.post(PATH, **described, **takes(RembgForm, [_FILE]))  # type: ignore[arg-type]
    async def remove(request: Request) -> Response:
        """The subject on transparent ground, in the size of the picture, as ``rembg s`` answers."""
        body = await read(studio, request, [_FILE])
        form = forms.parse(RembgForm, body.fields)
        if _FILE not in body.files:
            raise BadOrder("bad_parameter", name=_FILE, reason="the picture is missing")
        return await answer(body.files[_FILE], form, body.timings)

    parameters = [
        {"name": name, "in": "query", "required": name == "url", "schema": schema}
        for name, schema in RembgQuery.model_json_schema()["properties"].items()
    ]

    @app.get(PATH, **described, openapi_extra={"parameters": parameters})  # type: ignore[arg-type]
    async def remove_of(request: Request) -> Response:
        """The same of a picture at an address, from the hosts that the settings allow."""
        studio.require_room()
        url, fields = taken(request.query_params.multi_items(), "url")
        form = forms.parse(RembgForm, fields)
        if not url:
            raise BadOrder("bad_parameter", name="url", reason="it is missing")
        order(form, settings)
        return await answer(await fetcher.get(url), form, {})


def _colour(text: str) -> tuple[int, int, int, int]:
    parts = text.split(",")
    if text.isascii() and len(parts) in (3, 4) and all(part.strip().isdecimal() for part in parts):
        values = [int(part) for part in parts] + [255]
        if max(values) <= 255:
            return values[0], values[1], values[2], values[3]
    raise BadOrder("bad_parameter", name="bgc", reason="it takes red,green,blue,alpha up to 255")
