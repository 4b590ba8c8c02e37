"""The two halves of the pipeline around the matting nets: with ``variants`` what joins steps.

    prepare_photo: bytes -> Portrait        (then: the nets, on Portrait.frames)
    finish_photo:  Portrait, alphas -> IdPhotos
    finish_sheet:  Portrait, alphas -> PrintSheet

and the same for photos that are judged as they are, and for cut-outs, which may show things.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline import checks, cutouts, fonts, reuse, sheets, variants, views
from pipeline.affine import stretch
from pipeline.appearance import (
    background_evenness,
    contrast,
    exposure,
    light_balance,
    sharpness,
    upright,
)
from pipeline.decode import decode
from pipeline.errors import UnusablePhoto
from pipeline.finding import FACE_SIDE_PX, FindFaces, HowDrawn, find_again, find_one
from pipeline.fusion import fuse
from pipeline.geometry import (
    estimate_head,
    measure_head,
    needed_scale,
    place_in,
    reach,
)
from pipeline.matte import CERTAIN, certainty, difference, keep_person, render
from pipeline.resample import fit, glance, square
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import (
    Alpha8,
    BoxXYXY,
    Check,
    CropPlan,
    CutoutOrder,
    Doubt,
    Face,
    Head,
    IdPhoto,
    Matte,
    Order,
    Photo,
    Portrait,
    Quality,
    Report,
    Rgb,
    SizeWH,
    View,
)

Sides = Mapping[str, int]
"""The matting nets: their roles ("person", "saliency") and the sides of their input in pixels."""
EXPERT = "expert"
"""The role of a stronger net that takes the place of the saliency net where that is not enough."""
Alphas = Mapping[str, Sequence[Alpha8]]
"""What each net answered for each of its views."""

# The first decode is fine enough for a head of half the photo's height; a smaller one costs a
# second decode.
_FIRST_DECODE = 2.0
# To enlarge by a tenth is not seen; to decode once more costs more than all other steps together.
_FINE_ENOUGH = 1.1
# What is finer than needed by less is left as it is: to shrink it costs more than to carry it on,
# but for a region that is kept.
_SHRINK, _KEPT_SHRINK = 0.5, 0.9
# Mattes that are further apart are not of the same person: half of it is missing in one of them, or
# as much is there that is not in the other.
_ANOTHER_PERSON = 0.5
# Fine enough for the eyes and the light; a photo that is judged as it is is not made anew.
_CHECKED_SIDE_PX = 1280


def prepare_photo(
    data: bytes,
    order: Order,
    find_faces: FindFaces,
    *,
    sides: Sides,
    max_pixels: int,
    how_drawn: HowDrawn | None = None,
) -> Portrait:
    """Everything up to the nets: a region around the one face, and what the nets are to see.

    Without ``how_drawn`` there is no check ``photo_like``.
    Raises the errors of ``decode`` and ``face``.
    """
    if order.finish.watermark:
        fonts.require(order.finish.watermark.text)
    own = variants.finest(order)
    wanted = (*own, reuse.any_document()) if order.reuse else own
    tallest_px = max(document.size_px[1] for document in wanted)
    long_side_px = max(FACE_SIDE_PX, round(_FIRST_DECODE * tallest_px))
    photo = decode(data, long_side_px=long_side_px, max_pixels=max_pixels)
    small = glance(photo.rgb, FACE_SIDE_PX)
    face = find_one(photo, small, find_faces, how_drawn)

    head = estimate_head(face)
    scale = max(needed_scale(head, document) for document in wanted)
    if scale > _FINE_ENOUGH and _size(photo)[0] < photo.full_size_px[0]:
        # The head is small in the photo: the pixels that it needs are there, at a finer scale.
        coarse, finer_px = photo, _long_side(photo, scale)
        photo = decode(data, long_side_px=finer_px, max_pixels=max_pixels)
        if order.reuse:
            photo = Photo(fit(photo.rgb, finer_px), photo.full_size_px)
        face = find_again(photo, face.scaled(*_ratio(photo, coarse)), find_faces)
    elif scale < (_KEPT_SHRINK if order.reuse else _SHRINK):
        coarse = photo
        photo = Photo(fit(photo.rgb, _long_side(coarse, scale)), photo.full_size_px)
        face = face.scaled(*_ratio(photo, coarse))
    head = estimate_head(face)

    size_px = _size(photo)
    box = reach(head, own, size_px, order.nudge)
    wide = views.wide_box(head, box, size_px)
    if order.reuse:
        # No further than the nets see for the order itself: what is kept does not change its matte.
        box = _shared(reach(head, wanted, size_px, reuse.ANY_NUDGE), wide)
    x0, y0, x1, y1 = (int(edge) for edge in box)
    region = photo.rgb[y0 : y1 + 1, x0 : x1 + 1].copy()
    asked = _views(photo, small, head, wide, sides, order.quality)
    behind = _background(order, max_pixels)
    return Portrait(region, (x0, y0), size_px, photo.full_size_px, len(data), face, asked, behind)


def finish_photo(
    portrait: Portrait, alphas: Alphas, order: Order, *, expert_side_px: int | None = None
) -> tuple[IdPhoto, ...] | Doubt:
    """Every document of the order in every background, documents first, from one matte.

    Where there is an expert net, whose input has that side, and the others' matte is not certain,
    the answer is a Doubt: call again with what the expert says of it among ``alphas``.
    Raises UnusablePhoto (``matte_unreliable``) or BadOrder (``too_many_bytes``,
    ``too_few_bytes``).
    """
    found = subject(portrait, alphas, expert_side_px=expert_side_px)
    return found if isinstance(found, Doubt) else variants.every(found, order)


def finish_sheet(
    portrait: Portrait, alphas: Alphas, order: SheetOrder, *, expert_side_px: int | None = None
) -> PrintSheet | Doubt:
    """The sheet, its photos made at its own density; otherwise as ``finish_photo``.

    ``prepare_photo`` prepares it, with ``order.prepared``.
    """
    found = subject(portrait, alphas, expert_side_px=expert_side_px)
    return found if isinstance(found, Doubt) else sheets.printed(found, order)


def print_as_is(data: bytes, order: SheetOrder, *, max_pixels: int) -> PrintSheet:
    """The sheet of a finished ID photo, without a look at what it shows.

    Raises the errors of ``decode``, and BadOrder as ``sheets.as_is``.
    """
    (document,) = order.photos.documents
    return sheets.as_is(
        decode(data, long_side_px=max(document.size_px), max_pixels=max_pixels), order
    )


def prepare_check(
    data: bytes,
    order: Order,
    find_faces: FindFaces,
    *,
    sides: Sides,
    max_pixels: int,
    how_drawn: HowDrawn | None = None,
) -> Portrait:
    """The whole photo as it is, and what the nets are to see.

    Raises as ``prepare_photo`` does.
    """
    photo = decode(data, long_side_px=_CHECKED_SIDE_PX, max_pixels=max_pixels)
    photo = Photo(fit(photo.rgb, _CHECKED_SIDE_PX), photo.full_size_px)
    small = glance(photo.rgb, FACE_SIDE_PX)
    face = find_one(photo, small, find_faces, how_drawn)
    size_px = _size(photo)
    asked = _views(photo, small, estimate_head(face), _whole(size_px), sides, order.quality)
    return Portrait(photo.rgb, (0, 0), size_px, photo.full_size_px, len(data), face, asked)


def finish_check(portrait: Portrait, alphas: Alphas, order: Order) -> tuple[Report, ...]:
    """The photo judged as it is, for every document of the order.

    Raises UnusablePhoto (``matte_unreliable``).
    """
    face = _face(portrait)
    matte, head = _person(portrait, alphas, face)
    size_px = portrait.photo_size_px
    whole = CropPlan(stretch(size_px, size_px), size_px, 1.0)
    alpha, _ = render(matte, whole, size_px)
    uneven = background_evenness(portrait.region_rgb, alpha)
    about_photo = (
        *_of_photo(portrait, face, matte, head, as_is=True),
        *checks.judge("background_evenness", uneven),
    )
    return tuple(
        Report(
            document.id,
            (
                *about_photo,
                *checks.of_placement(place_in(whole, face, head, document), document),
                *checks.of_file(portrait.file_size, document),
                *checks.of_size(portrait.full_size_px, document),
            ),
        )
        for document in order.documents
    )


def prepare_cutout(
    data: bytes, order: CutoutOrder, find_faces: FindFaces, *, sides: Sides, max_pixels: int
) -> Portrait:
    """The whole picture at most at the order's size, and what the nets are to see.

    The person net is asked about people only, and there is no telling a thing from a person but by
    the face. Raises the errors of ``decode``, PhotoTooLarge (``side_too_long``), and where a person
    is wanted UnusablePhoto (``no_face``).
    """
    style = cutouts.styled(order)
    photo = decode(data, long_side_px=cutouts.first_side_px(style), max_pixels=max_pixels)
    photo = cutouts.sized(photo, style)
    size_px = _size(photo)
    whole = _whole(size_px)
    if style.matte == "saliency":
        seen = {"saliency": (cutouts.salient_view(photo, sides["saliency"]),)}
        return Portrait(photo.rgb, (0, 0), size_px, photo.full_size_px, len(data), None, seen)
    small = glance(photo.rgb, FACE_SIDE_PX)
    face = cutouts.one_face(lambda: find_one(photo, small, find_faces), style)
    head = estimate_head(face) if face else None
    if face is None:
        sides = {role: side for role, side in sides.items() if role != "person"} or sides
    asked = _views(photo, small, head, whole, sides, order.quality)
    return Portrait(photo.rgb, (0, 0), size_px, photo.full_size_px, len(data), face, asked)


def finish_cutout(portrait: Portrait, alphas: Alphas, order: CutoutOrder) -> IdPhoto:
    """The person or thing on transparent ground, or its mask.

    Raises what ``cutouts.finished`` does.
    """
    return cutouts.finished(portrait, alphas, cutouts.styled(order))


def _background(order: Order, max_pixels: int) -> Rgb | None:
    """The picture of the order's background, at most twice as fine as needed."""
    if order.background_image is None:
        return None
    side_px = 2 * max(max(document.size_px) for document in variants.finest(order))
    photo = decode(order.background_image, long_side_px=side_px, max_pixels=max_pixels)
    return fit(photo.rgb, side_px)


