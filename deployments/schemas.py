"""How JSON answers look."""

from datetime import UTC, datetime

from pydantic import BaseModel, Field

from deployments.tokens import Cutout
from pipeline.finish_values import Adjusted, Retouching
from pipeline.values import Bounds, Check, Chroma, Document, Encoding, Nudge, Quality, Result


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
    plain_background: bool = Field(description="Gradients and pictures are refused.")
    retouching: Retouching = Field(
        description="What may be adjusted: any, the tone (brightness, contrast, colour), or none."
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
        plain_background=document.plain_background,
        retouching=document.retouching,
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


class FileInfo(BaseModel):
    """How a file was written, which is what was done to meet min_kb and max_kb."""

    bytes: int
    dpi: int
    quality: int | None = Field(description="Of JPEG and WebP, 1 to 100; null: nothing is lost.")
    chroma: Chroma | None = Field(description="The resolution of colour; 4:4:4 is the full one.")
    progressive: bool


class NudgeInfo(BaseModel):
    """How far a crop was moved, within the document's rule; shifts are those of the eyes."""

    zoom: float
    shift_x: float
    shift_y: float
    turn: float


class CutoutInfo(BaseModel):
    """A cut-out that is kept for further orders."""

    token: str
    expires_at: datetime


class AdjustmentsInfo(BaseModel):
    """What was done to the person's light and colour (docs/adjustments.md)."""

    brightness: int
    contrast: int
    saturation: int
    sharpness: int
    fill_light: float = Field(description="L* that the right cheek was lifted; below 0 the left.")
    white_balance: tuple[float, float, float] | None = Field(
        description="Factors on linear red, green and blue."
    )


class PhotoInfo(BaseModel):
    """One finished photo in a JSON answer."""

    document: str
    background: str
    media_type: str
    size_px: tuple[int, int]
    quality: Quality
    file: FileInfo | None
    checks: list[CheckInfo]
    nudge: NudgeInfo | None = Field(None, description="What was applied; null: none was asked.")
    adjustments: AdjustmentsInfo | None = Field(None, description="null: nothing was adjusted.")
    data_base64: str


class SheetPhotoInfo(BaseModel):
    """One kind of photo on a sheet."""

    document: str
    background: str
    size_mm: tuple[float, float]
    count: int
    checks: list[CheckInfo]
    nudge: NudgeInfo | None = None
    adjustments: AdjustmentsInfo | None = None


class SheetInfo(BaseModel):
    """A sheet for print in a JSON answer."""

    paper: str
    size_mm: tuple[float, float] = Field(description="As it is to be held.")
    size_px: tuple[int, int]
    media_type: str
    quality: Quality
    file: FileInfo
    photos: list[SheetPhotoInfo]
    cutout: CutoutInfo | None = None
    data_base64: str


class PhotosInfo(BaseModel):
    photos: list[PhotoInfo]
    sheet: SheetInfo | None = Field(None, description="null: none was asked.")
    cutout: CutoutInfo | None = Field(None, description="null: none is kept.")


class ProblemInfo(BaseModel):
    """Why there is no answer, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; the README lists all.")
    hint: str
    request_id: str


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


def nudge_info(nudge: Nudge | None) -> NudgeInfo | None:
    """The public view of what was applied of a nudge."""
    if nudge is None:
        return None
    return NudgeInfo(
        zoom=round(nudge.zoom, 4),
        shift_x=round(nudge.shift_x, 2),
        shift_y=round(nudge.shift_y, 2),
        turn=round(nudge.turn, 2),
    )


def cutout_info(cutout: Cutout | None) -> CutoutInfo | None:
    """The public view of a kept cut-out; its end in whole seconds, in UTC."""
    if cutout is None:
        return None
    ends = datetime.fromtimestamp(int(cutout.expires_at), UTC)
    return CutoutInfo(token=cutout.token, expires_at=ends)


def adjustments_info(adjusted: Adjusted) -> AdjustmentsInfo | None:
    """The public view of what was done; None where it is nothing."""
    if adjusted.none:
        return None
    return AdjustmentsInfo(
        brightness=adjusted.brightness,
        contrast=adjusted.contrast,
        saturation=adjusted.saturation,
        sharpness=adjusted.sharpness,
        fill_light=round(adjusted.fill_light, 2),
        white_balance=adjusted.gains,
    )


def file_info(data: bytes, encoding: Encoding) -> FileInfo:
    """The public view of how a file was written."""
    return FileInfo(
        bytes=len(data),
        dpi=encoding.dpi,
        quality=encoding.quality,
        chroma=encoding.chroma,
        progressive=encoding.progressive,
    )
