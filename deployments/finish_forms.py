"""What requests for photos and sheets may ask for besides the cut-out: light and colour, and text
over the photo.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.finish_values import PERCENT, Adjustments, Finish, Watermark, WatermarkStyle

_MAX_LETTERS = 60


def _one_line(text: str) -> str:
    text = text.strip()
    if not all(letter.isprintable() for letter in text):
        raise ValueError("it takes one line of text")
    return text


Scale = Annotated[int, Field(ge=-PERCENT, le=PERCENT)]


class FinishForm(BaseModel):
    """The parameters that POST /v1/photos and POST /v1/sheets share (docs/adjustments.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adjust: Literal["off", "auto"] = Field(
        "off", description="auto: what the measured face needs of white balance, light, contrast."
    )
    brightness: Scale = Field(0, description="-100 to 100; black and white stay.")
    contrast: Scale = Field(0, description="-100 to 100, about the lightness of the skin.")
    saturation: Scale = Field(0, description="-100 to 100; neither grey nor garish at the ends.")
    sharpness: Scale = Field(0, description="-100 to 100; below 0 detail is softened.")
    white_balance: bool = Field(False, description="Takes a coloured light off, by the skin.")
    fill_light: bool = Field(False, description="Lifts the darker half of an unevenly lit face.")
    watermark: Annotated[str, AfterValidator(_one_line)] = Field(
        "", max_length=_MAX_LETTERS, description="Text over the photo, in any script."
    )
    watermark_style: WatermarkStyle = Field(
        "tiled", description="tiled: everywhere; corner: once, at the bottom right."
    )
    watermark_opacity: float = Field(0.4, gt=0, le=1)


def finish(form: FinishForm) -> Finish:
    """What the form asks for."""
    adjustments = Adjustments(
        form.brightness,
        form.contrast,
        form.saturation,
        form.sharpness,
        form.white_balance,
        form.fill_light,
        form.adjust == "auto",
    )
    text, style, opacity = form.watermark, form.watermark_style, form.watermark_opacity
    return Finish(adjustments, Watermark(text, style, opacity) if text else None)
