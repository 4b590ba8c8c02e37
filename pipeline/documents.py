"""Which ID photos there are, and where their rules want the head.

The rules are data: ``documents.toml``, ``documents_cn.toml`` and the package passport-photo-specs,
read by ``document_rules``.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from pipeline import document_rules
from pipeline.document_rules import Catalogue, fold
from pipeline.errors import BadOrder
from pipeline.values import Document, SizeWH

SIZE_MM_LIMITS = (5.0, 300.0)
SIZE_PX_LIMITS = (32, 4096)
DPI_LIMITS = (72, 1200)
_FREE_DPI = (150, 600)


def all_documents() -> tuple[Document, ...]:
    """Every document: those with their own rule in the file's order, then the package's by id."""
    return _catalogue().documents


def find(id: str) -> Document:
    """The document of that id or alias, in whatever case; raises BadOrder unknown_document."""
    document = _catalogue().by_id.get(id.lower())
    if document is None:
        # The name comes from outside and is shown to people and written to logs.
        raise BadOrder("unknown_document", name="".join(filter(str.isprintable, id))[:60])
    return document


def search(words: str = "", country: str = "") -> tuple[Document, ...]:
    """The documents in which every word occurs, in the order of ``all_documents``.

    A word may be a part of an id or alias, of a name in English or Chinese, or of the country's
    code or name. ``country`` is the whole code or name of one. Case and accents do not count, and
    what is empty leaves nothing out.
    """
    catalogue = _catalogue()
    wanted, place = fold(words).split(), fold(country).strip()
    return tuple(
        document
        for document in catalogue.documents
        if (not place or place in catalogue.countries.get(document.country, ()))
        and all(word in catalogue.texts[document.id] for word in wanted)
    )


def custom(
    size_mm: tuple[float, float] | None = None, size_px: SizeWH | None = None, dpi: int = 300
) -> Document:
    """A photo of a free size, with the head rule of the size's family.

    Give one of ``size_mm`` and ``size_px``; the other follows from ``dpi``. Raises BadOrder
    bad_parameter for a size or density outside the limits.
    """
    _require("dpi", (dpi,), DPI_LIMITS, "dpi")
    if size_mm is not None and size_px is None:
        _require("size_mm", size_mm, SIZE_MM_LIMITS, "mm")
        size_px = document_rules.in_pixels(size_mm, dpi)
        _require("size_mm", size_px, SIZE_PX_LIMITS, f"pixels at {dpi} dpi")
    elif size_px is not None and size_mm is None:
        _require("size_px", size_px, SIZE_PX_LIMITS, "pixels")
        size_mm = document_rules.in_mm(size_px, dpi)
    else:
        raise BadOrder("bad_parameter", name="size_mm", reason="give either size_mm or size_px")
    row = {
        "id": "custom",
        "name": {"en": "Custom size", "zh": "自定义尺寸"},
        "country": "",
        "size_mm": size_mm,
        "size_px": size_px,
        "dpi": dpi,
        "background": "white",
        "plain_background": False,
    }
    return document_rules.derived(row, _catalogue().families, size_source="as ordered")


def at_dpi(document: Document, dpi: int) -> Document:
    """The document with the pixels that its millimetres have at that density, and no others.

    Raises BadOrder bad_parameter where these are too few, too many, or others than it accepts.
    """
    _require("dpi", (dpi,), DPI_LIMITS, "dpi")
    size_px = document_rules.in_pixels(document.size_mm, dpi)
    if dpi == document.dpi:
        size_px = document.size_px
    _require("dpi", size_px, SIZE_PX_LIMITS, f"pixels for {document.id}")
    if not _accepts(document, size_px):
        size = f"{size_px[0]}x{size_px[1]}"
        raise BadOrder("bad_parameter", name="dpi", reason=f"{document.id} takes no {size} pixels")
    return replace(document, size_px=size_px, dpi=dpi, pixel_limits=None)


def finer(document: Document, factor: float, longest_px: int) -> Document:
    """The document, of the same millimetres, with its pixels' number multiplied on each side as far
    as the longest side allows; never fewer than its own, nor bound to others that it accepts.
    """
    most = min(longest_px / max(document.size_px), DPI_LIMITS[1] / document.dpi)
    factor = max(1.0, min(factor, most))
    size_px = round(document.size_px[0] * factor), round(document.size_px[1] * factor)
    return replace(document, size_px=size_px, dpi=round(document.dpi * factor), pixel_limits=None)


def free(document: Document) -> Document:
    """The document with whatever pixels its millimetres have at 150 to 600 dpi."""
    smallest, largest = (document_rules.in_pixels(document.size_mm, dpi) for dpi in _FREE_DPI)
    low, high = SIZE_PX_LIMITS
    limits = (
        (max(low, smallest[0]), max(low, smallest[1])),
        (min(high, largest[0]), min(high, largest[1])),
    )
    return replace(document, pixel_limits=limits)


def densities(document: Document) -> tuple[int, ...]:
    """The dots per inch at which its millimetres have pixels that it accepts, upwards."""
    if document.pixel_limits is None:
        return (document.dpi,)
    size_mm = document.size_mm
    return tuple(
        dpi
        for dpi in range(DPI_LIMITS[0], DPI_LIMITS[1] + 1)
        if dpi == document.dpi or _accepts(document, document_rules.in_pixels(size_mm, dpi))
    )


def _accepts(document: Document, size_px: SizeWH) -> bool:
    if document.pixel_limits is None:
        return True
    smallest, largest = document.pixel_limits
    return all(
        low <= side <= high for low, side, high in zip(smallest, size_px, largest, strict=True)
    )


@cache
def _catalogue() -> Catalogue:
    return document_rules.load(document_rules.read())


def _require(name: str, values: Iterable[float], limits: tuple[float, float], unit: str) -> None:
    low, high = limits
    # Written so that NaN, which compares false to everything, is refused.
    if not all(low <= value <= high for value in values):
        raise BadOrder("bad_parameter", name=name, reason=f"outside {low:g} to {high:g} {unit}")
