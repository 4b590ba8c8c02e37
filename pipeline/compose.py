"""The cut-out person on a new background."""

import cv2
import numpy as np

from pipeline.values import Alpha, Alpha8, Background, Rgb, Rgba


def compose(foreground_rgb: Rgb, alpha: Alpha, background: Background) -> Rgb | Rgba:
    """uint8 HxWx3 on a colour, or HxWx4 (not premultiplied) on a transparent ground."""
    if background.rgb is None:
        return np.dstack([foreground_rgb, mask(alpha)])
    ground = np.empty_like(foreground_rgb)
    ground[:] = background.rgb
    return np.asarray(cv2.blendLinear(foreground_rgb, ground, alpha, 1 - alpha), dtype=np.uint8)


def mask(alpha: Alpha) -> Alpha8:
    """Alpha as a grey picture, uint8 HxW, 255 where the person is."""
    return np.rint(alpha * 255).astype(np.uint8)
