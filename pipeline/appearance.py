"""How a portrait looks: sharpness and light of the face, and what is behind the person.

Each measure is one number; limits are the business of whoever asks. docs/checks.md says how
reliable each was found to be.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.affine import apply, similarity
from pipeline.finish_values import Tone
from pipeline.resample import warp
from pipeline.values import Alpha, Face, PointXY, Rgb

_Plane = npt.NDArray[np.float32]
_Flags = npt.NDArray[np.bool_]

# The upright face: all lengths are in distances of the eyes, from the middle between the eyes.
_EYES_APART_PX = 64
_ASIDE, _UP, _DOWN = 0.95, 0.55, 1.45
# Its skin, with eyes and mouth and without hair: an ellipse.
_SKIN_DOWN, _SKIN_HALF_WIDTH, _SKIN_HALF_HEIGHT = 0.5, 0.65, 0.85
_CHEEK_WIDTH, _CHEEK_HEIGHT = 0.4, 0.3

# Standard deviations in distances of the eyes. What lies between the first two is fine detail, such
# as lashes and the edges of the lids; between the others coarse, such as eyes and nostrils.
_FINE, _COARSE = (0.015, 0.03), (0.05, 0.1)

_BRIGHTEST, _DARKEST = 95, 5
_HIGHLIGHT = 90
# Of a cheek not the middle: the rim of glasses, hair and a beard are darker than skin.
_SKIN_LIGHTNESS = 70

_PLAIN_SKIN = (40, 90)

_BACKGROUND_SIDE_PX = 96
_CLEAR, _FROM_EDGE_PX, _LEAST_SHARE = 0.05, 2, 0.03
_NEARLY_ALL = 95


@dataclass(frozen=True)
class Upright:
    """A face at a fixed size, its eyes level: what the measures of a face look at."""

    rgb: Rgb
    cheeks_xy_px: tuple[PointXY, PointXY]
    """Halfway from the eyes to the corners of the mouth, left and right, in pixels of ``rgb``."""

    @cached_property
    def lightness(self) -> _Plane:
        """CIE L*, HxW."""
        return np.ascontiguousarray(_lab(self.rgb)[..., 0])

    @cached_property
    def skin_lightness(self) -> _Plane:
        """CIE L* of the pixels that belong to the face, N."""
        return self.lightness[_skin(self.rgb)]


def upright(rgb: Rgb, face: Face) -> Upright:
    """The face cut out of the picture that it is measured in; pixels beyond its edge repeat it."""
    (left_x, left_y), (right_x, right_y) = face.left_eye_xy_px, face.right_eye_xy_px
    apart_px = math.hypot(right_x - left_x, right_y - left_y)
    roll_deg = math.degrees(math.atan2(right_y - left_y, right_x - left_x))
    size_px = (round(2 * _ASIDE * _EYES_APART_PX), round((_UP + _DOWN) * _EYES_APART_PX))
    middle = ((left_x + right_x) / 2, (left_y + right_y) / 2)
    to_middle = (size_px[0] / 2, _UP * _EYES_APART_PX)
    matrix = similarity(middle, to_middle, _EYES_APART_PX / apart_px, roll_deg)
    eyes = apply(matrix, [face.left_eye_xy_px, face.right_eye_xy_px])
    mouth = apply(matrix, [face.left_mouth_xy_px, face.right_mouth_xy_px])
    (x0, y0), (x1, y1) = (eyes + mouth) / 2
    return Upright(warp(rgb, matrix, size_px), ((float(x0), float(y0)), (float(x1), float(y1))))


def sharpness(face: Upright) -> float:
    """Strength of the face's fine detail per coarse detail; above 0, about 1.2 in sharp portraits.

    Gradients are taken of two bands of spatial frequencies, relative to the face's size, along
    four directions; the fine one counts where it is weakest, because motion blurs one direction.
    Contrast and brightness cancel out.
    """
    grey = _grey(face.rgb)
    fine = min(_gradients(_band(grey, *_FINE)))
    coarse = float(np.mean(_gradients(_band(grey, *_COARSE))))
    return fine / coarse if coarse > 0 else 0.0


def exposure(face: Upright) -> float:
    """Lightness (CIE L*, 0..100) that the brightest tenth of the face exceeds.

    Not the mean: a dark face that is well lit has highlights, and an under-exposed one has none.
    """
    return float(np.percentile(face.skin_lightness, _HIGHLIGHT))


def contrast(face: Upright) -> float:
    """Range of the face's lightness in CIE L*, but for the darkest and the brightest twentieth."""
    dark, bright = np.percentile(face.skin_lightness, (_DARKEST, _BRIGHTEST))
    return float(bright - dark)


def light_balance(face: Upright) -> float:
    """By how much the right cheek is lighter than the left one, in CIE L*; negative: darker."""
    left, right = _cheeks(face)
    return right - left


