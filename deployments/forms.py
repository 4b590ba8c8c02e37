"""What requests may ask for: the parameters of each route, and the orders that they mean."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline import colours, documents
from pipeline.errors import BadOrder
from pipeline.values import CutoutOrder, Document, Order, Quality


def _numbers(text: object) -> object:
    """The two numbers of ``35x45``."""
    if not isinstance(text, str):
        return text
    parts = text.lower().replace("×", "x").replace("*", "x").split("x")
    try:
        numbers = tuple(float(part) for part in parts)
    except ValueError:
        numbers = ()
    if len(numbers) != 2 or not all(math.isfinite(number) and number > 0 for number in numbers):
        raise ValueError("it takes width x height, such as 35x45")
    return numbers


SizeText = Annotated[
    tuple[float, float], BeforeValidator(_numbers), Field(json_schema_extra={"type": "string"})
]


class PhotoForm(BaseModel):
    """The parameters of POST /v1/photos, as form fields or in the query."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: list[str] = Field([], description="Document ids from /v1/documents; repeatable.")
    background: list[str] = Field(
        [],
        description="Colour names or #rrggbb, or transparent; repeatable. "
        "Default: each document's own.",
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
        description="Dots per inch: written into the file, and turns size_mm into pixels.",
    )


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
        if field.annotation == list[str]:
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


def photo_order(form: PhotoForm, max_variants: int) -> Order:
    """What the form asks for. Raises BadOrder."""
    wanted = _named(form.document)
    if form.size_mm or form.size_px:
        if form.document:
            raise BadOrder("bad_parameter", name="document", reason="a size is given as well")
        wanted = [_free_size(form)]
    if not wanted:
        raise BadOrder("bad_parameter", name="document", reason="give a document or a size")
    backgrounds = tuple(dict.fromkeys(colours.parse(name) for name in form.background))
    _limit(len(wanted) * max(1, len(backgrounds)), max_variants, "background")
    transparent = any(background.rgb is None for background in backgrounds)
    if transparent and form.format == "jpeg":
        raise BadOrder("transparent_jpeg")
    chosen = form.format or ("png" if transparent else "jpeg")
    return Order(tuple(wanted), backgrounds, chosen, form.dpi, form.quality)


def check_order(form: CheckForm, max_documents: int) -> Order:
    """The documents that the form asks about. Raises BadOrder."""
    wanted = _named(form.document)
    if not wanted:
        raise BadOrder("bad_parameter", name="document", reason="give a document")
    _limit(len(wanted), max_documents, "document")
    return Order(tuple(wanted), (), "jpeg", quality=form.quality)


def _named(names: list[str]) -> list[Document]:
    return [documents.find(name) for name in dict.fromkeys(names)]


def _limit(variants: int, max_variants: int, name: str) -> None:
    if variants > max_variants:
        reason = f"at most {max_variants} variants are made of one photo"
        raise BadOrder("bad_parameter", name=name, reason=reason)


def _free_size(form: PhotoForm) -> Document:
    size_px = form.size_px
    if size_px and any(side != int(side) for side in size_px):
        raise BadOrder("bad_parameter", name="size_px", reason="pixels are whole numbers")
    return documents.custom(
        form.size_mm, (int(size_px[0]), int(size_px[1])) if size_px else None, form.dpi or 300
    )


def cutout_order(form: CutoutForm, max_side_px: int) -> CutoutOrder:
    """What the form asks for, with the side at most the service's."""
    if form.max_side_px > max_side_px:
        raise BadOrder("bad_parameter", name="max_side_px", reason=f"at most {max_side_px}")
    return CutoutOrder(form.format, form.kind, form.max_side_px, form.quality)


def _shown(text: str) -> str:
    return "".join(letter for letter in text[:60] if letter.isprintable())
