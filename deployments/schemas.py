"""What requests may ask for, and how JSON answers look."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline import colours, documents
from pipeline.errors import BadOrder
from pipeline.values import Bounds, Check, CutoutOrder, Document, Order, Quality, Result


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


class BoundsInfo(BaseModel):
    """A permitted interval, as fractions of the photo's height and in millimetres; ``face_width``
    as fractions of its width.
    """

    min: float
    max: float
    target: float
    min_mm: float
    max_mm: float


class DocumentInfo(BaseModel):
    """A document and where its rule wants the head. null is a rule that does not exist or is not
    known.
    """

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
    face_width: BoundsInfo | None
    crown: str
    background: str
    forbidden_backgrounds: list[str]
    bytes_limit: tuple[int, int] | None = Field(description="Fewest and most bytes of the file.")
    pixel_limits: tuple[tuple[int, int], tuple[int, int]] | None = Field(
        description="Smallest and largest size that is accepted, where more than size_px is."
    )
    source: str
    source_date: str
    note: str
    derived: bool = Field(description="Nothing but size and colour is the document's own.")
    head_derived: bool = Field(
        description="The head height is that of similar sizes, not the document's own."
    )


def document_info(document: Document) -> DocumentInfo:
    """The public view of a document."""
    width_mm, height_mm = document.size_mm

    def bounds(value: Bounds, side_mm: float) -> BoundsInfo:
        return BoundsInfo(
            min=round(value.min, 4),
            max=round(value.max, 4),
            target=round(value.target, 4),
            min_mm=round(value.min * side_mm, 1),
            max_mm=round(value.max * side_mm, 1),
        )

    eye_line, top_margin, face_width = document.eye_line, document.top_margin, document.face_width
    return DocumentInfo(
        id=document.id,
        name_en=document.name_en,
        name_zh=document.name_zh,
        country=document.country,
        size_mm=document.size_mm,
        size_px=document.size_px,
        dpi=document.dpi,
        head_height=bounds(document.head_height, height_mm),
        eye_line_from_bottom=bounds(eye_line, height_mm) if eye_line else None,
        top_margin=bounds(top_margin, height_mm) if top_margin else None,
        face_width=bounds(face_width, width_mm) if face_width else None,
        crown=document.crown,
        background=document.background,
        forbidden_backgrounds=list(document.forbidden_backgrounds),
        bytes_limit=document.bytes_limit,
        pixel_limits=document.pixel_limits,
        source=document.source,
        source_date=document.source_date,
        note=document.note,
        derived=document.derived,
        head_derived=document.head_derived,
    )


class TextInfo(BaseModel):
    en: str
    zh: str


class CheckInfo(BaseModel):
    """One property of a photo, held against its limits."""

    code: str
    title: TextInfo
    value: float | None
    unit: str
    min: float | None
    max: float | None
    result: Result
    hint: TextInfo | None = Field(description="What to do about it; null where it is passed.")


class PhotoInfo(BaseModel):
    """One finished photo in a JSON answer."""

    document: str
    background: str
    media_type: str
    size_px: tuple[int, int]
    checks: list[CheckInfo]
    data_base64: str


class PhotosInfo(BaseModel):
    photos: list[PhotoInfo]


class ReportInfo(BaseModel):
    """All checks of a photo for one document."""

    document: str
    result: Result = Field(description="The worst of the checks.")
    checks: list[CheckInfo]


class ReportsInfo(BaseModel):
    reports: list[ReportInfo]


def check_info(check: Check) -> CheckInfo:
    """The public view of a check."""

    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    return CheckInfo(
        code=check.code,
        title=TextInfo(en=check.title, zh=check.title_zh),
        value=rounded(check.value),
        unit=check.unit,
        min=rounded(check.min),
        max=rounded(check.max),
        result=check.result,
        hint=TextInfo(en=check.hint, zh=check.hint_zh) if check.hint else None,
    )
