"""Photos and sheets of a person who is kept, or of a photo whose person is to be kept."""

from typing import Any, Protocol

from pydantic import Field
from starlette.requests import Request

from deployments.forms import ModelField, PhotoForm, SheetForm
from deployments.settings import Settings
from deployments.tokens import Cutout
from pipeline.errors import BadOrder
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import IdPhoto, Order

CUTOUT_FIELD = "cutout"
_REUSE = "Keep the cut-out for further orders; the answer's X-Cutout holds its token."
_CUTOUT = "The token of a kept cut-out, instead of a photo."


class PhotoRequest(PhotoForm):
    """The parameters of POST /v1/photos."""

    model: ModelField = None
    reuse: bool = Field(False, description=_REUSE)
    cutout: str | None = Field(None, max_length=200, description=_CUTOUT)
    sheet: str | None = Field(
        None,
        max_length=40,
        description="A paper of POST /v1/sheets, such as 4r: the answer, a zip or JSON, also holds "
        "a sheet of it with these photos, as JPEG at 300 dpi.",
    )


class SheetRequest(SheetForm):
    """The parameters of POST /v1/sheets."""

    model: ModelField = None
    reuse: bool = Field(False, description=_REUSE)
    cutout: str | None = Field(None, max_length=200, description=_CUTOUT)


class Studio(Protocol):
    """What a Gateway does with photos and with kept people."""

    settings: Settings

    async def photos(
        self, data: bytes, order: Order, timings: dict[str, float]
    ) -> tuple[IdPhoto, ...]: ...

    async def sheet(
        self, data: bytes, order: SheetOrder, timings: dict[str, float]
    ) -> PrintSheet: ...

    async def kept_photos(
        self, data: bytes, order: Order, owner: str | None, timings: dict[str, float]
    ) -> tuple[tuple[IdPhoto, ...], Cutout | None]: ...

    async def kept_sheet(
        self, data: bytes, order: SheetOrder, owner: str | None, timings: dict[str, float]
    ) -> tuple[PrintSheet, Cutout | None]: ...

    async def again(
        self,
        token: str,
        order: Order | SheetOrder,
        owner: str | None,
        timings: dict[str, float],
    ) -> tuple[Any, Cutout]: ...


async def photos(
    studio: Studio,
    request: Request,
    data: bytes,
    form: PhotoRequest,
    order: Order,
    timings: dict[str, float],
) -> tuple[tuple[IdPhoto, ...], Cutout | None]:
    """Every variant, and what the client is told of the person who is kept, if one is.

    Raises BadOrder where the request does not fit together, and what the studio raises.
    """
    _require(studio.settings, form, data)
    owner: str | None = request.state.key_name
    if form.cutout is not None:
        return await studio.again(form.cutout, order, owner, timings)
    if form.reuse:
        return await studio.kept_photos(data, order, owner, timings)
    return await studio.photos(data, order, timings), None


async def sheet(
    studio: Studio,
    request: Request,
    data: bytes,
    form: PhotoRequest | SheetRequest,
    order: SheetOrder,
    timings: dict[str, float],
) -> tuple[PrintSheet, Cutout | None]:
    """The sheet, as ``photos``."""
    _require(studio.settings, form, data)
    owner: str | None = request.state.key_name
    if form.cutout is not None:
        return await studio.again(form.cutout, order, owner, timings)
    if form.reuse:
        return await studio.kept_sheet(data, order, owner, timings)
    return await studio.sheet(data, order, timings), None


def _require(settings: Settings, form: PhotoRequest | SheetRequest, data: bytes) -> None:
    if form.cutout is not None and data:
        raise BadOrder("bad_parameter", name="cutout", reason="a photo is sent as well")
    if form.cutout is not None and form.model is not None:
        raise BadOrder("bad_parameter", name="model", reason="the cut-out is made already")
    if settings.cutouts is None and (form.reuse or form.cutout is not None):
        name = "cutout" if form.cutout is not None else "reuse"
        raise BadOrder("bad_parameter", name=name, reason="this service keeps no cut-outs")
    wanted = form.reuse or form.cutout is not None or form.model is not None
    if isinstance(form, SheetRequest) and form.as_is and wanted:
        raise BadOrder("bad_parameter", name="as_is", reason="nothing is cut out")
