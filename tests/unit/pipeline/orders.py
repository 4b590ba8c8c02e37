"""What the tests of the flow share: orders, and the pictures on either side of it."""

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline import colours, documents
from pipeline.flow import finish_photo, prepare_photo
from pipeline.values import Alpha8, Face, IdPhoto, ImageFormat, Order, Portrait, Quality, Rgb

FindFaces = Callable[[Rgb], Sequence[Face]]
Alphas = Mapping[str, Sequence[Alpha8]]
Answer = Callable[[Portrait], Alphas]

SIDES = {"person": 256, "saliency": 320}
LIMIT = 50_000_000
DOCUMENTS = ("us-passport", "cn-1-inch")
BACKGROUNDS = ("white", "blue", "red", "#d7e3c1")


def order_of(
    ids: Sequence[str] = DOCUMENTS,
    backgrounds: Sequence[str] = BACKGROUNDS,
    format: ImageFormat = "png",
    dpi: int | None = None,
    quality: Quality = "best",
) -> Order:
    return Order(
        tuple(documents.at_dpi(found, dpi or found.dpi) for found in map(documents.find, ids)),
        tuple(colours.parse(name) for name in backgrounds),
        format,
        quality,
    )


def prepared(file: bytes, find_faces: FindFaces, order: Order | None = None) -> Portrait:
    return prepare_photo(file, order or order_of(), find_faces, sides=SIDES, max_pixels=LIMIT)


def finished(portrait: Portrait, alphas: Alphas, order: Order) -> tuple[IdPhoto, ...]:
    """What comes of it where no expert is asked."""
    photos = finish_photo(portrait, alphas, order)
    assert isinstance(photos, tuple)
    return photos


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def pixels(photo: IdPhoto) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(photo.data)) as image:
        assert image.size == photo.size_px
        return np.asarray(image)
