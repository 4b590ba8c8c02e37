"""A JPEG as a PDF of one page of true size; the JPEG's own bytes go into it."""

import io

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from pipeline.values import SizeWH

MEDIA_TYPE = "application/pdf"
# What the page takes besides the picture, by far.
OVERHEAD_BYTES = 4096
_POINTS_PER_INCH = 72
_MM_PER_INCH = 25.4


def page(
    jpeg: bytes,
    size_px: SizeWH,
    dpi: int,
    size_mm: tuple[float, float],
    xmp: bytes | None = None,
) -> bytes:
    """The PDF of an RGB JPEG of that size and density, from the top left corner of a page of
    ``size_mm``.

    A page is no whole number of pixels: what the picture's last row and column have too much lies
    outside, and its pixels keep their size. A point is 1/72 inch (ISO 32000-1, 8.3.2.3). ``xmp``
    becomes the metadata of the document.
    """
    width, height = (side * _POINTS_PER_INCH / _MM_PER_INCH for side in size_mm)
    wide, high = (side * _POINTS_PER_INCH / dpi for side in size_px)
    with pikepdf.new() as pdf:
        picture = Stream(
            pdf,
            jpeg,
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=size_px[0],
            Height=size_px[1],
            ColorSpace=Name.DeviceRGB,
            BitsPerComponent=8,
            Filter=Name.DCTDecode,
        )
        drawn = f"q {wide:.4f} 0 0 {high:.4f} 0 {height - high:.4f} cm /Sheet Do Q"
        content = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, round(width, 4), round(height, 4)]),
            Resources=Dictionary(XObject=Dictionary(Sheet=picture)),
            Contents=Stream(pdf, drawn.encode()),
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(content)))
        # A viewer that fits pages to the paper prints photos of a wrong size.
        pdf.Root.ViewerPreferences = Dictionary(PrintScaling=Name("/None"))
        if xmp is not None:
            metadata = Stream(pdf, xmp, Type=Name.Metadata, Subtype=Name.XML)
            pdf.Root.Metadata = pdf.make_indirect(metadata)
        file = io.BytesIO()
        pdf.save(file, deterministic_id=True)
    return file.getvalue()