def _views(
    photo: Photo, small: Rgb, head: Head | None, wide: BoxXYXY, sides: Sides, quality: Quality
) -> dict[str, tuple[View, ...]]:
    """The wide view for every net that is asked, and a close one for the person net."""
    if quality == "fast" and "person" in sides:
        sides = {"person": sides["person"]}
    # One picture serves all nets: the smaller ones shrink it.
    first = views.cut(photo, wide, max(sides.values()), small)
    asked: dict[str, tuple[View, ...]] = {role: (first,) for role in sides}
    close = head and views.close_box(head, wide)
    if close and "person" in sides:
        asked["person"] = first, views.cut(photo, close, sides["person"])
    return asked


def subject(
    portrait: Portrait, alphas: Alphas, *, expert_side_px: int | None = None
) -> variants.Subject | Doubt:
    """The person, of whom ``variants`` and ``sheets`` make files; or, as in ``finish_photo``, what
    the expert net is to see first.

    Raises UnusablePhoto (``matte_unreliable``).
    """
    face = _face(portrait)
    ask_px = None if EXPERT in alphas else expert_side_px
    try:
        matte, head = _person(portrait, alphas, face)
        doubtful = ask_px is not None and certainty(matte, estimate_head(face)) < CERTAIN
    except UnusablePhoto:
        if ask_px is None:
            raise
        doubtful = True
    if ask_px is not None and doubtful:
        return Doubt({EXPERT: (_expert_view(portrait, ask_px).rgb,)})
    about = _of_photo(portrait, face, matte, head)
    return variants.Subject(portrait, face, matte, head, about)


