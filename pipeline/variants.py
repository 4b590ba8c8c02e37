"""What becomes of a person for one document: the crop, its colours, and the file within its bytes;
joins steps for ``flow``.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from pipeline import checks, colours, documents, finishing
from pipeline.affine import chain, shift
from pipeline.compose import compose
from pipeline.encode import MEDIA_TYPES, File, encode, fits
from pipeline.errors import BadOrder
from pipeline.finish_values import PLAIN, UNADJUSTED, Adjusted, Finish
from pipeline.foreground import estimate
from pipeline.geometry import place_in, plan_crop
from pipeline.matte import render
from pipeline.nudge import nudged
from pipeline.resample import sample
from pipeline.values import (
    Alpha,
    Background,
    Check,
    CropPlan,
    Document,
    Face,
    Head,
    IdPhoto,
    Matte,
    Nudge,
    Order,
    Portrait,
    Rgb,
    Rgba,
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
    nudge: Nudge | None = None
    """What was applied, where one was asked."""
    adjusted: Adjusted = UNADJUSTED


def planned(
    subject: Subject, document: Document, nudge: Nudge | None
) -> tuple[CropPlan, Nudge | None]:
    """The crop that the document's rule wants, nudged as far as it allows; and how far that is."""
    face, head, size_px = subject.face, subject.head, subject.portrait.photo_size_px
    plan = plan_crop(face, head, document, size_px)
    if nudge is None:
        return plan, None
    return nudged(plan, place_in(plan, face, head, document), document, size_px, nudge)


def crop(
    subject: Subject, document: Document, nudge: Nudge | None = None, finish: Finish = PLAIN
) -> Crop:
    """The person as the document's rule wants them, nudged as far as it allows, and adjusted."""
    portrait, face, head = subject.portrait, subject.face, subject.head
    plan, applied = planned(subject, document, nudge)
    alpha, cut = render(subject.matte, plan, portrait.photo_size_px)
    from_region = chain(shift(*portrait.region_xy_px), plan.matrix)
    rgb = sample(portrait.region_rgb, from_region, plan.size_px)
    enlarge = plan.scale * portrait.photo_size_px[0] / portrait.full_size_px[0]
    person, adjusted, said = finishing.adjusted(
        estimate(rgb, alpha), plan, portrait, face, subject.checks, document.retouching, finish
    )
    about = (
        *_turned(said, applied),
        *checks.judge("enlargement", enlarge),
        *checks.judge("body_cut", 100 * cut),
        *checks.of_placement(place_in(plan, face, head, document), document),
    )
    size_px, dpi = plan.size_px, document.dpi
    return Crop(person, alpha, size_px, dpi, plan.scale, about, applied, adjusted)


Cropper: TypeAlias = Callable[[Subject, Document, Nudge | None, Finish], Crop]
"""``crop``, or what remembers its answers."""


def _turned(said: tuple[Check, ...], nudge: Nudge | None) -> tuple[Check, ...]:
    """The checks with the tilt that was asked for, where a finished photo must not have it."""
    tilt = checks.judge("roll", nudge.turn, as_is=True) if nudge else ()
    if all(check.result == "pass" for check in tilt):
        return said
    return (*(check for check in said if check.code != "roll"), *tilt)


def picture(subject: Subject, crop: Crop, background: Background, finish: Finish) -> Rgb | Rgba:
    """The person on the background, with the marks that are wanted."""
    behind = subject.portrait.background_rgb
    return finishing.marked(compose(crop.person_rgb, crop.alpha, background, behind), finish)


def backgrounds(order: Order, document: Document) -> tuple[Background, ...]:
    """Those of the order, or else the document's own."""
    return order.backgrounds or (colours.parse(document.background),)


def every(subject: Subject, order: Order, cropper: Cropper = crop) -> tuple[IdPhoto, ...]:
    """Every document of the order in every background, documents first; each in its own size and
    then, where that is wanted, as fine as the photo. Raises as ``photos``.
    """
    wanted = [
        made
        for document in order.documents
        for made in (document, *_finer(subject, document, order))
    ]
    return tuple(
        photo for document in wanted for photo in photos(subject, document, order, cropper)
    )


def _finer(subject: Subject, document: Document, order: Order) -> tuple[Document, ...]:
    if order.finest_px is None:
        return ()
    plan, _ = planned(subject, document, order.nudge)
    return (documents.finer(document, 1 / plan.scale, order.finest_px),)


def finest(order: Order) -> tuple[Document, ...]:
    """The documents, with the most pixels that may be wanted of them."""
    if order.finest_px is not None:
        return tuple(documents.finer(each, math.inf, order.finest_px) for each in order.documents)
    if order.bytes_limit is None or order.bytes_limit[0] == 0:
        return order.documents
    return tuple(
        documents.at_dpi(document, documents.densities(document)[-1])
        for document in order.documents
    )


def photos(
    subject: Subject, document: Document, order: Order, cropper: Cropper = crop
) -> tuple[IdPhoto, ...]:
    """The document in every background.

    Raises BadOrder (``too_many_bytes``, ``too_few_bytes``) where the order, and not the document
    alone, limits the bytes and no honest file has as many.
    """

    @cache
    def at(dpi: int) -> Crop:
        return cropper(subject, documents.at_dpi(document, dpi), order.nudge, order.finish)

    found = []
    for background in backgrounds(order, document):

        @cache
        def written(dpi: int, background: Background = background) -> File:
            pixels = picture(subject, at(dpi), background, order.finish)
            limit, progressive = document.bytes_limit, order.progressive
            about = finishing.xmp(pixels, order.finish.label)
            return encode(pixels, order.format, dpi, limit, progressive=progressive, xmp=about)

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
                at(dpi).nudge,
                at(dpi).adjusted,
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
