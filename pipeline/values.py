"""The values that flow through the pipeline: each is made by one step and never changed.

    Photo -> Face -> Portrait -> Matte -> Head -> CropPlan -> IdPhoto

Conventions, used everywhere in the project:

* Sizes are (width, height), points are (x, y), boxes are (x0, y0, x1, y1); the unit ends the name.
* Pixel coordinates are continuous: pixel (column 0, row 0) covers the square from (0, 0) to (1, 1).
* ``rgb`` is uint8, HxWx3, sRGB. ``alpha`` is float32, HxW, 0..1, unless the text says uint8.
* "Left" and "right" are as seen in the picture, not as the person would say.
* Arrays that crossed a process are read-only: a step never writes into its input.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.finish_values import PLAIN, UNADJUSTED, Adjusted, AiLabel, Finish, Retouching

Rgb: TypeAlias = npt.NDArray[np.uint8]
Rgba: TypeAlias = npt.NDArray[np.uint8]
Alpha: TypeAlias = npt.NDArray[np.float32]
Alpha8: TypeAlias = npt.NDArray[np.uint8]
Matrix: TypeAlias = npt.NDArray[np.float64]
PointXY: TypeAlias = tuple[float, float]
SizeWH: TypeAlias = tuple[int, int]
BoxXYXY: TypeAlias = tuple[float, float, float, float]
ImageFormat: TypeAlias = Literal["jpeg", "png", "webp"]
Quality: TypeAlias = Literal["best", "fast"]
Result: TypeAlias = Literal["pass", "warn", "fail"]
Chroma: TypeAlias = Literal["4:4:4", "4:2:0"]
Shape: TypeAlias = Literal["plain", "vertical", "radial", "image"]


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded upload: upright, sRGB, flattened on white, stripped of everything but pixels."""

    rgb: Rgb
    full_size_px: SizeWH
    """Size of the upright original; ``rgb`` may be a smaller rendering of it."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a face looks into the camera, whatever its size and place, as a face mesh shows it."""

    yaw_deg: float
    """Rotation about the neck; positive where the nose points to the right of the picture."""
    eye_opening: float
    """Height of the lids' opening per width of the eye, of the eye that is less open."""
    mouth_opening: float
    """Gap between the inner lips per width of the mouth."""


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face, in pixels of the photo it was found in."""

    box_xyxy_px: BoxXYXY
    left_eye_xy_px: PointXY
    right_eye_xy_px: PointXY
    nose_xy_px: PointXY
    left_mouth_xy_px: PointXY
    right_mouth_xy_px: PointXY
    score: float
    chin_xy_px: PointXY | None = None
    """Lowest point of the outline; it and the next two are None where only the detector saw it."""
    cheeks_xy_px: tuple[PointXY, PointXY] | None = None
    """Outline of the face in front of the ears, left and right."""
    look: Look | None = None
    drawn: float | None = None
    """How much it looks drawn or painted, which it does above 0; None where nobody asked."""

    @property
    def height_px(self) -> float:
        return self.box_xyxy_px[3] - self.box_xyxy_px[1]

    def scaled(self, x: float, y: float) -> "Face":
        """The same face in a rendering of the photo that is x times as wide and y times as high."""
        return self._mapped(lambda point: (point[0] * x, point[1] * y))

    def moved(self, x: float, y: float) -> "Face":
        """The same face in a picture whose corner lies (x, y) farther left and up."""
        return self._mapped(lambda point: (point[0] + x, point[1] + y))

    def _mapped(self, to: Callable[[PointXY], PointXY]) -> "Face":
        x0, y0, x1, y1 = self.box_xyxy_px
        return replace(
            self,
            box_xyxy_px=(*to((x0, y0)), *to((x1, y1))),
            left_eye_xy_px=to(self.left_eye_xy_px),
            right_eye_xy_px=to(self.right_eye_xy_px),
            nose_xy_px=to(self.nose_xy_px),
            left_mouth_xy_px=to(self.left_mouth_xy_px),
            right_mouth_xy_px=to(self.right_mouth_xy_px),
            chin_xy_px=self.chin_xy_px and to(self.chin_xy_px),
            cheeks_xy_px=self.cheeks_xy_px and (to(self.cheeks_xy_px[0]), to(self.cheeks_xy_px[1])),
        )


@dataclass(frozen=True, slots=True)
class View:
    """A part of the photo as a matting net sees it."""

    rgb: Rgb
    """Square."""
    box_xyxy_px: BoxXYXY
    """The part of the photo that it is stretched over."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """What the later steps need of a photo: the region around the person, and the nets' view of
    all.
    """

    region_rgb: Rgb
    """The part of the photo that the crops of the order can reach, at most twice as fine as
    needed.
    """
    region_xy_px: tuple[int, int]
    """Where the region's top left corner lies in the photo."""
    photo_size_px: SizeWH
    """Size of the rendering that the region was cut from and that ``face`` is measured in."""
    full_size_px: SizeWH
    """Size of the upright original."""
    file_size: int
    """Bytes of the upload."""
    face: Face | None
    """None for a cut-out, which needs no face."""
    views: Mapping[str, tuple[View, ...]]
    """What each matting net is to see, by its role; the first view holds all of the region."""
    background_rgb: Rgb | None = None
    """The picture that is to be put behind the person, fine enough for the order."""

    @property
    def frames(self) -> dict[str, tuple[Rgb, ...]]:
        """The pictures of the views, all that is sent to the nets."""
        return {role: tuple(view.rgb for view in views) for role, views in self.views.items()}


