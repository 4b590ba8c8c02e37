"""Photos that can be told apart once they are finished: every client has a face, a size and a
background of its own, so that an answer that was another's is noticed.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image

# Sizes that differ from each other.
DOCUMENTS = ("cn-1-inch", "cn-2-inch", "us-passport", "schengen-visa")
# Levels of 255 apart enough for JPEG, and many enough: five to the third colours.
_LEVELS = (20, 75, 130, 185, 240)
_GROUND_TOLERANCE = 16
# Replicas may run the net in other precisions, which moves an edge or a crop by a pixel. Another
# face differs by several times as much.
_FACE_TOLERANCE = 10.0


@dataclass(frozen=True, slots=True)
class Mark:
    """What one client asks for."""

    photo: str
    document: str
    background_rgb: tuple[int, int, int]

    @property
    def background(self) -> str:
        """As the service takes it."""
        return "#" + bytes(self.background_rgb).hex()


def marks(photos: Sequence[str]) -> Iterator[Mark]:
    """Marks that all differ in the background, with photos and documents in turn; 125 of them."""
    pairs = [(photo, document) for document in DOCUMENTS for photo in photos]
    colours = [(red, green, blue) for blue, red, green in product(_LEVELS, repeat=3)]
    for number, colour in enumerate(colours):
        photo, document = pairs[number % len(pairs)]
        yield Mark(photo, document, colour)


def fault(mark: Mark, expected: bytes, answer: bytes) -> str | None:
    """What is wrong with an answer: "unreadable", "size", "background" or "face"; or None.

    ``expected`` is the same order's answer of a service that nothing happens to.
    """
    try:
        found = pixels(answer)
    except (OSError, SyntaxError, ValueError):
        return "unreadable"
    wanted = pixels(expected)
    if found.shape != wanted.shape:
        return "size"
    if ground_difference(found, mark.background_rgb) > _GROUND_TOLERANCE:
        return "background"
    if np.abs(found - wanted).mean() > _FACE_TOLERANCE:
        return "face"
    return None


def pixels(data: bytes) -> npt.NDArray[np.float32]:
    """HxWx3 float32, 0..255. Raises OSError, SyntaxError or ValueError for what is no picture."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), np.float32)


def ground_difference(
    picture: npt.NDArray[np.float32], background_rgb: tuple[int, int, int]
) -> float:
    """Levels of 255 by which the picture's upper corners are off the colour: the median of each
    corner, the worst channel, the better corner, as hair may reach the other one.
    """
    side_px = max(2, picture.shape[1] // 20)
    corners = (picture[:side_px, :side_px], picture[:side_px, -side_px:])
    medians = [np.median(corner.reshape(-1, 3), axis=0) for corner in corners]
    return float(min(np.abs(median - background_rgb).max() for median in medians))
