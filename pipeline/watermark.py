"""A line of text over a picture, in any script that an installed font has."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pipeline import fonts
from pipeline.finish_values import WatermarkStyle
from pipeline.values import Rgb, Rgba, SizeWH

_Coverage = npt.NDArray[np.float32]

# Shares of the picture's shorter side.
_TILED_SIZE, _CORNER_SIZE, _MARGIN = 0.07, 0.06, 0.02
_WIDEST = 0.96
_LEAST_SIZE_PX = 8
# Between repetitions, in heights of the text.
_GAP = 1.5
_GREY, _BLACK, _WHITE = (128, 128, 128), (0, 0, 0), (255, 255, 255)
_LUMA = (0.299, 0.587, 0.114)


def stamp(
    pixels: Rgb | Rgba,
    text: str,
    *,
    style: WatermarkStyle = "tiled",
    at: Literal["left", "right"] = "right",
    opacity: float = 0.4,
    colour: tuple[int, int, int] | None = None,
    size_px: int | None = None,
    angle_deg: float = 30.0,
    gap_px: int | None = None,
) -> Rgb | Rgba:
    """The picture, uint8 HxWx3 or HxWx4 (not premultiplied), with the text over it; a new array.

    ``tiled`` repeats the text everywhere, turned by ``angle_deg`` (counter-clockwise), ``gap_px``
    apart; ``corner`` writes it once, upright, at the bottom, to the right or where ``at`` says.
    ``size_px`` is the font's; by default it follows the picture's size, and a corner's text becomes
    smaller where it is too wide otherwise. ``opacity`` is 0..1. Without ``colour`` tiles are grey,
    and a corner's text black or white, whichever stands out. On transparent ground the text itself
    is opaque as told.
    Raises BadOrder (``no_font``).
    """
    height, width = pixels.shape[:2]
    side = min(width, height)
    if style == "tiled":
        size_px = size_px or max(_LEAST_SIZE_PX, round(_TILED_SIZE * side))
        cover = _tiles(_line(text, size_px), (width, height), angle_deg, gap_px)
    else:
        cover = _corner(text, size_px, (width, height), at)
    if colour is None:
        colour = _GREY if style == "tiled" else _contrasting(pixels, cover)
    return _over(pixels, cover * np.float32(opacity), colour)


def _line(text: str, size_px: int) -> Image.Image:
    """The text in one line, white on black, 8 bit grey; no larger than what is drawn."""
    runs = fonts.runs(text, size_px)
    widths = [math.ceil(run.font.getlength(run.text)) for run in runs]
    above = max(run.font.getmetrics()[0] for run in runs)
    below = max(run.font.getmetrics()[1] for run in runs)
    # Letters may lean out of their place, so there is room around them.
    picture = Image.new("L", (sum(widths) + 2 * size_px, above + below + 2 * size_px))
    pen = ImageDraw.Draw(picture)
    x = size_px
    for run, width in zip(runs, widths, strict=True):
        pen.text((x, size_px + above), run.text, 255, run.font, anchor="ls")
        x += width
    box = picture.getbbox()
    return picture.crop(box) if box else picture.crop((0, 0, 1, 1))


def _tiles(line: Image.Image, size_px: SizeWH, angle_deg: float, gap_px: int | None) -> _Coverage:
    """Rows of the text, each shifted by half, turned about the picture's middle; HxW, 0..1."""
    gap = gap_px if gap_px is not None else round(_GAP * line.height)
    step_x, step_y = line.width + gap, line.height + gap
    reach = math.ceil(math.hypot(*size_px)) + 2
    sheet = Image.new("L", (reach, reach))
    for row in range(-1, reach // step_y + 2):
        shift = -(step_x // 2) * (row % 2)
        for column in range(reach // step_x + 2):
            sheet.paste(line, (shift + column * step_x, row * step_y))
    turned = sheet.rotate(angle_deg, Image.Resampling.BICUBIC)
    x, y = (reach - size_px[0]) // 2, (reach - size_px[1]) // 2
    return _coverage(turned.crop((x, y, x + size_px[0], y + size_px[1])))


def _corner(text: str, size_px: int | None, picture_px: SizeWH, at: str) -> _Coverage:
    """The text at the bottom; HxW, 0..1."""
    side = min(picture_px)
    wanted_px = size_px or max(_LEAST_SIZE_PX, round(_CORNER_SIZE * side))
    line = _line(text, wanted_px)
    room_px = _WIDEST * picture_px[0]
    if line.width > room_px:
        line = _line(text, max(1, math.floor(wanted_px * room_px / line.width)))
    margin = round(_MARGIN * side)
    x = margin if at == "left" else max(0, picture_px[0] - line.width - margin)
    sheet = Image.new("L", picture_px)
    sheet.paste(line, (x, max(0, picture_px[1] - line.height - margin)))
    return _coverage(sheet)


def _coverage(mask: Image.Image) -> _Coverage:
    return np.asarray(mask, np.float32) / np.float32(255)


def _contrasting(pixels: Rgb | Rgba, cover: _Coverage) -> tuple[int, int, int]:
    under = pixels[cover > 0]
    if not len(under):
        return _BLACK
    bright = under[:, :3].astype(np.float32) @ np.array(_LUMA, np.float32)
    if under.shape[1] == 4:
        share = under[:, 3].astype(np.float32) / np.float32(255)
        bright = bright * share + 255 * (1 - share)
    return _BLACK if float(bright.mean()) > 127 else _WHITE


def _over(pixels: Rgb | Rgba, cover: _Coverage, colour: tuple[int, int, int]) -> Rgb | Rgba:
    """The colour laid over the picture with that coverage (Porter and Duff, "Compositing Digital
    Images", 1984: the operator over).
    """
    cover = cover[..., None]
    own = pixels[..., :3].astype(np.float32)
    ink = np.array(colour, np.float32)
    if pixels.shape[2] == 3:
        return _bytes(own + cover * (ink - own))
    alpha = pixels[..., 3:].astype(np.float32) / np.float32(255)
    whole = cover + alpha * (1 - cover)
    mixed = (cover * ink + (1 - cover) * alpha * own) / np.maximum(whole, np.float32(1e-6))
    kept = np.where(whole > 0, mixed, own)
    return np.concatenate([_bytes(kept), _bytes(whole * 255)], axis=2)


def _bytes(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)