@dataclass(frozen=True, slots=True)
class Matte:
    """How much of each point of a part of the photo is person, at the nets' resolution; its pixels
    are squares of the photo, but for rounding.
    """

    alpha: Alpha
    box_xyxy_px: BoxXYXY
    """The part of the photo that ``alpha`` is stretched over."""

    @property
    def size_px(self) -> SizeWH:
        return self.alpha.shape[1], self.alpha.shape[0]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the expert net is to see of a photo, because the matte of the others is not certain."""

    frames: Mapping[str, tuple[Rgb, ...]]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the head is, in photo pixels, along the axis from the chin to the crown."""

    eyes_xy_px: PointXY
    """Midpoint between the pupils."""
    roll_deg: float
    """Rotation of the line from the left to the right eye; positive is clockwise as seen."""
    crown_above_eyes_px: float
    """From the eye line up to the top of the hair, or of the skull where the document says so."""
    chin_below_eyes_px: float
    interpupillary_px: float

    @property
    def height_px(self) -> float:
        return self.crown_above_eyes_px + self.chin_below_eyes_px


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the head lies in a picture, as fractions of its height unless the width is named."""

    head_height: float
    eye_line: float
    """From the bottom edge up."""
    top_margin: float
    """From the top edge down to the crown that the document means; negative where it is cut."""
    centre: float
    """From the left edge to the midpoint of the eyes, as a fraction of the width."""
    face_width: float | None
    """From cheek to cheek, as a fraction of the width; None where no mesh has seen the face."""


@dataclass(frozen=True, slots=True)
class CropPlan:
    """How photo pixels become output pixels: one similarity transform."""

    matrix: Matrix
    """2x3, float64: output_xy = matrix @ (photo_x, photo_y, 1)."""
    size_px: SizeWH
    scale: float
    """Output pixels per photo pixel; above 1 the photo is enlarged."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A permitted interval and the value to aim at, as fractions of the photo's height (of its
    width where a width is meant)."""

    min: float
    max: float
    target: float


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of ID photo: its size and where its rule wants the head.

    Fractions count from 0 to 1 of the photo's height, those of ``face_width`` of its width.
    ``eye_line`` is measured from the bottom edge up, ``top_margin`` from the top edge down to the
    crown, ``face_width`` from cheek to cheek. None is a rule that does not exist or is not known.
    """

    id: str
    name_en: str
    name_zh: str
    country: str
    """ISO 3166-1 alpha-2 code in lower case, or an empty string where no state is meant."""
    size_mm: tuple[float, float]
    size_px: SizeWH
    dpi: int
    head_height: Bounds
    eye_line: Bounds | None
    top_margin: Bounds | None
    face_width: Bounds | None
    crown: Literal["hair", "skull"]
    background: str
    """The usual background, as a name or #rrggbb that ``colours.parse`` knows."""
    forbidden_backgrounds: tuple[str, ...]
    """Backgrounds that get the photo refused, as ``background``."""
    bytes_limit: tuple[int, int] | None
    """Fewest and most bytes that the file may have."""
    pixel_limits: tuple[SizeWH, SizeWH] | None
    """Smallest and largest size in pixels that is accepted, where more than ``size_px`` is."""
    source: str
    source_date: str
    note: str
    """What else is to be known, in English; may be empty."""
    derived: bool
    """True where nothing but the size and the colour is the document's own."""
    head_derived: bool
    """True where the head height and the crown are those of a family of sizes, and not the
    document's own.
    """
    plain_background: bool = True
    """False where nobody asks for a background of one colour, as with free sizes."""
    retouching: Retouching = "any"


