"""The values of what is done to a photo besides the cut-out, as ``values`` has the rest:

Adjustments -> Adjusted; Watermark and AiLabel; what is asked for of all, Finish
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Retouching: TypeAlias = Literal["any", "tone", "none"]
"""What a document lets be done to a photo: nothing is known against it; brightness, contrast and
colour alone; nothing."""
WatermarkStyle: TypeAlias = Literal["tiled", "corner"]
PERCENT = 100
"""The strongest of a scale that goes both ways from 0, which leaves the photo as it is."""


@dataclass(frozen=True, slots=True)
class Adjustments:
    """What is asked for; nothing by default. Scales go from -100 to 100."""

    brightness: int = 0
    contrast: int = 0
    saturation: int = 0
    sharpness: int = 0
    white_balance: bool = False
    fill_light: bool = False
    auto: bool = False
    """Whichever of white balance, fill light, brightness and contrast the measured face needs."""


AS_IT_IS = Adjustments()


@dataclass(frozen=True, slots=True)
class Tone:
    """How the skin of a face is lit, in CIE L*a*b* (D65) of the upright face."""

    cheeks_lightness: tuple[float, float]
    """L* of the left and the right cheek, as the check ``light_balance`` measures them."""
    highlight: float
    """L*, as the check ``exposure`` measures it."""
    contrast: float
    """L*, as the check ``contrast`` measures it."""
    skin_lab: tuple[float, float, float]
    """Median of the lighter half of the skin."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What is done to a photo."""

    brightness: int = 0
    contrast: int = 0
    saturation: int = 0
    sharpness: int = 0
    fill_light: float = 0.0
    """L* by which a cheek is lifted: the right one, or where negative the left one."""
    gains: tuple[float, float, float] | None = None
    """Of linear red, green and blue, for the white balance."""
    pivot_lightness: float = 50.0
    """L* that contrast leaves as it is."""

    @property
    def none(self) -> bool:
        """Whether the photo stays as it is."""
        scales = (self.brightness, self.contrast, self.saturation, self.sharpness)
        return not any(scales) and not self.fill_light and self.gains is None


UNADJUSTED = Adjusted()


@dataclass(frozen=True, slots=True)
class Watermark:
    """A line of text over the photo."""

    text: str
    style: WatermarkStyle = "tiled"
    opacity: float = 0.4


@dataclass(frozen=True, slots=True)
class AiLabel:
    """That a net had a part in the picture, told in its file's metadata."""

    producer: str
    """Name or code of whoever runs the service."""
    text: str | None = None
    """What is written into a corner of the picture as well; None: nothing."""


@dataclass(frozen=True, slots=True)
class Finish:
    """What is asked for; nothing by default."""

    adjustments: Adjustments = AS_IT_IS
    watermark: Watermark | None = None
    label: AiLabel | None = None


PLAIN = Finish()
