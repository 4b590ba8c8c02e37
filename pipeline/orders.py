"""Orders out of what a person names: documents, backgrounds, sizes."""

from collections.abc import Sequence

from pipeline import colours, documents
from pipeline.errors import BadOrder
from pipeline.values import Document, ImageFormat, Order, Quality

_FREE_SIZE_DPI = 300


def photo_order(
    names: Sequence[str],
    backgrounds: Sequence[str] = (),
    *,
    format: ImageFormat | None = None,
    quality: Quality = "best",
    dpi: int | None = None,
    size_mm: tuple[float, float] | None = None,
    size_px: tuple[float, float] | None = None,
) -> Order:
    """The order of these documents, or of a free size, in these backgrounds, each named once.

    No background is each document's own; no format is jpeg, or png where a background is
    transparent. Raises BadOrder.
    """
    wanted = named(names)
    if size_mm or size_px:
        if wanted:
            raise BadOrder("bad_parameter", name="document", reason="a size is given as well")
        wanted = (_free_size(size_mm, size_px, dpi),)
    if not wanted:
        raise BadOrder("bad_parameter", name="document", reason="give a document or a size")
    chosen = tuple(dict.fromkeys(colours.parse(name) for name in backgrounds))
    transparent = any(background.rgb is None for background in chosen)
    if transparent and format == "jpeg":
        raise BadOrder("transparent_jpeg")
    made = format or ("png" if transparent else "jpeg")
    return Order(wanted, chosen, made, dpi, quality)


def named(names: Sequence[str]) -> tuple[Document, ...]:
    """The documents of these ids or aliases, each once. Raises BadOrder (``unknown_document``)."""
    return tuple(dict.fromkeys(documents.find(name) for name in names))


def _free_size(
    size_mm: tuple[float, float] | None, size_px: tuple[float, float] | None, dpi: int | None
) -> Document:
    if size_px is None:
        return documents.custom(size_mm, None, dpi or _FREE_SIZE_DPI)
    width, height = size_px
    if not (width.is_integer() and height.is_integer()):
        raise BadOrder("bad_parameter", name="size_px", reason="pixels are whole numbers")
    return documents.custom(size_mm, (int(width), int(height)), dpi or _FREE_SIZE_DPI)
