"""The values of cut-outs in the shapes that other services gave them, as ``values`` has those of
plain ones:

    StyledCutoutOrder -> Cutout
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.values import CutoutOrder, IdPhoto, SizeWH

BoxPx: TypeAlias = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole pixels; the last column and row lie outside."""
Shows: TypeAlias = Literal["anything", "person", "thing"]


@dataclass(frozen=True, slots=True)
class Length:
    """A length in pixels, or as a fraction of something that is only known later."""

    value: float
    relative: bool = False

    def of(self, whole_px: float) -> float:
        """In pixels, where ``whole_px`` is what it is a fraction of."""
        return self.value * whole_px if self.relative else self.value


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the subject lies in the answer. Without any of it: where it lay in the picture."""

    crop: bool = False
    """The answer shows the subject and its margin alone."""
    margin: tuple[Length, Length, Length, Length] = (Length(0),) * 4
    """Above, right, below, left; fractions are of the subject's height or width."""
    scale: float | None = None
    """The larger one of the subject's shares of the answer's width and height."""
    position: tuple[float, float] | None = None
    """Of the room beside and above the subject the shares on the left and at the top. None: the
    original, or the middle of a subject that is scaled."""


@dataclass(frozen=True, slots=True)
class GroundFile:
    """A picture to be put behind the subject: its file, and the most pixels that are read."""

    data: bytes
    max_pixels: int


@dataclass(frozen=True, slots=True)
class StyledCutoutOrder(CutoutOrder):
    """A cut-out as a program wants it that speaks another service's interface."""

    matte: Literal["fused", "saliency"] = "fused"
    """saliency: what the saliency net alone says of the whole picture, as rembg has it."""
    shows: Shows = "anything"
    """A person must have a face; of a thing the person net is not asked."""
    colours: Literal["own", "seen"] = "own"
    """seen: the picture's, with what shone through from the old background."""
    hard: bool = False
    """Every pixel is the subject's or is not, by a smoothed outline (rembg's post-processing)."""
    max_pixels: int | None = None
    """Of the picture that is cut; larger ones are scaled down."""
    unscaled: bool = False
    """Pictures above ``max_side_px`` are refused and not scaled down."""
    region: tuple[Length, Length, Length, Length] | None = None
    """x0, y0, x1, y1 in pixels of the upright original or as fractions of its size: what lies
    outside is background."""
    frame: Frame = Frame()
    ground: tuple[int, int, int, int] | GroundFile | None = None
    """What is put behind: red, green, blue and alpha, 0 to 255, or a picture that fills it."""


@dataclass(frozen=True, slots=True)
class Cutout(IdPhoto):
    """A finished cut-out and what is to be said about it."""

    full_size_px: SizeWH = (0, 0)
    """Of the upright original."""
    foreground_xyxy_px: BoxPx = (0, 0, 0, 0)
    """Where the subject lies in the upright original."""
    is_person: bool = False
