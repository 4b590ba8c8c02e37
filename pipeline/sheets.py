"""The person on a sheet for print: crops at the sheet's density, the sheet, its file; joins steps
for ``flow``.
"""

from PIL.Image import Image

from pipeline import pdf, printing, variants
from pipeline.compose import compose
from pipeline.encode import MEDIA_TYPES, File, encode
from pipeline.errors import BadOrder
from pipeline.sheet_values import PrintSheet, SheetOrder, SheetPhoto
from pipeline.values import (
    Rgb,
)


def printed(subject: variants.Subject, order: SheetOrder) -> PrintSheet:
    """The finished sheet. Raises BadOrder (``too_many_bytes``)."""
    pictures: list[Rgb] = []
    photos: list[SheetPhoto] = []
    for document in order.photos.documents:
        crop = variants.crop(subject, document)
        for background in variants.backgrounds(order.photos, document):
            count = sum(slot.kind == len(photos) for slot in order.layout.slots)
            id, size_mm = document.id, document.size_mm
            photos.append(SheetPhoto(id, background.name, size_mm, count, crop.checks))
            pictures.append(compose(crop.person_rgb, crop.alpha, background))
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
    format = "jpeg" if order.format == "pdf" else order.format
    data, encoding = encode(sheet, format, order.dpi, limit, progressive=progressive)
    if order.format == "pdf":
        data = pdf.page(data, sheet.size, order.dpi, order.layout.size_mm)
    if most is not None and len(data) > most:
        raise BadOrder("too_many_bytes", bytes=len(data), limit=most)
    return data, encoding
