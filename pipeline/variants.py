"""What becomes of a person for one document: the crop, its colours, and the file within its bytes;
joins steps for ``flow``.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from pipeline import checks, colours, documents
from pipeline.affine import chain, shift
from pipeline.compose import compose
from pipeline.encode import MEDIA_TYPES, File, encode, fits
from pipeline.errors import BadOrder
from pipeline.foreground import estimate
from pipeline.geometry import place_in, plan_crop
from pipeline.matte import render
from pipeline.resample import warp
from pipeline.values import (
    Alpha,
    Background,
    Check,
    Document,
    Face,
    Head,
    IdPhoto,
    Matte,
    Order,
    Portrait,
    Rgb,
    SizeWH,
)

# Sizes that are tried where between two qualities of a file there is none that fits.
_NEIGHBOURS = 24


@dataclass(frozen=True, slots=True)
class Subject:
    """A portrait after the nets."""

    portrait: Portrait
    face: Face
    matte: Matte
    head: Head
    checks: tuple[Check, ...]
    """What is to be said about the upload, whatever is made of it."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The person in the frame of one document, on no background yet."""

    person_rgb: Rgb
    alpha: Alpha
    size_px: SizeWH
    dpi: int
    scale: float
    """Its pixels per pixel of the portrait; above 1 it is enlarged."""
    checks: tuple[Check, ...]


def crop(subject: Subject, document: Document) -> Crop:
    """The person as the document's rule wants them."""
    portrait, face, head = subject.portrait, subject.face, subject.head
    plan = plan_crop(face, head, document, portrait.photo_size_px)
    alpha, cut = render(subject.matte, plan, portrait.photo_size_px)
    from_region = chain(shift(*portrait.region_xy_px), plan.matrix)
    rgb = warp(portrait.region_rgb, from_region, plan.size_px)
    enlarge = plan.scale * portrait.photo_size_px[0] / portrait.full_size_px[0]
    about = (
        *subject.checks,
        *checks.judge("enlargement", enlarge),
        *checks.judge("body_cut", 100 * cut),
        *checks.of_placement(place_in(plan, face, head, document), document),
    )
    return Crop(estimate(rgb, alpha), alpha, plan.size_px, document.dpi, plan.scale, about)


def backgrounds(order: Order, document: Document) -> tuple[Background, ...]:
    """Those of the order, or else the document's own."""
    return order.backgrounds or (colours.parse(document.background),)


def photos(subject: Subject, document: Document, order: Order) -> tuple[IdPhoto, ...]:
    """The document in every background.

    Raises BadOrder (``too_many_bytes``, ``too_few_bytes``) where the order, and not the document
    alone, limits the bytes and no honest file has as many.
    """

    @cache
    def at(dpi: int) -> Crop:
        return crop(subject, documents.at_dpi(document, dpi))

    found = []
    for background in backgrounds(order, document):

        @cache
        def written(dpi: int, background: Background = background) -> File:
            made = at(dpi)
            pixels = compose(made.person_rgb, made.alpha, background)
            limit, progressive = document.bytes_limit, order.progressive
            return encode(pixels, order.format, dpi, limit, progressive=progressive)

        dpi = _fitting_dpi(document, written, at)
        data, encoding = written(dpi)
        if order.bytes_limit is not None:
            _require_bytes(data, document)
        about = at(dpi).checks + checks.of_file(len(data), document, background)
        found.append(
            IdPhoto(
                data,
                MEDIA_TYPES[order.format],
                at(dpi).size_px,
                document.id,
                background.name,
                about,
                order.quality,
                encoding,
            )
        )
    return tuple(found)


def _fitting_dpi(
    document: Document, written: Callable[[int], File], at: Callable[[int], Crop]
) -> int:
    """The density nearest to the document's own whose file has no fewer and no more bytes than it
    may have; where there is none, the one whose file is nearest to that.

    A photo becomes finer only as far as the portrait is.
    """
    own, limit = document.dpi, document.bytes_limit
    data, encoding = written(own)
    if limit is None or fits(data, limit):
        return own
    every = documents.densities(document)
    coarser = [dpi for dpi in reversed(every) if dpi < own]
    finer = [dpi for dpi in every if dpi > own]
    fewest, most = limit
    if len(data) > most:
        index = bisect_left(coarser, True, key=lambda dpi: len(written(dpi)[0]) <= most)
        tried = coarser[index : index + _NEIGHBOURS] or coarser[-1:]
    elif encoding.quality in (None, 100):
        last = bisect_left(finer, True, key=lambda dpi: at(dpi).scale > 1)
        finer = finer[:last]
        index = bisect_left(finer, True, key=lambda dpi: len(written(dpi)[0]) >= fewest)
        tried = finer[index : index + _NEIGHBOURS] or finer[-1:]
    else:
        tried = [*coarser[:_NEIGHBOURS], *finer[:_NEIGHBOURS]]

    def off(dpi: int) -> int:
        return max(fewest - len(written(dpi)[0]), len(written(dpi)[0]) - most, 0)

    return next((dpi for dpi in tried if off(dpi) == 0), min((own, *tried), key=off))


def _require_bytes(data: bytes, document: Document) -> None:
    if fits(data, document.bytes_limit) or document.bytes_limit is None:
        return
    fewest, most = document.bytes_limit
    if len(data) > most:
        raise BadOrder("too_many_bytes", bytes=len(data), limit=most)
    raise BadOrder("too_few_bytes", bytes=len(data), limit=fewest)