@dataclass(frozen=True, slots=True)
class Background:
    """What is put behind the person; ``rgb`` None is transparent."""

    name: str
    rgb: tuple[int, int, int] | None
    """Of a gradient the colour at the top or in the middle, of an image what shines through it."""
    shape: Shape = "plain"
    to_rgb: tuple[int, int, int] | None = None
    """Of a gradient the colour at the bottom or in the corners."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """How a crop is moved from where the document's rule puts it; the numbers' limits are
    ``NUDGE_LIMITS``.
    """

    zoom: float = 1.0
    """Factor on the size of the head."""
    shift_x: float = 0.0
    """Percent of the photo's width by which the person moves to the right."""
    shift_y: float = 0.0
    """Percent of the photo's height by which the person moves down."""
    turn: float = 0.0
    """Degrees, clockwise as seen, on top of the levelling of the eyes."""


NUDGE_LIMITS: Mapping[str, tuple[float, float]] = {
    "zoom": (0.8, 1.25),
    "shift_x": (-20.0, 20.0),
    "shift_y": (-20.0, 20.0),
    "turn": (-15.0, 15.0),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of one photo: every document in every background."""

    documents: tuple[Document, ...]
    backgrounds: tuple[Background, ...]
    """Empty: each document's own."""
    format: ImageFormat
    quality: Quality = "best"
    """fast asks the person net alone, at a fiftieth of the cost."""
    bytes_limit: tuple[int, int] | None = None
    """Fewest and most bytes that each file may have, besides its document's own limit."""
    progressive: bool = False
    """JPEGs that appear coarse first and then finer."""
    nudge: Nudge | None = None
    """None where the crop is the rule's."""
    reuse: bool = False
    """Whether other orders are to be met from what is prepared for this one."""
    finish: Finish = PLAIN
    background_image: bytes | None = None
    """The file of the background whose shape is ``image``; only Cropping needs it."""
    finest_px: int | None = None
    """Up to this longest side each document is made as fine as the photo, besides."""
    model: str | None = None
    """Whose nets are asked; None: the service's own."""


@dataclass(frozen=True, slots=True)
class CutoutOrder:
    """What is wanted of a cut-out."""

    format: ImageFormat | Literal["zip"]
    kind: Literal["rgba", "mask"]
    max_side_px: int
    quality: Quality = "best"
    label: AiLabel | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One property of a photo, held against its limits; texts are in English and Chinese."""

    code: str
    title: str
    title_zh: str
    value: float | None
    """None where there is nothing to measure but the result."""
    unit: str
    min: float | None
    max: float | None
    result: Result
    hint: str
    """What to do about it; empty where the check is passed."""
    hint_zh: str


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of a photo for one document."""

    document: str
    """Document id."""
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pixels were written into a file."""

    dpi: int
    quality: int | None = None
    """Of JPEG and WebP, 1 to 100; None where nothing is lost."""
    chroma: Chroma | None = None
    """Of JPEG and WebP: whether colour has the resolution of brightness, or half of it."""
    progressive: bool = False


@dataclass(frozen=True, slots=True)
class IdPhoto:
    """A finished picture and what is to be said about it."""

    data: bytes
    media_type: str
    size_px: SizeWH
    document: str
    """Document id; empty for a cut-out."""
    background: str
    """Background name; "transparent" for a cut-out."""
    checks: tuple[Check, ...]
    """Empty for a cut-out."""
    quality: Quality
    """What it was made in: not always what was asked for, see the setting ``fast_when_full``."""
    encoding: Encoding | None = None
    """None where that is not known, as of a photo that another service has made."""
    nudge: Nudge | None = None
    """What was applied of the order's, within the document's rule; None where none was asked."""
    adjusted: Adjusted = UNADJUSTED
