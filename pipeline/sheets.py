"""The person on a sheet for print: crops at the sheet's density, the sheet, its file; joins steps
for ``flow``.
"""

from dataclasses import replace

import cv2
import numpy as np
from PIL.Image import Image

from pipeline import finishing, pdf, printing, variants
from pipeline.encode import MEDIA_TYPES, File, encode
from pipeline.errors import BadOrder
from pipeline.sheet_values import PrintSheet, SheetOrder, SheetPhoto
from pipeline.values import Photo, Rgb

AS_IS = "as-is"
"""What stands for the background of a photo that is put on paper as it is."""
# As the check ``shape`` allows a finished photo.
_SHAPE_SLACK = 0.01


def printed(subject: variants.Subject, order: SheetOrder) -> PrintSheet:
    """The finished sheet, with the files that the order wants besides. Raises BadOrder
    (``too_many_bytes``, ``too_few_bytes``, ``no_font``).
    """
    pictures: list[Rgb] = []
    photos: list[SheetPhoto] = []
    for document in order.photos.documents:
        wanted = order.photos
        crop = variants.crop(subject, document, wanted.nudge, wanted.finish)
        for background in variants.backgrounds(order.photos, document):
            count = sum(slot.kind == len(photos) for slot in order.layout.slots)
            id, size_mm = document.id, document.size_mm
            told = (crop.checks, crop.nudge, crop.adjusted)
            photos.append(SheetPhoto(id, background.name, size_mm, count, *told))
            pictures.append(variants.picture(subject, crop, background, wanted.finish))
    sheet = _sheet(order, pictures, photos)
    if order.files is None:
        return sheet
    return replace(sheet, files=variants.every(subject, order.files))


def as_is(photo: Photo, order: SheetOrder) -> PrintSheet:
    """The sheet of a finished ID photo, which is resampled to the sheet's density and not touched
    otherwise; its one document says how large it is. Raises BadOrder (``bad_parameter``,
    ``too_many_bytes``).
    """
    (document,) = order.photos.documents
    height, width = photo.rgb.shape[:2]
    wanted = document.size_mm[0] / document.size_mm[1]
    if abs(width / height / wanted - 1) > _SHAPE_SLACK:
        shape = "x".join(f"{side:g}" for side in document.size_mm)
        reason = f"the photo, {width}x{height} pixels, has not the shape of {shape} mm"
        raise BadOrder("bad_parameter", name="document", reason=reason)
    size_px = document.size_px
    way = cv2.INTER_AREA if size_px[0] < width else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(photo.rgb, size_px, interpolation=way), np.uint8)
    count = len(order.layout.slots)
    told = SheetPhoto(document.id, AS_IS, document.size_mm, count, ())
    return _sheet(order, [finishing.marked(picture, order.photos.finish)], [told])


def _sheet(order: SheetOrder, pictures: list[Rgb], photos: list[SheetPhoto]) -> PrintSheet:
    sheet = printing.draw(order.layout, pictures, order.dpi, order.cut)
    data, encoding = _file(sheet, order)
    return PrintSheet(
        data,
        pdf.MEDIA_TYPE if order.format == "pdf" else MEDIA_TYPES[order.format],
        order.paper,
        order.layout.size_mm,
        sheet.size,
        tuple(photos),
        order.photos.quality,
        encoding,
    )


def _file(sheet: Image, order: SheetOrder) -> File:
    most, progressive = order.max_bytes, order.photos.progressive
    spared = pdf.OVERHEAD_BYTES if order.format == "pdf" else 0
    limit = None if most is None else (0, most - spared)
    about = finishing.xmp(np.asarray(sheet), order.photos.finish.label)
    if order.format == "pdf":
        data, encoding = encode(sheet, "jpeg", order.dpi, limit, progressive=progressive)
        data = pdf.page(data, sheet.size, order.dpi, order.layout.size_mm, about)
    else:
        data, encoding = encode(
            sheet, order.format, order.dpi, limit, progressive=progressive, xmp=about
        )
    if most is not None and len(data) > most:
        raise BadOrder("too_many_bytes", bytes=len(data), limit=most)
    return data, encoding
