"""The values of what is done to a finished picture without the nets:

EditOrder -> IdPhotos
"""

from dataclasses import dataclass

from pipeline.values import Background, Document


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The same picture in another file."""


@dataclass(frozen=True, slots=True)
class PutOn:
    """A cut-out on a background."""

    background: Background


@dataclass(frozen=True, slots=True)
class Stamp:
    """Text over the picture."""

    text: str
    size_px: int
    opacity: float
    angle_deg: float
    colour: tuple[int, int, int]
    gap_px: int


@dataclass(frozen=True, slots=True)
class CropOut:
    """The one person of a cut-out, or of a picture that stays as it is, as the document wants
    them; with ``finest_px`` also as fine as the picture, up to that longest side.
    """

    document: Document
    finest_px: int | None = None


@dataclass(frozen=True, slots=True)
class EditOrder:
    """What is wanted of a picture."""

    edit: Rewrite | PutOn | Stamp | CropOut
    dpi: int
    max_bytes: int | None
    """A JPEG of at most so many; None: a PNG."""
    max_pixels: int
    """Of the picture that comes."""
