"""Backgrounds to put true foregrounds on: plain walls, parts of photos without people, clutter."""

import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.values import Alpha, Rgb, SizeWH

PLAIN: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        "white wall": (244, 243, 240),
        "light blue": (173, 206, 235),
        "mid grey": (128, 128, 128),
        "brick red": (150, 68, 52),
        "green": (0, 177, 64),
    }
)
# Parts of photos that show no person: file, and left, top, right, bottom as fractions.
_PARTS = (
    ("wood", "coffee-cup.png", (0.0, 0.0, 0.30, 1.0)),
    ("leaves", "lemur.png", (0.78, 0.0, 1.0, 1.0)),
    ("houses", "sports-car.jpg", (0.35, 0.0, 1.0, 0.28)),
    ("lake", "red-hair-lake.jpg", (0.0, 0.0, 0.28, 1.0)),
    ("rocks", "profile-by-sea.jpg", (0.65, 0.0, 1.0, 1.0)),
    ("dock", "silhouette-no-face.jpg", (0.65, 0.0, 1.0, 1.0)),
)
_NOISE_LEVELS, _JPEG_QUALITY = 2.0, 90
_Draw: TypeAlias = Callable[[SizeWH], Rgb]


def grounds(folder: Path) -> Iterator[tuple[str, str, _Draw]]:
    """Kind ("plain", "photo" or "drawn"), name, and what draws it at a size (width, height).

    Parts of photos that the folder does not hold are left out.
    """
    for name, colour in PLAIN.items():
        yield "plain", name, partial(wall, colour)
    for name, file, (left, top, right, bottom) in _PARTS:
        path = next((p for p in (folder / "photos" / file, folder / file) if p.exists()), None)
        if path is not None:
            whole = Image.open(path).convert("RGB")
            width, height = whole.size
            part = whole.crop(
                (int(left * width), int(top * height), int(right * width), int(bottom * height))
            )
            yield "photo", name, partial(_cover, part)
    yield "drawn", "dead leaves", dead_leaves
    yield "drawn", "shelves", shelves


def wall(colour: tuple[int, int, int], size_px: SizeWH) -> Rgb:
    """A plain wall that is lit from the top left: 5 % brighter there, 5 % darker opposite."""
    columns, rows = np.linspace(0, 1, size_px[0]), np.linspace(0, 1, size_px[1])
    light = 1.05 - 0.05 * (columns[None, :] + rows[:, None])
    return np.asarray(np.clip(np.rint(light[..., None] * np.array(colour)), 0, 255), np.uint8)


def dead_leaves(size_px: SizeWH) -> Rgb:
    """Discs of random colours that hide each other, their radii distributed as 1 / r^3: the
    statistics of edges in photos (Lee, Mumford and Huang, 2001). Slightly out of focus.
    """
    random = np.random.default_rng(1)
    width, height = size_px
    picture = np.full((height, width, 3), 128, np.uint8)
    least, most = 0.01 * height, 0.35 * height
    for share in random.random(1500):
        radius = ((1 - share) * most**-2 + share * least**-2) ** -0.5
        middle = random.integers(0, (width, height))
        colour = random.integers(20, 235, 3)
        cv2.circle(
            picture, (int(middle[0]), int(middle[1])), int(radius), [int(c) for c in colour], -1
        )
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), height / 400), np.uint8)


