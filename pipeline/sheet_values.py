"""The values of sheets for print, as ``values`` has those of photos:

sizes in mm -> Layout -> SheetOrder -> PrintSheet
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pipeline.finish_values import UNADJUSTED, Adjusted
from pipeline.values import Check, Encoding, IdPhoto, Nudge, Order, PointXY, Quality, SizeWH

Cut: TypeAlias = Literal["none", "marks", "hairlines"]
SheetFormat: TypeAlias = Literal["jpeg", "png", "pdf"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A photo's place on a sheet, in millimetres from the sheet's top left corner."""

    kind: int
    """Which of the photos it is."""
    xy_mm: PointXY
    size_mm: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """A sheet of paper and what lies where on it."""

    size_mm: tuple[float, float]
    slots: tuple[Slot, ...]
    """In rows, from the top left."""


@dataclass(frozen=True, slots=True)
class SheetOrder:
    """What is wanted of a sheet for print."""

    photos: Order
    """Its documents are at the sheet's density; its variants, documents first, are the kinds of the
    layout's slots.
    """
    paper: str
    """The paper's id, or "custom"."""
    layout: Layout
    dpi: int
    cut: Cut
    format: SheetFormat
    max_bytes: int | None = None
    as_is: bool = False
    """The upload is the finished photo: nothing is cut out."""
    files: Order | None = None
    """What is wanted as files besides the sheet, of the same person."""

    @property
    def prepared(self) -> Order:
        """The order that everything up to the matte is made for, once for sheet and files."""
        if self.files is None:
            return self.photos
        return replace(self.files, documents=(*self.files.documents, *self.photos.documents))

    def each(self, change: Callable[[Order], Order]) -> "SheetOrder":
        """The same sheet with its photos, and its files, changed in this way."""
        files = self.files and change(self.files)
        return replace(self, photos=change(self.photos), files=files)


@dataclass(frozen=True, slots=True)
class SheetPhoto:
    """One kind of photo on a sheet."""

    document: str
    background: str
    size_mm: tuple[float, float]
    count: int
    checks: tuple[Check, ...]
    nudge: Nudge | None = None
    """As of an ``IdPhoto``."""
    adjusted: Adjusted = UNADJUSTED


@dataclass(frozen=True, slots=True)
class PrintSheet:
    """A finished sheet and what is to be said about it."""

    data: bytes
    media_type: str
    paper: str
    size_mm: tuple[float, float]
    """As it is to be held: wider than high where it is a landscape."""
    size_px: SizeWH
    photos: tuple[SheetPhoto, ...]
    quality: Quality
    encoding: Encoding
    files: tuple[IdPhoto, ...] = ()
    """What was wanted besides it."""