def _face(portrait: Portrait) -> Face:
    if portrait.face is None:
        raise ValueError("an ID photo needs a face")
    return portrait.face


def _person(portrait: Portrait, alphas: Alphas, face: Face) -> tuple[Matte, Head]:
    """The matte of the face's person and the head that it shows.

    Of the matte with the expert net and the one without it the more certain one is kept, if the
    expert sees the same person at all.
    """
    skull, box = estimate_head(face), _region_box(portrait)
    matte = fuse(alphas, portrait.views, box)
    if EXPERT in alphas:
        side_px = alphas[EXPERT][0].shape[0]
        seen, views = alphas[EXPERT], (_expert_view(portrait, side_px),)
        alone = fuse({"saliency": seen}, {"saliency": views}, box)
        if difference(matte, alone, skull) < _ANOTHER_PERSON:
            joined = {**portrait.views, "saliency": views}
            second = fuse({**alphas, "saliency": seen}, joined, box)
            matte = max(matte, second, key=lambda matte: certainty(matte, skull))
    matte = keep_person(matte, face, skull)
    return matte, measure_head(face, matte)


def _expert_view(portrait: Portrait, side_px: int) -> View:
    return View(square(portrait.region_rgb, side_px), _region_box(portrait))


def _of_photo(
    portrait: Portrait, face: Face, matte: Matte, head: Head, *, as_is: bool = False
) -> tuple[Check, ...]:
    """What is to be said about the upload, whatever is made of it."""
    x, y = portrait.region_xy_px
    seen = upright(portrait.region_rgb, face.moved(-x, -y))
    finer = portrait.full_size_px[0] / portrait.photo_size_px[0]
    look = face.look
    values: dict[str, float | None] = {
        "faces": 1.0,
        "photo_like": face.drawn,
        "matte": 100 * certainty(matte, estimate_head(face)),
        "eye_distance": head.interpupillary_px * finer,
        "roll": head.roll_deg,
        "yaw": look.yaw_deg if look else None,
        "eyes_open": look.eye_opening if look else None,
        "mouth_open": look.mouth_opening if look else None,
        "sharpness": sharpness(seen),
        "exposure": exposure(seen),
        "contrast": contrast(seen),
        "light_balance": light_balance(seen),
    }
    return tuple(
        check for code, value in values.items() for check in checks.judge(code, value, as_is=as_is)
    )


def _shared(one: BoxXYXY, other: BoxXYXY) -> BoxXYXY:
    """What both boxes hold."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _whole(size_px: SizeWH) -> BoxXYXY:
    return 0.0, 0.0, float(size_px[0]), float(size_px[1])


def _size(photo: Photo) -> SizeWH:
    return photo.rgb.shape[1], photo.rgb.shape[0]


def _long_side(photo: Photo, scale: float) -> int:
    return round(max(_size(photo)) * scale)


def _ratio(new: Photo, old: Photo) -> tuple[float, float]:
    return _size(new)[0] / _size(old)[0], _size(new)[1] / _size(old)[1]


def _region_box(portrait: Portrait) -> BoxXYXY:
    """The part of the photo that the region shows."""
    x, y = portrait.region_xy_px
    height, width = portrait.region_rgb.shape[:2]
    return float(x), float(y), float(x + width), float(y + height)
