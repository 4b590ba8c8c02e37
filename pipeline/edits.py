"""Finished pictures put on a background, cropped, or of so many bytes; no net looks at them."""

from collections.abc import Callable, Sequence

import numpy as np

from pipeline import compose, documents
from pipeline.decode import decode, decode_rgba
from pipeline.edit_values import CropOut, EditOrder, PutOn, Rewrite, Stamp
from pipeline.encode import MEDIA_TYPES, encode
from pipeline.errors import BadOrder
from pipeline.face import require_whole, the_one
from pipeline.geometry import estimate_head, measure_head, plan_crop
from pipeline.matte import render
from pipeline.resample import glance, warp
from pipeline.values import (
    Background,
    Document,
    Encoding,
    Face,
    IdPhoto,
    Matte,
    Rgb,
    Rgba,
    SizeWH,
)
from pipeline.watermark import stamp

FindFaces = Callable[[Rgb], Sequence[Face]]
_FACE_SIDE_PX = 640


def edited(data: bytes, order: EditOrder, find_faces: FindFaces) -> tuple[IdPhoto, ...]:
    """The picture, or with ``CropOut.finest_px`` two, the finer one last.

    Raises the errors of ``decode``; BadOrder (``too_many_bytes``, ``not_transparent``,
    ``no_font``); of a crop those of ``face``.
    """
    match order.edit:
        case Rewrite():
            photo = decode(data, long_side_px=order.max_pixels, max_pixels=order.max_pixels)
            return (_written(photo.rgb, order, order.dpi),)
        case PutOn(background):
            return (_written(_on(_cutout(data, order), background), order, order.dpi),)
        case Stamp() as text:
            return (_written(_stamped(_picture(data, order), text), order, order.dpi),)
        case CropOut(document, finest_px):
            rgba = decode_rgba(data, max_pixels=order.max_pixels)
            return _cropped(rgba, document, finest_px, order, find_faces)


def _cropped(
    rgba: Rgba,
    document: Document,
    finest_px: int | None,
    order: EditOrder,
    find_faces: FindFaces,
) -> tuple[IdPhoto, ...]:
    rgb, alpha = rgba[..., :3], rgba[..., 3].astype(np.float32) / np.float32(255)
    # On white: a face detector sees nothing of transparency.
    seen = np.rint(255 - alpha[..., None] * (255.0 - rgb)).astype(np.uint8)
    small = glance(seen, _FACE_SIDE_PX)
    zoom = seen.shape[1] / small.shape[1]
    face = the_one(find_faces(small), enlarge=zoom)
    require_whole(face, (small.shape[1], small.shape[0]))
    face = face.scaled(zoom, seen.shape[0] / small.shape[0])
    size_px = (rgb.shape[1], rgb.shape[0])
    matte = Matte(alpha, (0.0, 0.0, float(size_px[0]), float(size_px[1])))
    opaque = bool(alpha.min() > 0.5)
    # Of a picture with its background nothing says where the hair ends.
    head = estimate_head(face) if opaque else measure_head(face, matte)

    def at(wanted: Document) -> IdPhoto:
        plan = plan_crop(face, head, wanted, size_px)
        cover, _ = render(matte, plan, size_px)
        person = warp(np.ascontiguousarray(rgb), plan.matrix, plan.size_px)
        return _written(np.dstack([person, compose.mask(cover)]), order, wanted.dpi)

    photos = [at(document)]
    if finest_px is not None:
        plan = plan_crop(face, head, document, size_px)
        photos.append(at(documents.finer(document, 1 / plan.scale, finest_px)))
    return tuple(photos)


def _cutout(data: bytes, order: EditOrder) -> Rgba:
    rgba = decode_rgba(data, max_pixels=order.max_pixels)
    if rgba[..., 3].min() == 255:
        raise BadOrder("not_transparent")
    return rgba


def _picture(data: bytes, order: EditOrder) -> Rgb | Rgba:
    """With its alpha where it has one."""
    rgba = decode_rgba(data, max_pixels=order.max_pixels)
    return rgba if rgba[..., 3].min() < 255 else np.ascontiguousarray(rgba[..., :3])


def _on(rgba: Rgba, background: Background) -> Rgb | Rgba:
    alpha = rgba[..., 3].astype(np.float32) / np.float32(255)
    return compose.compose(np.ascontiguousarray(rgba[..., :3]), alpha, background)


def _stamped(pixels: Rgb | Rgba, text: Stamp) -> Rgb | Rgba:
    return stamp(
        pixels,
        text.text,
        opacity=text.opacity,
        colour=text.colour,
        size_px=text.size_px,
        angle_deg=text.angle_deg,
        gap_px=text.gap_px,
    )


def _written(pixels: Rgb | Rgba, order: EditOrder, dpi: int) -> IdPhoto:
    """The file. Raises BadOrder (``too_many_bytes``)."""
    size_px = pixels.shape[1], pixels.shape[0]
    if order.max_bytes is None:
        data, encoding = encode(pixels, "png", dpi)
        return _described(data, MEDIA_TYPES["png"], size_px, encoding)
    if pixels.shape[2] == 4:
        white = Background("white", (255, 255, 255))
        pixels = _on(pixels, white)
    data, encoding = encode(pixels, "jpeg", dpi, (0, order.max_bytes))
    if len(data) > order.max_bytes:
        raise BadOrder("too_many_bytes", bytes=len(data), limit=order.max_bytes)
    return _described(data, MEDIA_TYPES["jpeg"], size_px, encoding)


def _described(data: bytes, media_type: str, size_px: SizeWH, encoding: Encoding) -> IdPhoto:
    return IdPhoto(data, media_type, size_px, "", "", (), "best", encoding)
