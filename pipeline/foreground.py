"""The person's own colours, without the old background's spill into hair and edges."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.values import Alpha, Rgb, SizeWH

# Radii of the two passes as fractions of the longer side: 90 and 6 pixels at the size the paper
# used. The first, which blurs anyway, runs on a picture of about this many pixels.
_WIDE, _NARROW = 0.14, 0.01
_COARSE_PX = 150
# A matte is drawn a little too wide here and there: within this distance of its edge (a fraction of
# the longer side) a pixel's colour is not believed to be the person's alone. A third less leaves
# a pale rim around dark hair before a white wall, more blurs the person's outline.
_MARGIN = 0.012
# How far from the edge (a fraction of the longer side) the screen's hue is taken out, and how far
# from it a pixel is the person's for certain.
_LIT, _DEEP = 0.04, 0.03
# Hues told apart, and the part of the deep pixels whose excess over a hue is the person's own.
_HUES, _OWN = 24, 0.95
# Chroma, in levels, that a background must have beyond the person's own to count as coloured: from
# none to full effect. With less, navy cloth before a pale sky turns black.
_COLOURED = (25.0, 50.0)
# A colour has no excess over a hue that it is 60 degrees away from, as yellow has none over green.
_NARROWNESS = 3**-0.5
# From RGB to two orthonormal axes of chroma: red against green, and both against blue.
_CHROMA = np.array([[2**-0.5, -(2**-0.5), 0], [6**-0.5, 6**-0.5, -2 * 6**-0.5]])
# Levels by which a dark colour may be wrong.
_NOISE = 16.0
_TINY = 1e-5

_Floats = npt.NDArray[np.float32]


def estimate(rgb: Rgb, alpha: Alpha) -> Rgb:
    """The foreground colour of every pixel, uint8 HxWx3; meaningless where alpha is 0.

    Blur fusion, Forte and Pitie, "Approximate Fast Foreground Colour Estimation", ICIP 2021:
    foreground and background are local means weighted by alpha and 1 - alpha, then corrected so
    that they blend to the picture. The first pass looks far, the second near. What the matte
    misses, a coloured background that shines through hair or on the outline, is then taken out by
    its hue.
    """
    picture = rgb.astype(np.float32)
    height, width = alpha.shape
    side = max(height, width)
    core = _core(alpha, max(3, int(_MARGIN * side) | 1))

    factor = max(1, side // _COARSE_PX)
    coarse_px = max(1, width // factor), max(1, height // factor)
    seen, cover, own = (_shrunk(a, coarse_px) for a in (picture, alpha, core))
    near, far = _means(seen, seen, cover, own, _box(_WIDE, seen))
    screen = _screen(seen, cover, own, near, far)

    size_px = width, height
    foreground = _enlarged(_corrected(seen, near, far, cover, own), size_px)
    near, far = _means(foreground, _enlarged(far, size_px), alpha, core, _box(_NARROW, picture))
    foreground = _corrected(picture, near, far, alpha, core)
    if screen is not None:
        foreground = _unlit(foreground, _enlarged(screen, size_px), far)
    return np.rint(foreground).astype(np.uint8)


def _core(alpha: Alpha, size: int) -> Alpha:
    """Alpha without its margin of ``size`` pixels, which fades in; never more than alpha."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    shrunk = cv2.GaussianBlur(cv2.erode(alpha, disc), (size, size), 0)
    return np.minimum(alpha, np.asarray(shrunk, np.float32))


def _means(
    foreground: _Floats, background: _Floats, alpha: Alpha, core: Alpha, size: int
) -> tuple[_Floats, _Floats]:
    """The person's and the background's colours about each pixel."""
    return _mean(foreground, core, size), _mean(background, 1 - alpha, size)


def _mean(colours: _Floats, weights: Alpha, size: int) -> _Floats:
    """The weighted mean of the colours in a square of ``size`` pixels about each pixel; the pixel's
    own where nothing in the square counts."""
    total = np.asarray(cv2.blur(colours * _thrice(weights), (size, size)), np.float32)
    total += _TINY * colours
    total /= _thrice(np.asarray(cv2.blur(weights, (size, size)), np.float32) + _TINY)
    return total


def _corrected(picture: _Floats, near: _Floats, far: _Floats, alpha: Alpha, core: Alpha) -> _Floats:
    """The person's colours such that they blend with the background's to the picture."""
    rest = picture - far
    rest -= _thrice(alpha) * (near - far)
    rest *= _thrice(core)
    rest += near
    return np.asarray(np.clip(rest, 0, 255, out=rest), np.float32)


