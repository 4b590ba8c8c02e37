"""Orders out of what a person names: documents, backgrounds, sizes, papers."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline import adjust, colours, documents, papers
from pipeline.errors import BadOrder
from pipeline.finish_values import AS_IT_IS, PLAIN, Finish
from pipeline.papers import Paper
from pipeline.printing import pixels
from pipeline.sheet import Orientation, lay_out
from pipeline.sheet_values import Cut, SheetFormat, SheetOrder
from pipeline.values import (
    Background,
    Document,
    ImageFormat,
    Nudge,
    Order,
    Quality,
)

_FREE_SIZE_DPI = 300
# No source says whether a kB is 1000 or 1024 bytes, so limits hold either way.
_LEAST_KB, _MOST_KB = 1024, 1000
_NO_LIMIT = 1 << 40
SHEET_DPI_LIMITS = (300, 600)
_SHEET_DPI = 300
# A4 at 600 dpi; white paper is cheap to write, and 150 MB to hold.
_MAX_SHEET_PX = 36_000_000


def photo_order(
    names: Sequence[str],
    backgrounds: Sequence[str] = (),
    *,
    format: ImageFormat | None = None,
    quality: Quality = "best",
    dpi: int | None = None,
    size_mm: tuple[float, float] | None = None,
    size_px: tuple[float, float] | None = None,
    min_kb: int | None = None,
    max_kb: int | None = None,
    progressive: bool = False,
    nudge: Nudge | None = None,
    finish: Finish = PLAIN,
    background_image: bytes | None = None,
) -> Order:
    """The order of these documents, or of a free size, in these backgrounds, each named once.

    No background is each document's own, or the image where there is one; no format is jpeg, or png
    where a background is transparent. ``dpi`` chooses the pixels, the millimetres stay the
    documents'. Of ``min_kb``, ``max_kb`` and a document's own limits the stricter counts. Raises
    BadOrder.
    """
    wanted = named(names)
    if size_mm or size_px:
        if wanted:
            raise BadOrder("bad_parameter", name="document", reason="a size is given as well")
        wanted = (_free_size(size_mm, size_px, dpi),)
    elif dpi is not None:
        wanted = tuple(documents.at_dpi(document, dpi) for document in wanted)
    if not wanted:
        raise BadOrder("bad_parameter", name="document", reason="give a document or a size")
    if background_image is not None and not backgrounds:
        backgrounds = (colours.IMAGE,)
    chosen = tuple(dict.fromkeys(colours.parse(name) for name in backgrounds))
    _require_image(chosen, background_image)
    for document in wanted:
        _require_allowed(document, chosen, finish)
    transparent = any(background.rgb is None for background in chosen)
    if transparent and format == "jpeg":
        raise BadOrder("transparent_jpeg")
    limit = bytes_limit(min_kb, max_kb)
    if limit is not None:
        wanted = tuple(_limited(document, limit) for document in wanted)
    made = format or ("png" if transparent else "jpeg")
    if progressive and made != "jpeg":
        raise BadOrder("bad_parameter", name="progressive", reason="it is for JPEG")
    return Order(
        wanted,
        chosen,
        made,
        quality,
        limit,
        progressive,
        nudge=nudge,
        finish=finish,
        background_image=background_image,
    )


def sheet_order(
    names: Sequence[str],
    backgrounds: Sequence[str] = (),
    *,
    paper: Paper,
    counts: Sequence[int] = (),
    orientation: Orientation = "auto",
    gap_mm: float = 2.0,
    margin_mm: float = 3.0,
    cut: Cut = "marks",
    format: SheetFormat = "jpeg",
    quality: Quality = "best",
    dpi: int = 300,
    size_mm: tuple[float, float] | None = None,
    max_kb: int | None = None,
    progressive: bool = False,
    nudge: Nudge | None = None,
    finish: Finish = PLAIN,
    background_image: bytes | None = None,
    as_is: bool = False,
) -> SheetOrder:
    """A sheet with these documents, or a free size, in these backgrounds, in true millimetres.

    ``counts`` is one number for all kinds of photos, or one for each, documents first; without it
    the paper is filled. Raises BadOrder.
    """
    low, high = SHEET_DPI_LIMITS
    if not low <= dpi <= high:
        raise BadOrder("bad_parameter", name="dpi", reason=f"outside {low} to {high} dpi")
    _require_sheet_px(paper, dpi)
    photos = photo_order(
        names,
        backgrounds,
        quality=quality,
        size_mm=size_mm,
        nudge=nudge,
        finish=finish,
        background_image=background_image,
    )
    if as_is:
        _require_untouched(photos)
    if progressive and format != "jpeg":
        raise BadOrder("bad_parameter", name="progressive", reason="it is for JPEG")
    exact = _on_paper(replace(photos, progressive=progressive), dpi)
    sizes_mm = _sizes_mm(exact)
    if len(counts) not in (0, 1, len(sizes_mm)):
        reason = f"give one number, or one for each of {len(sizes_mm)} kinds of photos"
        raise BadOrder("bad_parameter", name="count", reason=reason)
    each = list(counts) * len(sizes_mm) if len(counts) == 1 else list(counts)
    layout = lay_out(
        paper.size_mm,
        sizes_mm,
        each,
        orientation=orientation,
        gap_mm=gap_mm,
        margin_mm=margin_mm,
    )
    most = None if max_kb is None else max_kb * _MOST_KB
    return SheetOrder(exact, paper.id, layout, dpi, cut, format, most, as_is)


def with_sheet(order: Order, sheet: str) -> SheetOrder:
    """What the order wants as files, and a sheet of that paper, as ``papers.parse`` reads it, which
    is filled with the same photos: a JPEG at 300 dpi, with marks. Raises BadOrder.
    """
    exact = replace(_on_paper(order, _SHEET_DPI), bytes_limit=None, progressive=False)
    try:
        paper = papers.parse(sheet)
        _require_sheet_px(paper, _SHEET_DPI)
        layout = lay_out(paper.size_mm, _sizes_mm(exact))
    except BadOrder as error:
        # Whatever the paper is called elsewhere.
        raise BadOrder(error.code, **{**error.details, "name": "sheet"}) from None
    return SheetOrder(exact, paper.id, layout, _SHEET_DPI, "marks", "jpeg", files=order)


def _require_sheet_px(paper: Paper, dpi: int) -> None:
    """Raises BadOrder where the paper has too many pixels."""
    width, height = pixels(paper.size_mm, dpi)
    if width * height > _MAX_SHEET_PX:
        reason = f"{width}x{height} pixels are more than {_MAX_SHEET_PX // 1_000_000} million"
        raise BadOrder("bad_parameter", name="dpi", reason=reason)


def _on_paper(photos: Order, dpi: int) -> Order:
    """The order of these photos in true millimetres. Raises BadOrder."""
    if any(background.rgb is None for background in photos.backgrounds):
        raise BadOrder("bad_parameter", name="background", reason="paper is not transparent")
    exact = tuple(
        # Bytes and pixels are rules for files; on paper the millimetres count.
        replace(document, size_px=pixels(document.size_mm, dpi), dpi=dpi, bytes_limit=None)
        for document in photos.documents
    )
    return replace(photos, documents=exact)


def _sizes_mm(photos: Order) -> list[tuple[float, float]]:
    """Of each kind of photo, documents first."""
    each = range(max(1, len(photos.backgrounds)))
    return [document.size_mm for document in photos.documents for _ in each]


def _require_image(chosen: Sequence[Background], image: bytes | None) -> None:
    named = any(background.shape == "image" for background in chosen)
    if named and image is None:
        raise BadOrder("bad_parameter", name="background", reason="there is no background_image")
    if image is not None and not named:
        reason = "background has to be image, or nothing"
        raise BadOrder("bad_parameter", name="background_image", reason=reason)


def _require_allowed(document: Document, chosen: Sequence[Background], finish: Finish) -> None:
    """Raises BadOrder where the document's rule forbids a background or an adjustment."""
    for background in chosen:
        if document.plain_background and background.shape != "plain":
            raise BadOrder("background_forbidden", document=document.id, name=background.name)
    forbidden = adjust.forbidden(finish.adjustments, document.retouching)
    if forbidden:
        raise BadOrder("retouching_forbidden", document=document.id, name=forbidden)


