"""What requests may ask for: the parameters of each route, and the orders that they mean."""

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from deployments.finish_forms import FinishForm, finish
from pipeline import orders, papers
from pipeline.errors import BadOrder
from pipeline.sheet_values import Cut, SheetFormat, SheetOrder
from pipeline.values import (
    NUDGE_LIMITS,
    CutoutOrder,
    Nudge,
    Order,
    Quality,
)


def _size(value: object) -> object:
    return _numbers(value) if isinstance(value, str) else value


def _numbers(text: str) -> tuple[float, float]:
    """The two numbers of ``35x45``. Raises ValueError."""
    parts = text.lower().replace("×", "x").replace("*", "x").split("x")
    try:
        width, height = (float(part) for part in parts)
    except ValueError:
        width = height = math.nan
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ValueError("it takes width x height, such as 35x45")
    return width, height


_OrderT = TypeVar("_OrderT", Order, SheetOrder, CutoutOrder)
_MAX_KB = 100_000
SizeText = Annotated[
    tuple[float, float], BeforeValidator(_size), Field(json_schema_extra={"type": "string"})
]


def _nudge(name: str, description: str) -> Any:
    least, most = NUDGE_LIMITS[name]
    return Field(ge=least, le=most, description=description)


Zoom = Annotated[
    float, _nudge("zoom", "Factor on the size of the head, within the document's rule.")
]
ShiftX = Annotated[float, _nudge("shift_x", "Percent of the width; positive: to the right.")]
ShiftY = Annotated[
    float, _nudge("shift_y", "Percent of the height; positive: down; within the document's rule.")
]
Turn = Annotated[float, _nudge("turn", "Degrees, clockwise, on top of the levelling of the eyes.")]


ModelField = Annotated[
    str | None,
    Field(max_length=40, description="One of the operator's other models (docs/models.md)."),
]


class PhotoForm(FinishForm):
    """The parameters of POST /v1/photos, as form fields or in the query."""

    document: list[str] = Field([], description="Document ids from /v1/documents; repeatable.")
    background: list[str] = Field(
        [],
        description="Colour names or #rrggbb, transparent, gradient:#rrggbb-#rrggbb, "
        "radial:#rrggbb-#rrggbb or image; repeatable. Default: each document's own.",
    )
    size_mm: SizeText | None = Field(
        None, description="A free size, such as 35x45, instead of a document."
    )
    size_px: SizeText | None = Field(
        None, description="A free size, such as 413x531, instead of a document."
    )
    format: Literal["jpeg", "png", "webp"] | None = Field(
        None, description="Default: jpeg, or png where a background is transparent."
    )
    quality: Quality = Field(
        "best", description="fast asks the person net alone, which is much cheaper."
    )
    dpi: int | None = Field(
        None,
        ge=72,
        le=1200,
        description="Dots per inch: turns millimetres, also a document's, into pixels.",
    )
    min_kb: int | None = Field(
        None, ge=1, le=_MAX_KB, description="Fewest kB of each file; files are never padded."
    )
    max_kb: int | None = Field(None, ge=1, le=_MAX_KB, description="Most kB of each file.")
    progressive: bool = Field(False, description="JPEGs that appear coarse first.")
    zoom: Zoom = 1
    shift_x: ShiftX = 0
    shift_y: ShiftY = 0
    turn: Turn = 0


class SheetForm(FinishForm):
    """The parameters of POST /v1/sheets."""

    document: list[str] = Field([], description="Document ids from /v1/documents; repeatable.")
    background: list[str] = Field(
        [],
        description="As of POST /v1/photos, but not transparent. Default: each document's own.",
    )
    size_mm: SizeText | None = Field(
        None, description="A free size, such as 35x45, instead of a document."
    )
    paper: str = Field(
        "4r",
        max_length=40,
        description="3r (5-inch), 4r (6-inch), 5r, a6, a5, a4, letter, or millimetres: 100x150.",
    )
    orientation: Literal["auto", "portrait", "landscape"] = Field(
        "auto", description="auto: whichever holds more."
    )
    count: list[Annotated[int, Field(ge=1, le=1000)]] = Field(
        [],
        description="Photos of each kind: one number, or one for each document and background. "
        "Default: the paper is filled.",
    )
    gap_mm: float = Field(2, ge=0, le=50, description="Between photos.")
    margin_mm: float = Field(3, ge=0, le=50, description="Around them, at least.")
    cut: Cut = Field("marks", description="What shows where to cut, outside of the photos.")
    format: SheetFormat = "jpeg"
    quality: Quality = "best"
    dpi: int = Field(300, ge=300, le=600)
    max_kb: int | None = Field(None, ge=1, le=_MAX_KB, description="Most kB of the file.")
    progressive: bool = Field(False, description="A JPEG that appears coarse first.")
    as_is: bool = Field(
        False, description="The picture is a finished ID photo: print it, and change nothing."
    )
    zoom: Zoom = 1
    shift_x: ShiftX = 0
    shift_y: ShiftY = 0
    turn: Turn = 0


