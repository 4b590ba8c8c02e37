"""What requests may ask for, and how JSON answers look."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline import colours, documents
from pipeline.errors import BadOrder
from pipeline.values import Bounds, CutoutOrder, Document, Order


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
        "Default: the document's own.",
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
    max_side_px: int = Field(
        2048, ge=64, description="The longer side of the answer; pictures are never enlarged."
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
    wanted = [documents.find(name) for name in dict.fromkeys(form.document)]
    if form.size_mm or form.size_px:
        if form.document:
            raise BadOrder("bad_parameter", name="document", reason="a size is given as well")
        wanted = [_free_size(form)]
    if not wanted:
        raise BadOrder("bad_parameter", name="document", reason="give a document or a size")
    names = form.background or [wanted[0].background]
    backgrounds = tuple(dict.fromkeys(colours.parse(name) for name in names))
    if len(wanted) * len(backgrounds) > max_variants:
        reason = f"at most {max_variants} variants are made of one photo"
        raise BadOrder("bad_parameter", name="background", reason=reason)
    transparent = any(background.rgb is None for background in backgrounds)
    if transparent and form.format == "jpeg":
        raise BadOrder("transparent_jpeg")
    chosen = form.format or ("png" if transparent else "jpeg")
    return Order(tuple(wanted), backgrounds, chosen, form.dpi)


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
    return CutoutOrder(form.format, form.kind, form.max_side_px)


def _shown(text: str) -> str:
    return "".join(letter for letter in text[:60] if letter.isprintable())


class BoundsInfo(BaseModel):
    """A permitted interval, as fractions of the photo's height and in millimetres."""

    min: float
    max: float
    target: float
    min_mm: float
    max_mm: float


class DocumentInfo(BaseModel):
    """A document and where its rule wants the head."""

    id: str
    name_en: str
    name_zh: str
    country: str
    size_mm: tuple[float, float]
    size_px: tuple[int, int]
    dpi: int
    head_height: BoundsInfo
    eye_line_from_bottom: BoundsInfo | None
    top_margin: BoundsInfo | None
    crown: str
    background: str
    source: str
    source_date: str
    derived: bool


def document_info(document: Document) -> DocumentInfo:
    """The public view of a document."""

    def bounds(value: Bounds | None) -> BoundsInfo | None:
        if value is None:
            return None
        height_mm = document.size_mm[1]
        return BoundsInfo(
            min=round(value.min, 4),
            max=round(value.max, 4),
            target=round(value.target, 4),
            min_mm=round(value.min * height_mm, 1),
            max_mm=round(value.max * height_mm, 1),
        )

    head_height = bounds(document.head_height)
    assert head_height is not None
    return DocumentInfo(
        id=document.id,
        name_en=document.name_en,
        name_zh=document.name_zh,
        country=document.country,
        size_mm=document.size_mm,
        size_px=document.size_px,
        dpi=document.dpi,
        head_height=head_height,
        eye_line_from_bottom=bounds(document.eye_line),
        top_margin=bounds(document.top_margin),
        crown=document.crown,
        background=document.background,
        source=document.source,
        source_date=document.source_date,
        derived=document.derived,
    )


class FindingInfo(BaseModel):
    code: str
    detail: str
    detail_zh: str


class PhotoInfo(BaseModel):
    """One finished photo in a JSON answer."""

    document: str
    background: str
    media_type: str
    size_px: tuple[int, int]
    findings: list[FindingInfo]
    data_base64: str


class PhotosInfo(BaseModel):
    photos: list[PhotoInfo]
