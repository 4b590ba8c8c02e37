"""The two halves of the pipeline around the matting nets; the only module that joins steps.

prepare_photo: bytes -> Portrait        (then: the nets, on Portrait.frame_rgb)
finish_photo:  Portrait, alphas -> IdPhotos
"""

from collections.abc import Callable, Mapping, Sequence

from pipeline.affine import chain, shift, stretch
from pipeline.compose import compose, mask
from pipeline.decode import decode
from pipeline.encode import MEDIA_TYPES, encode
from pipeline.face import the_one
from pipeline.foreground import estimate
from pipeline.geometry import estimate_head, findings, needed_scale, plan_crop, reach
from pipeline.matte import check_person, check_subject, fuse, render
from pipeline.resample import fit, square, warp
from pipeline.values import (
    Alpha8,
    Background,
    CropPlan,
    CutoutOrder,
    Face,
    IdPhoto,
    Matrix,
    Order,
    Photo,
    Portrait,
    Rgb,
    SizeWH,
)

FindFaces = Callable[[Rgb], Sequence[Face]]

_FACE_SIDE_PX = 640
# The first decode is fine enough for a head of a third of the photo's height; a smaller one costs a
# second decode.
_FIRST_DECODE = 2.0
_CUTOUT_DPI = 72


def prepare_photo(
    data: bytes, order: Order, find_faces: FindFaces, *, frame_px: int, max_pixels: int
) -> Portrait:
    """Everything up to the nets: a decoded region around the one face, and the nets' view of the
    photo.

    Raises the errors of ``decode`` and ``face``.
    """
    tallest_px = max(document.size_px[1] for document in order.documents)
    long_side_px = max(_FACE_SIDE_PX, round(_FIRST_DECODE * tallest_px))
    photo = decode(data, long_side_px=long_side_px, max_pixels=max_pixels)
    face = _find(photo, find_faces)

    head = estimate_head(face)
    scale = max(needed_scale(head, document) for document in order.documents)
    if scale > 1 and _size(photo)[0] < photo.full_size_px[0]:
        # The head is small in the photo: the pixels that it needs are there, at a finer scale.
        coarse = photo
        photo = decode(data, long_side_px=_long_side(coarse, scale), max_pixels=max_pixels)
        face = face.scaled(*_ratio(photo, coarse))
    elif scale < 0.5:
        coarse = photo
        photo = Photo(fit(photo.rgb, _long_side(coarse, scale)), photo.full_size_px)
        face = face.scaled(*_ratio(photo, coarse))
    head = estimate_head(face)

    size_px = _size(photo)
    x0, y0, x1, y1 = (int(edge) for edge in reach(head, order.documents, size_px))
    region = photo.rgb[y0 : y1 + 1, x0 : x1 + 1].copy()
    frame = square(photo.rgb, frame_px)
    return Portrait(region, (x0, y0), size_px, photo.full_size_px, face, frame)


def finish_photo(
    portrait: Portrait, alphas: Mapping[str, Alpha8], order: Order
) -> tuple[IdPhoto, ...]:
    """Every document of the order in every background, documents first, from one matte.

    Raises UnusablePhoto (``matte_unreliable``).
    """
    if portrait.face is None:
        raise ValueError("an ID photo needs a face")
    matte = fuse(alphas, portrait.photo_size_px)
    check_person(matte, portrait.face)
    photos = []
    for document in order.documents:
        plan = plan_crop(portrait.face, matte, document)
        alpha, cut = render(matte, plan)
        rgb = warp(portrait.region_rgb, _from_region(portrait, plan), plan.size_px)
        person = estimate(rgb, alpha)
        enlarge = plan.scale * portrait.photo_size_px[0] / portrait.full_size_px[0]
        said = findings(enlarge, cut)
        for background in order.backgrounds:
            pixels = compose(person, alpha, background)
            data = encode(pixels, order.format, order.dpi or document.dpi)
            photos.append(
                IdPhoto(
                    data,
                    MEDIA_TYPES[order.format],
                    plan.size_px,
                    document.id,
                    background.name,
                    said,
                )
            )
    return tuple(photos)


def prepare_cutout(data: bytes, order: CutoutOrder, *, frame_px: int, max_pixels: int) -> Portrait:
    """The whole picture at most at the order's size, and the nets' view of it. Raises the errors of
    ``decode``.
    """
    photo = decode(data, long_side_px=order.max_side_px, max_pixels=max_pixels)
    rgb = fit(photo.rgb, order.max_side_px)
    size_px = rgb.shape[1], rgb.shape[0]
    return Portrait(rgb, (0, 0), size_px, photo.full_size_px, None, square(rgb, frame_px))


def finish_cutout(portrait: Portrait, alphas: Mapping[str, Alpha8], order: CutoutOrder) -> IdPhoto:
    """The person or thing on transparent ground, or its mask. Raises UnusablePhoto
    (``no_subject``).
    """
    matte = fuse(alphas, portrait.photo_size_px)
    check_subject(matte)
    whole = CropPlan(
        stretch(portrait.photo_size_px, portrait.photo_size_px), portrait.photo_size_px, 1.0
    )
    alpha, _ = render(matte, whole)
    if order.kind == "mask":
        pixels = mask(alpha)
    else:
        pixels = compose(
            estimate(portrait.region_rgb, alpha), alpha, Background("transparent", None)
        )
    data = encode(pixels, order.format, _CUTOUT_DPI)
    return IdPhoto(data, MEDIA_TYPES[order.format], whole.size_px, "", "transparent", ())


def _find(photo: Photo, find_faces: FindFaces) -> Face:
    """The one face, in pixels of the photo, looked for in a small picture."""
    small = fit(photo.rgb, _FACE_SIDE_PX)
    face = the_one(find_faces(small), enlarge=photo.full_size_px[0] / small.shape[1])
    return face.scaled(photo.rgb.shape[1] / small.shape[1], photo.rgb.shape[0] / small.shape[0])


def _size(photo: Photo) -> SizeWH:
    return photo.rgb.shape[1], photo.rgb.shape[0]


def _long_side(photo: Photo, scale: float) -> int:
    return round(max(_size(photo)) * scale)


def _ratio(new: Photo, old: Photo) -> tuple[float, float]:
    return _size(new)[0] / _size(old)[0], _size(new)[1] / _size(old)[1]


def _from_region(portrait: Portrait, plan: CropPlan) -> Matrix:
    """From pixels of the region to pixels of the crop."""
    return chain(shift(*portrait.region_xy_px), plan.matrix)
