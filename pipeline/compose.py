"""The cut-out person on a new background."""

import cv2
import numpy as np

from pipeline.values import Alpha, Alpha8, Background, Rgb, Rgba, SizeWH

_Colour = tuple[int, int, int]


def compose(
    foreground_rgb: Rgb, alpha: Alpha, background: Background, picture_rgb: Rgb | None = None
) -> Rgb | Rgba:
    """uint8 HxWx3 on a background, or HxWx4 (not premultiplied) on a transparent ground.

    ``picture_rgb``, of any size, is what a background of the shape ``image`` shows.
    """
    if background.rgb is None:
        return np.dstack([foreground_rgb, mask(alpha)])
    behind = ground(background, background.rgb, (alpha.shape[1], alpha.shape[0]), picture_rgb)
    return np.asarray(cv2.blendLinear(foreground_rgb, behind, alpha, 1 - alpha), dtype=np.uint8)


def mask(alpha: Alpha) -> Alpha8:
    """Alpha as a grey picture, uint8 HxW, 255 where the person is."""
    return np.rint(alpha * 255).astype(np.uint8)


def ground(background: Background, rgb: _Colour, size_px: SizeWH, picture_rgb: Rgb | None) -> Rgb:
    """The background alone, uint8 HxWx3. Gradients run evenly in sRGB, a radial one from the middle
    to the corners; a picture covers all and is cut at two sides where its shape is another one.
    """
    width, height = size_px
    if background.shape == "image":
        if picture_rgb is None:
            raise ValueError("a background of the shape image needs a picture")
        return _covering(picture_rgb, size_px)
    if background.to_rgb is None:
        # Row by row: numpy is slow to repeat three values.
        row = np.tile(np.array(rgb, np.uint8), (width, 1))
        return np.tile(row, (height, 1, 1))
    if background.shape == "vertical":
        share = np.repeat(np.linspace(0, 1, height)[:, None], width, axis=1)
    else:
        x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
        # Distances in pixels: circles stay round.
        squares = np.add.outer((y * height) ** 2, (x * width) ** 2)
        share = np.sqrt(squares / (height**2 + width**2))
    start, end = np.array(rgb, np.float64), np.array(background.to_rgb, np.float64)
    return np.rint(start + share[..., None] * (end - start)).astype(np.uint8)


def _covering(picture_rgb: Rgb, size_px: SizeWH) -> Rgb:
    """The middle of the picture, resampled once."""
    height, width = picture_rgb.shape[:2]
    scale = max(size_px[0] / width, size_px[1] / height)
    wide, high = (
        min(side, max(1, round(to / scale)))
        for side, to in zip((width, height), size_px, strict=True)
    )
    x, y = (width - wide) // 2, (height - high) // 2
    part = picture_rgb[y : y + high, x : x + wide]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, size_px, interpolation=way), np.uint8)
