"""Ways in which photos are spoilt: by light, lens, sensor, print and file."""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.values import Rgb

Spoil = Callable[[Rgb, float, np.random.Generator], Rgb]
"""Of a picture, the distance of the eyes in it in pixels, and chance, the same picture spoilt."""

_SEPIA = np.array([230, 195, 150])
_GAMMA = 2.2


def _whole(values: npt.NDArray[np.floating]) -> Rgb:
    return np.asarray(np.clip(values.round(), 0, 255), np.uint8)


def _grey(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    return np.repeat(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)[..., None], 3, 2)


def _sepia(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    return _whole(_grey(rgb, eyes_px, chance) / 255 * _SEPIA)


def _jpeg(quality: int) -> Spoil:
    def spoil(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
        _, file = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)

    return spoil


def _noise(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    return _whole(rgb + chance.normal(0, 12, rgb.shape))


def _light(stops: float, fall: float = 0.0) -> Spoil:
    """Exposure by so many stops, and what falls off from the right to the left."""

    def spoil(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
        at = stops - fall * np.linspace(1, 0, rgb.shape[1])[None, :, None]
        light: npt.NDArray[np.float64] = (rgb / 255) ** _GAMMA * 2**at
        return _whole(255 * np.clip(light, 0, 1) ** (1 / _GAMMA))

    return spoil


def _flat(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    return _whole(128 + 0.45 * (rgb - 128.0))


def _smoothed(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    """As beauty filters do it."""
    return np.asarray(cv2.bilateralFilter(rgb, -1, 35, 0.06 * eyes_px), np.uint8)


def _sharpened(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    soft = cv2.GaussianBlur(rgb, (0, 0), max(0.8, 0.015 * eyes_px)).astype(float)
    return _whole(rgb + 1.5 * (rgb - soft))


def _blurred(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), max(0.5, 0.02 * eyes_px)), np.uint8)


def _coarse(to_px: float) -> Spoil:
    """As if the eyes had been so many pixels apart."""

    def spoil(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
        scale = min(1.0, to_px / eyes_px)
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        size_px = rgb.shape[1], rgb.shape[0]
        return np.asarray(cv2.resize(small, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)

    return spoil


def _printed(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    """As the dots of a newspaper."""
    grey = _grey(rgb, eyes_px, chance)[..., 0] / 255
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    turn = 2 * np.pi / 5
    level = 0.5 + 0.25 * (np.cos((x + y) * turn) + np.cos((x - y) * turn))
    dots = cv2.GaussianBlur((grey > level).astype(np.float32), (0, 0), 1.3)
    return np.repeat(_whole(255 * np.asarray(dots))[..., None], 3, 2)


def _scanned(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    """As an old print with grain."""
    grain = 2.5 * cv2.GaussianBlur(chance.normal(0, 10, rgb.shape[:2]), (0, 0), 1.2)[..., None]
    faded = 40 + 0.75 * (_sepia(rgb, eyes_px, chance) + grain)
    soft = _whole(np.asarray(cv2.GaussianBlur(faded, (0, 0), 0.8)))
    return _jpeg(70)(soft, eyes_px, chance)


def _mixed(rgb: Rgb, eyes_px: float, chance: np.random.Generator) -> Rgb:
    soft = cv2.GaussianBlur(rgb, (0, 0), max(0.4, 0.012 * eyes_px))
    noisy = 128 + 0.75 * (soft + chance.normal(0, 5, rgb.shape) - 128)
    return _jpeg(55)(_whole(noisy), eyes_px, chance)


SPOILINGS: dict[str, Spoil] = {
    "grey": _grey,
    "sepia": _sepia,
    "JPEG 30": _jpeg(30),
    "noise": _noise,
    "two stops under": _light(-2),
    "a stop over": _light(1),
    "side light": _light(1.5, 3.5),
    "flat": _flat,
    "smoothed": _smoothed,
    "sharpened": _sharpened,
    "blurred": _blurred,
    "eyes 40 px apart": _coarse(40),
    "eyes 20 px apart": _coarse(20),
    "newspaper": _printed,
    "old scan": _scanned,
    "soft, noisy, flat, JPEG 55": _mixed,
}