def shelves(size_px: SizeWH) -> Rgb:
    """Upright books of random widths and colours on five shelves: long straight edges."""
    random = np.random.default_rng(2)
    width, height = size_px
    picture = np.full((height, width, 3), (70, 50, 35), np.uint8)
    for row in range(5):
        top, bottom = height * row // 5, height * (row + 1) // 5 - max(2, height // 60)
        x = 0
        while x < width:
            thick = int(random.integers(max(3, width // 50), max(5, width // 14)))
            short = int(random.integers(0, max(1, height // 20)))
            picture[top + short : bottom, x : x + thick - 1] = random.integers(20, 235, 3)
            x += thick
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), height / 400), np.uint8)


def composed(own: Rgb, alpha: Alpha, ground: Rgb) -> Rgb:
    """The person on the ground as a camera would store it: alpha blend, noise, JPEG; uint8 HxWx3.

    The same inputs give the same noise.
    """
    cover = alpha[..., None]
    picture = cover * own + (1 - cover) * ground
    seed = zlib.crc32(own.tobytes()) ^ zlib.crc32(ground.tobytes())
    noise = np.random.default_rng(seed).normal(0, _NOISE_LEVELS, picture.shape)
    file = io.BytesIO()
    pixels = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY)
    return np.asarray(Image.open(file).convert("RGB"))


def own_colours(rgb: Rgb, alpha: Alpha, rounds: int = 12) -> Rgb:
    """The person's own colours by a true alpha, uint8 HxWx3: what ``pipeline.foreground`` is held
    against, and therefore another method.

    Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020: foreground and background
    that blend to the picture and are smooth where alpha is, solved from coarse to fine. Jacobi
    steps in place of their Gauss-Seidel ones.
    """
    height, width = alpha.shape
    picture = rgb.astype(np.float32)
    levels = int(np.ceil(np.log2(max(width, height))))
    foreground = background = np.zeros((1, 1, 3), np.float32)
    for level in range(levels + 1):
        size_px = (
            max(1, round(width ** (level / levels))),
            max(1, round(height ** (level / levels))),
        )
        seen = _resized(picture, size_px, cv2.INTER_AREA)
        cover = _resized(alpha, size_px, cv2.INTER_AREA)
        foreground = _resized(foreground, size_px, cv2.INTER_NEAREST)
        background = _resized(background, size_px, cv2.INTER_NEAREST)
        for _ in range(rounds):
            foreground, background = _step(seen, cover, foreground, background)
    return np.rint(foreground).astype(np.uint8)


_Floats = npt.NDArray[np.float32]


def _step(
    seen: _Floats, cover: _Floats, foreground: _Floats, background: _Floats
) -> tuple[_Floats, _Floats]:
    """One Jacobi step: at each pixel the 2x2 system of the paper's equation for F and B."""
    total = np.zeros_like(cover)
    near, far = np.zeros_like(foreground), np.zeros_like(background)
    padded = np.pad(cover, 1, mode="edge")
    wide = np.pad(foreground, ((1, 1), (1, 1), (0, 0)), mode="edge")
    behind = np.pad(background, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows, columns = cover.shape
    for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
        at = slice(y, y + rows), slice(x, x + columns)
        weight = 1e-5 + np.abs(padded[at] - cover)
        total += weight
        near += weight[..., None] * wide[at]
        far += weight[..., None] * behind[at]
    a, rest = cover[..., None], 1 - cover[..., None]
    total = total[..., None]
    near += a * seen
    far += rest * seen
    own, other, mixed = a * a + total, rest * rest + total, a * rest
    determinant = own * other - mixed * mixed
    return (
        np.clip((other * near - mixed * far) / determinant, 0, 255),
        np.clip((own * far - mixed * near) / determinant, 0, 255),
    )


def _resized(picture: _Floats, size_px: SizeWH, how: int) -> _Floats:
    return np.asarray(cv2.resize(picture, size_px, interpolation=how), np.float32)


def _cover(part: Image.Image, size_px: SizeWH) -> Rgb:
    """The part scaled to cover the size, and its middle."""
    factor = max(size_px[0] / part.width, size_px[1] / part.height)
    scaled = part.resize(
        (round(part.width * factor), round(part.height * factor)), Image.Resampling.BICUBIC
    )
    left, top = (scaled.width - size_px[0]) // 2, (scaled.height - size_px[1]) // 2
    return np.asarray(scaled.crop((left, top, left + size_px[0], top + size_px[1])))
