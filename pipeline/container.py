"""What a picture file says before a pixel is decoded: its kind, its size, whether it is all there,
and whether reading it would cost more than a picture does.

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
# pass over every pixel again, at 2.3 CPU-ms a megapixel: 900 scans in 56 KB cost 18 CPU-seconds,
# which no pixel limit sees.
MAX_JPEG_SCANS = 64
_MAX_SCANNED_PIXELS = 640_000_000
# Pillow reads the headers in Python, at a few microseconds for each part and each byte between
# them: 20 MB of empty chunks, segments or fill bytes cost it ten CPU-seconds and more.
_MAX_PNG_CHUNKS = 20_000
_MAX_JPEG_SEGMENTS = 2_000
_MAX_JPEG_GAP_BYTES = 65_536
_MAX_PHOTOSHOP_BLOCKS = 2_000
# An overlay of many copies of one picture is decoded as often, and no camera writes one.
_HEIF_OVERLAY = b"iovl"

_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = b"\0\0\0\x0dIHDR"
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
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
    sizes: list[SizeWH] = [(0, 0)]
    for kind, body in boxes(data):
        if kind == b"meta":
            found = (match.end() for match in re.finditer(b"ispe", body))
            sizes += [
                struct.unpack_from(">II", body, at + 4) for at in found if at + 12 <= len(body)
            ]
    return max(sizes, key=math.prod)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each outermost box of an ISO base media file."""
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            length, start = int.from_bytes(data[start : start + 8], "big"), start + 8
        end = at + length if length else len(data)
        yield kind, data[start:end]
        if end < start:
            return
        at = end


def check_heif(data: bytes) -> None:
    """Raises UnreadablePhoto (``broken_image``) where a picture is put together from others in a
    way that multiplies the work.
    """
    if any(kind == b"meta" and _HEIF_OVERLAY in body for kind, body in boxes(data)):
        raise UnreadablePhoto("broken_image")


def check_jpeg(data: bytes) -> int:
    """The number of scans; what follows the picture does not count.

    Raises UnreadablePhoto (``too_many_scans``, or ``broken_image`` where there is no scan, or more
    headers than pictures have).
    """
    at, scans, segments, gaps = 2, 0, 0, 0
    while marker := _JPEG_MARKER.search(data, at):
        kind = data[marker.start() + 1]
        if not scans:
            gaps += marker.start() - at
        if kind == _EOI:
            break
        if kind == _SOS and not scans and data.count(b"8BIM", 0, at) > _MAX_PHOTOSHOP_BLOCKS:
            break
        scans += kind == _SOS
        segments += 1
        if scans > MAX_JPEG_SCANS:
            raise UnreadablePhoto("too_many_scans", limit=MAX_JPEG_SCANS)
        if segments > _MAX_JPEG_SEGMENTS or gaps > _MAX_JPEG_GAP_BYTES:
            raise UnreadablePhoto("broken_image")
        at = marker.end()
        if kind not in _JPEG_BARE:
            at += max(int.from_bytes(data[at : at + 2], "big"), 2)
    if not scans:
        raise UnreadablePhoto("broken_image")
    return scans


def check_scans(scans: int, size_px: SizeWH) -> None:
    """Raises UnreadablePhoto (``too_many_scans``) for more than a JPEG of that size may have."""
    limit = max(1, _MAX_SCANNED_PIXELS // max(1, math.prod(size_px)))
    if scans > limit:
        raise UnreadablePhoto("too_many_scans", limit=limit)


def check_png(data: bytes) -> None:
    """Raises UnreadablePhoto (``broken_image``) unless every pixel of a PNG is there, unharmed.

    Pillow hands over a picture that is black from where its data ends, without a word.
    """
    if not data.startswith(_PNG + _IHDR):
        raise UnreadablePhoto("broken_image")
    header, pixels = b"", []
    for number, (kind, body, sound) in enumerate(_png_chunks(data)):
        if number >= _MAX_PNG_CHUNKS:
            raise UnreadablePhoto("broken_image")
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
