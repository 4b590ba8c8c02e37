"""What a picture file says before a pixel is decoded: its kind, its size, whether it is all there.

Shared by ``decode`` only; a vocabulary like ``values``, not a step.
"""

import math
import re
import struct
import zlib
from collections.abc import Iterator

from pipeline.errors import UnreadablePhoto, UnsupportedFormat
from pipeline.values import SizeWH

# A progressive JPEG as encoders write it has about ten scans. Each further one makes the decoder
# pass over every pixel again: 900 scans in 56 KB cost 18 CPU-seconds, which no pixel limit sees.
MAX_JPEG_SCANS = 64

_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = b"\0\0\0\x0dIHDR"
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_ISO_HEADER_BYTES = 65_536
# Any marker inside a scan's data but a stuffed FF, a fill byte or a restart.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_SOS, _EOI = 0xDA, 0xD9
# Markers that no length follows: TEM and SOI.
_JPEG_BARE = (0x01, 0xD8)
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column, first row, column step and row step of the seven passes of an interlaced PNG.
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def sniff(data: bytes) -> tuple[str, ...]:
    """The Pillow formats that these bytes may be opened as, by their first bytes alone.

    Raises UnreadablePhoto (``empty_body``), and UnsupportedFormat for all that is not read here.
    """
    if not data:
        raise UnreadablePhoto("empty_body")
    if data.startswith(b"\xff\xd8"):
        return "JPEG", "MPO"
    if data.startswith(_PNG):
        return ("PNG",)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ("WEBP",)
    if data[4:8] == b"ftyp":
        end = min(int.from_bytes(data[:4], "big"), 256)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
        if brands & _AVIF_BRANDS:
            return ("AVIF",)
        if brands & _HEIF_BRANDS:
            return ("HEIF",)
    raise UnsupportedFormat("unsupported_format")


def declared_size(data: bytes) -> SizeWH:
    """The size in a PNG header or the largest ``ispe`` box of HEIF and AVIF, else (0, 0).

    Decoders of these kinds refuse, inflate or allocate before they tell a size.
    """
    if data.startswith(_PNG + _IHDR) and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    if data[4:8] != b"ftyp":
        return 0, 0
    boxes = (match.end() for match in re.finditer(b"ispe", data[:_ISO_HEADER_BYTES]))
    sizes = [struct.unpack_from(">II", data, at + 4) for at in boxes if at + 12 <= len(data)]
    return max(sizes, key=math.prod, default=(0, 0))


def check_scans(jpeg: bytes) -> None:
    """Raises UnreadablePhoto (``too_many_scans``); what follows the picture does not count."""
    at, scans = 2, 0
    while marker := _JPEG_MARKER.search(jpeg, at):
        kind = jpeg[marker.start() + 1]
        if kind == _EOI:
            return
        scans += kind == _SOS
        if scans > MAX_JPEG_SCANS:
            raise UnreadablePhoto("too_many_scans", limit=MAX_JPEG_SCANS)
        at = marker.end()
        if kind not in _JPEG_BARE:
            at += max(int.from_bytes(jpeg[at : at + 2], "big"), 2)


def check_png(data: bytes) -> None:
    """Raises UnreadablePhoto (``broken_image``) unless every pixel of a PNG is there, unharmed.

    Pillow hands over a picture that is black from where its data ends, without a word.
    """
    header, pixels = b"", []
    for kind, body, sound in _png_chunks(data):
        if kind in (b"IHDR", b"IDAT", b"PLTE") and not sound:
            raise UnreadablePhoto("broken_image")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            pixels.append(body)
    if len(header) != 13 or _inflated(pixels, expected := _png_bytes(header)) < expected:
        raise UnreadablePhoto("broken_image")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Kind, body, and whether the checksum holds, up to the end of the picture or of the data."""
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        checksum = int.from_bytes(data[end : end + 4], "big")
        yield kind, data[at + 8 : end], zlib.crc32(data[at + 4 : end]) == checksum
        if kind == b"IEND":
            return
        at = end + 4


def _png_bytes(header: bytes) -> int:
    """Bytes that the pixels and the filter byte of each row take, uncompressed."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _PNG_CHANNELS.get(colour, 1)
    total = 0
    for x, y, dx, dy in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - x) // dx), -(-(height - y) // dy)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _inflated(parts: list[bytes], enough: int) -> int:
    """How many bytes the parts of a zlib stream hold; counts no farther than ``enough``."""
    inflate = zlib.decompressobj()
    total = 0
    try:
        for part in parts:
            while part and total < enough:
                total += len(inflate.decompress(part, 1 << 20))
                part = inflate.unconsumed_tail
    except zlib.error:
        return 0
    return total
