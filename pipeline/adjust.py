"""Light and colour of the person, mildly: what a face needs by its measured tone, and doing it.

All of it happens in CIE L*a*b* (D65) by factors on L* + 16, a* and b* together, which is what more
or less light does there (CIE 15:2004: all three go with the cube root of the light). So hues stay,
and but for ``saturation`` the colours' purity; only the white balance changes hues.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.finish_values import PERCENT, Adjusted, Adjustments, Retouching, Tone
from pipeline.values import Face, Rgb

_Plane = npt.NDArray[np.float32]

# At the end of their scales: brightness and contrast double or halve a slope to this power,
# saturation changes by this share, sharpness adds this much of the fine detail.
_BRIGHTER, _STEEPER, _MORE_COLOUR, _SHARPER = 0.6, 0.6, 0.5, 1.0
# Detail that sharpness works on, as a share of the distance of the eyes, and the most that it
# changes in L*: rims beside hair stay unseen.
_DETAIL, _MOST_DETAIL = 0.025, 8.0
_LEAST_SIGMA_PX = 0.5

# Fill light takes this part of the cheeks' difference, and lifts by no more than so much L*.
_FILLED, _MOST_FILL = 0.5, 12.0
_EVEN = 2.0
# Where it fades in and out, in distances of the eyes: away from the middle of the face, and down
# from the eyes.
_ASIDE = (-0.1, 0.4, 1.1, 2.0)
_DOWN = (-1.6, -0.7, 1.7, 2.6)

# Hues of skin (CIE h, degrees) in well-lit portraits of all complexions, 28 to 64 in those of
# benchmarks/; beyond, light or camera had a colour, and the hue is turned to a safer one. Skin of
# little chroma has no hue to go by.
_SKIN_HUES, _SAFE_HUES = (30.0, 66.0), (36.0, 60.0)
_LEAST_CHROMA, _SAFE_CHROMA = 6.0, 24.0
# How far the white balance may change the channels against each other.
_MOST_GAIN = 1.15

# What ``auto`` brings a face to, and how far it goes.
_HIGHLIGHT, _CONTRAST, _UNEVEN = 60.0, 24.0, 10.0
_MOST_AUTO = 60
_TONE = ("brightness", "contrast", "saturation", "white_balance")
# Of linear sRGB (IEC 61966-2-1).
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def forbidden(asked: Adjustments, retouching: Retouching) -> str | None:
    """The parameter of the first of what is asked that such a document does not allow; None where
    it allows all. ``auto`` keeps to what is allowed, but where that is nothing.
    """
    if retouching == "any":
        return None
    allowed = (*_TONE, "auto") if retouching == "tone" else ()
    names = (*_TONE, "sharpness", "fill_light", "auto")
    found = (name for name in names if getattr(asked, name) and name not in allowed)
    name = next(found, None)
    return "adjust" if name == "auto" else name


def plan(asked: Adjustments, tone: Tone, retouching: Retouching) -> Adjusted:
    """What is to be done to a face of that tone.

    ``auto`` comes on top of what is asked by itself. A fill light that a document does not allow
    and that nobody asked for is left out.
    """
    left, right = tone.cheeks_lightness
    uneven = abs(right - left) > _UNEVEN and retouching == "any"
    brightness, contrast = asked.brightness, asked.contrast
    if asked.auto:
        brightness = brightness or _needed_brightness(tone.highlight)
        contrast = contrast or _needed_contrast(tone.contrast)
    filled = asked.fill_light or (asked.auto and uneven)
    return Adjusted(
        brightness,
        contrast,
        asked.saturation,
        asked.sharpness,
        _fill(left, right) if filled else 0.0,
        _gains(tone.skin_lab) if asked.white_balance or asked.auto else None,
        min(75.0, max(25.0, tone.skin_lab[0])),
    )


def apply(rgb: Rgb, face: Face, what: Adjusted, tone: Tone) -> Rgb:
    """The person's pixels, uint8 HxWx3, with that done; the very same where it is nothing.

    Of the face only eyes and mouth count, which lie in pixels of the picture; it may be at any size
    and angle.
    """
    if what.none:
        return rgb
    lab = _lab(rgb, what.gains)
    factor = np.ones(rgb.shape[:2], np.float32)
    if what.fill_light:
        weight = _side(rgb.shape[:2], face, what.fill_light > 0)
        darker = min(tone.cheeks_lightness)
        full = (darker + abs(what.fill_light) + 16) / (darker + 16)
        factor += weight * np.float32(full - 1)
    lightness = np.clip((lab[..., 0] + 16) * factor - 16, 0, 100)
    curved = _curve(lightness, what)
    factor *= (curved + 16) / (lightness + 16)
    colour = factor * np.float32(1 + _MORE_COLOUR * what.saturation / PERCENT)
    if what.sharpness:
        apart_px = math.dist(face.left_eye_xy_px, face.right_eye_xy_px)
        curved = _sharpened(curved, _SHARPER * what.sharpness / PERCENT, apart_px)
    made = np.dstack([curved, lab[..., 1] * colour, lab[..., 2] * colour])
    back = np.asarray(cv2.cvtColor(made, cv2.COLOR_LAB2RGB), np.float32)
    return np.rint(np.clip(back, 0, 1) * 255).astype(np.uint8)


def _needed_brightness(highlight: float) -> int:
    """That brings the highlights of a face that is too dark to where they belong."""
    if not 0 < highlight < _HIGHLIGHT:
        return 0
    power = math.log(_HIGHLIGHT / 100) / math.log(highlight / 100)
    return min(_MOST_AUTO, round(-PERCENT * math.log2(power) / _BRIGHTER))


def _needed_contrast(contrast: float) -> int:
    if not 0 < contrast < _CONTRAST:
        return 0
    return min(_MOST_AUTO, round(PERCENT * math.log2(_CONTRAST / contrast) / _STEEPER))


def _fill(left: float, right: float) -> float:
    """Positive where the right cheek is to be lifted."""
    darker = left - right
    if abs(darker) < _EVEN:
        return 0.0
    return math.copysign(min(_MOST_FILL, _FILLED * abs(darker)), darker)


def _gains(skin_lab: tuple[float, float, float]) -> tuple[float, float, float] | None:
    """Of linear red, green and blue, that turn an implausible hue of skin to a plausible one, or as
    far as they may; the skin stays as light. None where it is plausible or cannot be told.
    """
    lightness, a, b = skin_lab
    chroma, hue = math.hypot(a, b), math.degrees(math.atan2(b, a))
    low, high = _SKIN_HUES
    if chroma < _LEAST_CHROMA or low <= hue <= high:
        return None
    # The nearest point on the ray of that hue: what a coloured light added is taken off.
    redder = (hue - (low + high) / 2) % 360 > 180
    nearest = math.radians(_SAFE_HUES[0] if redder else _SAFE_HUES[1])
    along = a * math.cos(nearest) + b * math.sin(nearest)
    along = min(_SAFE_CHROMA, max(_LEAST_CHROMA, along))
    wanted = (lightness, along * math.cos(nearest), along * math.sin(nearest))
    ratio = _linear(wanted) / np.maximum(_linear(skin_lab), 1e-4)
    ratio /= ratio[1]
    ratio = np.clip(ratio, 1 / _MOST_GAIN, _MOST_GAIN)
    before, after = _linear(skin_lab), _linear(skin_lab) * ratio
    ratio *= float(_LUMINANCE @ before) / float(_LUMINANCE @ after)
    red, green, blue = (float(gain) for gain in ratio)
    return red, green, blue


def _linear(lab: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    pixel = np.array([[lab]], np.float32)
    return np.asarray(cv2.cvtColor(pixel, cv2.COLOR_LAB2LRGB), np.float64).reshape(3)


def _lab(rgb: Rgb, gains: tuple[float, float, float] | None) -> _Plane:
    scaled = rgb.astype(np.float32) / np.float32(255)
    if gains is None:
        return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)
    # IEC 61966-2-1, both branches.
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    balanced = np.clip(linear * np.array(gains), 0, 1).astype(np.float32)
    return np.asarray(cv2.cvtColor(balanced, cv2.COLOR_LRGB2LAB), np.float32)


def _curve(lightness: _Plane, what: Adjusted) -> _Plane:
    """L* after brightness, a power, and contrast, a curve that is steep at the pivot; black and
    white stay.
    """
    power = 2 ** (-_BRIGHTER * what.brightness / PERCENT)
    share = np.clip(lightness / np.float32(100), 0, 1) ** np.float32(power)
    if what.contrast:
        slope = np.float32(2 ** (_STEEPER * what.contrast / PERCENT))
        pivot = np.float32((what.pivot_lightness / 100) ** power)
        below = pivot * np.minimum(share / pivot, 1) ** slope
        above = 1 - (1 - pivot) * np.minimum((1 - share) / (1 - pivot), 1) ** slope
        share = np.where(share < pivot, below, above)
    return np.asarray(share * np.float32(100), np.float32)


def _sharpened(lightness: _Plane, amount: float, apart_px: float) -> _Plane:
    """Unsharp masking; a negative amount takes detail away."""
    sigma = max(_LEAST_SIGMA_PX, _DETAIL * apart_px)
    detail = lightness - np.asarray(cv2.GaussianBlur(lightness, (0, 0), sigma), np.float32)
    change = np.clip(np.float32(amount) * detail, -_MOST_DETAIL, _MOST_DETAIL)
    return np.asarray(np.clip(lightness + change, 0, 100), np.float32)


def _side(shape: tuple[int, ...], face: Face, right: bool) -> _Plane:
    """1 on one half of the face, 0 on the other and far away, HxW."""
    left_eye, right_eye = np.array(face.left_eye_xy_px), np.array(face.right_eye_xy_px)
    apart_px = float(np.hypot(*(right_eye - left_eye)))
    middle = (left_eye + right_eye) / 2
    down = (np.array(face.left_mouth_xy_px) + np.array(face.right_mouth_xy_px)) / 2 - middle
    down /= np.hypot(*down)
    # Across is square to the line from the eyes to the mouth, which a turned head moves aside.
    across = np.array([down[1], -down[0]]) * (1 if right else -1)
    x = np.arange(shape[1], dtype=np.float32) + 0.5
    y = np.arange(shape[0], dtype=np.float32) + 0.5

    def along(axis: npt.NDArray[np.float64]) -> _Plane:
        rows, columns = (y - middle[1]) * axis[1], (x - middle[0]) * axis[0]
        return np.asarray(np.add.outer(rows, columns) / apart_px, np.float32)

    return _fading(along(across), _ASIDE) * _fading(along(down), _DOWN)


def _fading(distance: _Plane, edges: tuple[float, float, float, float]) -> _Plane:
    """0 before the first edge, 1 between the second and the third, 0 after the fourth."""
    start, full, still, end = edges
    rise = np.clip((distance - start) / (full - start), 0, 1)
    fall = np.clip((end - distance) / (end - still), 0, 1)
    share = np.minimum(rise, fall)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