def _screen(
    picture: _Floats, alpha: Alpha, core: Alpha, near: _Floats, far: _Floats
) -> _Floats | None:
    """What ``_unlit`` needs to know of a coloured background, HxWx9; None where there is none.

    Channels: its hue (2), the excess over that hue which is the person's own, the background's
    beyond that, what takes its whole light off a colour (3; 0 far from the edge), the excess of
    the person's mean colour about here, and how far all this holds, 1 to 0 far from the edge.
    """
    chroma = _chroma(far)
    strength = np.hypot(chroma[..., 0], chroma[..., 1])
    size = _box(_LIT, picture)
    inner = cv2.blur(_eroded(alpha, size), (size // 2 | 1, size // 2 | 1))
    near_edge = 1 - np.asarray(inner, np.float32)
    low, high = _COLOURED
    # Nowhere else can it have an effect.
    coloured = (strength > low) & (near_edge > 0)
    deep = np.flatnonzero(_eroded((alpha > 0.95).astype(np.float32), _box(_DEEP, picture)))[::2]
    if not coloured.any() or not len(deep):
        return None
    person = _chroma(picture.reshape(-1, 1, 3)[deep])[:, 0]
    if not np.any(strength[coloured] > low + _own_excess(person, chroma[coloured])):
        return None
    allowed = _own_excess(person, chroma)
    effect = np.clip((strength - allowed - low) / (high - low), 0, 1) * near_edge
    hue = _planes(chroma / (strength + np.float32(_TINY))[..., None])
    beyond = np.maximum(low, strength - allowed)
    # Screen that the matte takes for the person would tint the mean of the person's colours.
    share = np.clip((_excess(_chroma(picture), hue) - allowed) / beyond, 0, 1)
    near = _mean(picture, np.asarray(core * (1 - share), np.float32), _box(_WIDE, picture))
    usual = np.minimum(allowed, _excess(_chroma(near), hue))
    off = _thrice(effect) * (near - far)
    return np.dstack([*hue, allowed, beyond, off, usual, effect])


def _own_excess(person: _Floats, chroma: _Floats) -> _Floats:
    """The excess over the hue of each chroma (...x2) that is the person's own, at least 0, by the
    person's chromas (Nx2).
    """
    turns = np.arctan2(chroma[..., 1], chroma[..., 0]) * np.float32(_HUES / (2 * np.pi))
    nearest = np.rint(turns).astype(int) % _HUES
    asked = np.flatnonzero(np.bincount(nearest.ravel(), minlength=_HUES))
    angles = asked.astype(np.float32) * np.float32(2 * np.pi / _HUES)
    wheel = np.cos(angles)[:, None], np.sin(angles)[:, None]
    last = int(_OWN * (len(person) - 1))
    excesses = np.zeros(_HUES, np.float32)
    excesses[asked] = np.partition(_excess(person[None], wheel), last, axis=1)[:, last]
    return np.asarray(np.maximum(excesses, 0)[nearest], np.float32)


def _unlit(colours: _Floats, screen: _Floats, far: _Floats) -> _Floats:
    """The colours with the screen's light, as far as their hue shows it, made the person's."""
    # Planes, because arithmetic on every ninth value is slow.
    *hue, allowed, beyond, red, green, blue, usual, effect = _planes(screen)
    excess = _excess(_chroma(colours), hue) - allowed
    # A mixture is at least as bright as what the screen brings into it, in every channel.
    most = reduce(np.minimum, _planes((colours + _NOISE) / (far + _NOISE)))
    share = np.maximum(0, np.minimum(excess / beyond, np.minimum(most, 1)))
    taken = _merged(red * share, green * share, blue * share)
    taken += colours
    # The person's own hue hides a part of the light where it is another one; it shows in how far
    # the colour is from the mean of the person's. How bright the person is here that mean does not
    # say, so the rest goes by hue alone, and never so far that the opposite hue appears.
    chroma = _chroma(taken)
    left = np.minimum(_excess(chroma, hue) - usual, _along(chroma, hue))
    light = np.minimum(np.minimum(left, excess), most * (beyond + allowed))
    light = np.maximum(0, light) * effect
    taken -= np.asarray(cv2.transform(_merged(*(axis * light for axis in hue)), _CHROMA.T))
    return np.asarray(np.clip(taken, 0, 255, out=taken), np.float32)


def _chroma(colours: _Floats) -> _Floats:
    """HxWx2, in levels."""
    return np.asarray(cv2.transform(colours, _CHROMA), np.float32)


def _excess(chroma: _Floats, hue: Sequence[_Floats]) -> _Floats:
    """How much of each chroma is of the hue (a unit vector): less the more it points elsewhere."""
    across = chroma[..., 1] * hue[0] - chroma[..., 0] * hue[1]
    narrower = np.float32(_NARROWNESS) * np.abs(across)
    return np.asarray(_along(chroma, hue) - narrower, np.float32)


def _along(chroma: _Floats, hue: Sequence[_Floats]) -> _Floats:
    return np.asarray(chroma[..., 0] * hue[0] + chroma[..., 1] * hue[1], np.float32)


def _eroded(alpha: Alpha, size: int) -> Alpha:
    return np.asarray(cv2.erode(alpha, np.ones((size, size), np.uint8)), np.float32)


def _box(reach: float, picture: _Floats) -> int:
    """Side in pixels of the square that reaches so far (a fraction of the longer side)."""
    side: int = max(picture.shape[:2])
    return 2 * max(2, round(side * reach)) + 1


def _thrice(weights: Alpha) -> _Floats:
    """HxWx3: faster than to let numpy repeat the values itself."""
    return _merged(weights, weights, weights)


def _merged(*planes: _Floats) -> _Floats:
    return np.asarray(cv2.merge(planes), np.float32)


def _planes(picture: _Floats) -> list[_Floats]:
    """HxW each."""
    return [np.asarray(plane, np.float32) for plane in cv2.split(picture)]


def _shrunk(picture: _Floats, size_px: SizeWH) -> _Floats:
    return np.asarray(cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA), np.float32)


def _enlarged(picture: _Floats, size_px: SizeWH) -> _Floats:
    enlarged: Any = cv2.resize(picture, size_px, interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.float32)