def _require_untouched(photos: Order) -> None:
    """Raises BadOrder where a finished photo would have to be made anew."""
    if len(photos.documents) != 1:
        raise BadOrder("bad_parameter", name="as_is", reason="one photo has one document")
    if photos.backgrounds or photos.nudge or photos.finish.adjustments != AS_IT_IS:
        reason = "a finished photo keeps its background, its crop and its colours"
        raise BadOrder("bad_parameter", name="as_is", reason=reason)


def named(names: Sequence[str]) -> tuple[Document, ...]:
    """The documents of these ids or aliases, each once. Raises BadOrder (``unknown_document``)."""
    return tuple(dict.fromkeys(documents.find(name) for name in names))


def bytes_limit(min_kb: int | None, max_kb: int | None) -> tuple[int, int] | None:
    """Fewest and most bytes, whether a kB is 1000 or 1024 of them; None where neither is given.

    Raises BadOrder.
    """
    if min_kb is None and max_kb is None:
        return None
    least = (min_kb or 0) * _LEAST_KB
    most = _NO_LIMIT if max_kb is None else max_kb * _MOST_KB
    limit = _narrowed((least, most))
    if limit is None:
        raise BadOrder("bad_parameter", name="min_kb", reason="it is above max_kb")
    return limit


def _limited(document: Document, limit: tuple[int, int]) -> Document:
    both = _narrowed(limit, *([document.bytes_limit] if document.bytes_limit else []))
    if both is None and document.bytes_limit:
        low, high = document.bytes_limit
        name = "max_kb" if limit[1] < low else "min_kb"
        reason = f"{document.id} takes a file of {low} to {high} bytes"
        raise BadOrder("bad_parameter", name=name, reason=reason)
    return replace(document, bytes_limit=both)


def _narrowed(*limits: tuple[int, int]) -> tuple[int, int] | None:
    """What all limits allow; None where that is nothing."""
    low, high = max(low for low, _ in limits), min(high for _, high in limits)
    if low <= high:
        return low, high
    # At least 40 kB and at most 40 kB: apart by no more than what a kB may be.
    if low * _MOST_KB <= high * _LEAST_KB:
        return high, low
    return None


def _free_size(
    size_mm: tuple[float, float] | None, size_px: tuple[float, float] | None, dpi: int | None
) -> Document:
    if size_px is None:
        document = documents.custom(size_mm, None, dpi or _FREE_SIZE_DPI)
        # Nobody has asked for so many pixels.
        return document if dpi else documents.free(document)
    width, height = size_px
    if not (width.is_integer() and height.is_integer()):
        raise BadOrder("bad_parameter", name="size_px", reason="pixels are whole numbers")
    return documents.custom(size_mm, (int(width), int(height)), dpi or _FREE_SIZE_DPI)