class CutoutForm(BaseModel):
    """The parameters of POST /v1/cutouts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["png", "webp"] = "png"
    kind: Literal["rgba", "mask"] = Field(
        "rgba", description="The subject on transparent ground, or its mask in grey."
    )
    quality: Quality = "best"
    max_side_px: int = Field(
        2048, ge=64, description="The longer side of the answer; pictures are never enlarged."
    )
    model: ModelField = None


class CheckForm(BaseModel):
    """The parameters of POST /v1/checks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: list[str] = Field(
        ["icao-portrait"], description="Document ids from /v1/documents; repeatable."
    )
    as_is: bool = Field(
        False, description="Judge the picture as a finished photo, not what would be made of it."
    )
    quality: Quality = "best"


class DocumentQuery(BaseModel):
    """The parameters of GET /v1/documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field(
        "",
        max_length=100,
        description="Words that all occur in the id, a name in English or Chinese, or the country.",
    )
    country: str = Field(
        "",
        max_length=60,
        description="The code or name of one country, such as fr, France or 法国.",
    )


def parse(form: type[BaseModel], fields: list[tuple[str, str]]) -> Any:
    """The form with these fields. Raises BadOrder (``unknown_parameter``, ``bad_parameter``)."""
    values: dict[str, Any] = {}
    for name, value in fields:
        field = form.model_fields.get(name)
        if field is None:
            raise BadOrder("unknown_parameter", name=_shown(name))
        if get_origin(field.annotation) is list:
            values.setdefault(name, []).extend(part for part in value.split(",") if part.strip())
        elif name in values:
            raise BadOrder("bad_parameter", name=name, reason="it is given twice")
        else:
            values[name] = value
    try:
        return form.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        raise BadOrder("bad_parameter", name=str(first["loc"][0]), reason=reason) from None


def photo_order(form: PhotoForm, max_variants: int, background_image: bytes | None = None) -> Order:
    """What the form asks for, with the file of a background. Raises BadOrder."""
    order = orders.photo_order(
        form.document,
        form.background,
        format=form.format,
        quality=form.quality,
        dpi=form.dpi,
        size_mm=form.size_mm,
        size_px=form.size_px,
        min_kb=form.min_kb,
        max_kb=form.max_kb,
        progressive=form.progressive,
        nudge=_nudge_of(form),
        finish=finish(form),
        background_image=background_image,
    )
    _limit(_variants(order), max_variants, "background")
    return order


def sheet_order(
    form: SheetForm, max_variants: int, background_image: bytes | None = None
) -> SheetOrder:
    """What the form asks for, with the file of a background. Raises BadOrder."""
    _limit(len(form.document) * max(1, len(form.background)), max_variants, "background")
    return orders.sheet_order(
        form.document,
        form.background,
        paper=papers.parse(form.paper),
        counts=form.count,
        orientation=form.orientation,
        gap_mm=form.gap_mm,
        margin_mm=form.margin_mm,
        cut=form.cut,
        format=form.format,
        quality=form.quality,
        dpi=form.dpi,
        size_mm=form.size_mm,
        max_kb=form.max_kb,
        progressive=form.progressive,
        nudge=_nudge_of(form),
        finish=finish(form),
        background_image=background_image,
        as_is=form.as_is,
    )


def _nudge_of(form: PhotoForm | SheetForm) -> Nudge | None:
    """None where the form names none of its parameters."""
    if not form.model_fields_set & NUDGE_LIMITS.keys():
        return None
    return Nudge(form.zoom, form.shift_x, form.shift_y, form.turn)


def check_order(form: CheckForm, max_documents: int) -> Order:
    """The documents that the form asks about. Raises BadOrder."""
    wanted = orders.named(form.document)
    if not wanted:
        raise BadOrder("bad_parameter", name="document", reason="give a document")
    _limit(len(wanted), max_documents, "document")
    return Order(wanted, (), "jpeg", quality=form.quality)


def _variants(order: Order) -> int:
    return len(order.documents) * max(1, len(order.backgrounds))


def _limit(variants: int, max_variants: int, name: str) -> None:
    if variants > max_variants:
        reason = f"at most {max_variants} variants are made of one photo"
        raise BadOrder("bad_parameter", name=name, reason=reason)


def cutout_order(form: CutoutForm, max_side_px: int) -> CutoutOrder:
    """What the form asks for, with the side at most the service's."""
    if form.max_side_px > max_side_px:
        raise BadOrder("bad_parameter", name="max_side_px", reason=f"at most {max_side_px}")
    return CutoutOrder(form.format, form.kind, form.max_side_px, form.quality)


def with_model(order: _OrderT, name: str | None, known: Collection[str]) -> _OrderT:
    """The order with that model, one of the ``known``. Raises BadOrder."""
    if name is None:
        return order
    if name not in known:
        reason = f"it takes {', '.join(sorted(known))}" if known else "this service has none"
        raise BadOrder("bad_parameter", name="model", reason=reason)
    if isinstance(order, SheetOrder):
        return order.each(lambda photos: replace(photos, model=name))
    return replace(order, model=name)


def _shown(text: str) -> str:
    return "".join(letter for letter in text[:60] if letter.isprintable())