def tone(face: Upright) -> Tone:
    """How the skin is lit and what colour it has."""
    lab = _lab(face.rgb)[_skin(face.rgb)]
    # Without eyes, brows and nostrils, and without what shines.
    low, high = np.percentile(lab[:, 0], _PLAIN_SKIN)
    lightness, a, b = np.median(lab[(lab[:, 0] >= low) & (lab[:, 0] <= high)], axis=0)
    colour = float(lightness), float(a), float(b)
    return Tone(_cheeks(face), exposure(face), contrast(face), colour)


def background_evenness(rgb: Rgb, alpha: Alpha) -> float | None:
    """Difference from the background's median colour (CIE76) that a twentieth of it exceeds.

    ``alpha`` is the person in the same picture. None where too little of it is surely background.
    """
    pixels = _background(rgb, alpha)
    if pixels is None:
        return None
    lab = _lab(pixels)[:, 0]
    apart = np.linalg.norm(lab - np.median(lab, axis=0), axis=1)
    return float(np.percentile(apart, _NEARLY_ALL))


def background_colour(rgb: Rgb, alpha: Alpha) -> tuple[int, int, int] | None:
    """Median colour of the background, sRGB; None as in ``background_evenness``."""
    pixels = _background(rgb, alpha)
    if pixels is None:
        return None
    red, green, blue = (int(value) for value in np.median(pixels[:, 0], axis=0))
    return red, green, blue


def _grey(rgb: Rgb) -> _Plane:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)


def _band(grey: _Plane, low: float, high: float) -> _Plane:
    """Difference of Gaussians."""
    finer, coarser = (
        cv2.GaussianBlur(grey, (0, 0), sigma * _EYES_APART_PX) for sigma in (low, high)
    )
    return np.asarray(finer - coarser, np.float32)


def _gradients(plane: _Plane) -> tuple[float, ...]:
    """Root of the mean square of the derivative along x, y and the two diagonals."""
    x = (plane[1:-1, 2:] - plane[1:-1, :-2]) / 2
    y = (plane[2:, 1:-1] - plane[:-2, 1:-1]) / 2
    xx, yy, xy = (float(np.mean(product)) for product in (x * x, y * y, x * y))
    diagonals = ((xx + yy) / 2 + xy, (xx + yy) / 2 - xy)
    return tuple(math.sqrt(max(square, 0.0)) for square in (xx, yy, *diagonals))


def _lab(rgb: Rgb) -> _Plane:
    """CIE L*a*b* (D65), float32: 8 bits would round small differences away."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _cheeks(face: Upright) -> tuple[float, float]:
    """L* of the left and the right cheek."""
    left, right = (_cheek(face.lightness, *cheek) for cheek in face.cheeks_xy_px)
    return left, right


def _cheek(lightness: _Plane, x: float, y: float) -> float:
    height, width = lightness.shape
    half_x, half_y = _CHEEK_WIDTH * _EYES_APART_PX / 2, _CHEEK_HEIGHT * _EYES_APART_PX / 2
    # The landmarks of a face in profile may leave the picture.
    x, y = min(max(x, half_x), width - half_x), min(max(y, half_y), height - half_y)
    rows = slice(round(y - half_y), round(y + half_y))
    columns = slice(round(x - half_x), round(x + half_x))
    return float(np.percentile(lightness[rows, columns], _SKIN_LIGHTNESS))


def _skin(rgb: Rgb) -> _Flags:
    """Which pixels of an upright face belong to it, HxW."""
    height, width = rgb.shape[:2]
    x = (np.arange(width) + 0.5 - width / 2) / _EYES_APART_PX
    y = (np.arange(height) + 0.5) / _EYES_APART_PX - _UP - _SKIN_DOWN
    squares = np.add.outer((y / _SKIN_HALF_HEIGHT) ** 2, (x / _SKIN_HALF_WIDTH) ** 2)
    return np.asarray(squares < 1, np.bool_)


def _background(rgb: Rgb, alpha: Alpha) -> Rgb | None:
    """Pixels that are surely background, Nx1x3; None where they are too few.

    They come from a small picture: neither noise nor texture that nobody sees should count.
    """
    height, width = alpha.shape
    scale = min(1.0, _BACKGROUND_SIDE_PX / max(height, width))
    size_px = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(rgb, size_px, interpolation=cv2.INTER_AREA), np.uint8)
    person = np.asarray(cv2.resize(alpha, size_px, interpolation=cv2.INTER_AREA)) >= _CLEAR
    side = 2 * _FROM_EDGE_PX + 1
    near = cv2.dilate(person.astype(np.uint8), np.ones((side, side), np.uint8))
    clear = np.asarray(near) == 0
    if clear.mean() < _LEAST_SHARE:
        return None
    return np.asarray(small[clear][:, None], np.uint8)
