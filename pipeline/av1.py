"""What the pictures in an AVIF file make a decoder do, whatever size its boxes tell.

The boxes may say 64 x 64 where the coded frame has 268 megapixels: the decoder decodes, then
shrinks. Sources: ISO/IEC 14496-12 (iinf, iloc), AV1 Bitstream Specification 5.3 to 5.5.
"""

import struct
from collections.abc import Iterator

from pipeline.container import boxes
from pipeline.errors import UnreadablePhoto, UnsupportedFormat

_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6


def coded_pixels(data: bytes) -> int:
    """Pixels of all frames of all coded pictures: tiles, alpha, thumbnails, layers.

    Raises UnreadablePhoto (``broken_image``), and UnsupportedFormat for films.
    """
    outer = dict(boxes(data))
    if b"moov" in outer:
        raise UnsupportedFormat("unsupported_format")
    try:
        return sum(_pixels(coded) for coded in _coded(data, dict(boxes(outer[b"meta"][4:]))))
    except (KeyError, IndexError, struct.error) as error:
        raise UnreadablePhoto("broken_image") from error


def _coded(data: bytes, meta: dict[bytes, bytes]) -> Iterator[bytes]:
    """The bytes of each AV1 item."""
    coded = set(_av1_items(meta[b"iinf"]))
    for item, method, extents in _locations(meta[b"iloc"]):
        if item in coded:
            # Method 2 takes them from other items, which no decoder here knows.
            whole = (data, meta.get(b"idat", b""), b"")[min(method, 2)]
            yield b"".join(whole[at : at + size] if size else whole[at:] for at, size in extents)


def _av1_items(iinf: bytes) -> Iterator[int]:
    for kind, body in boxes(iinf[6 if iinf[0] == 0 else 8 :]):
        if kind == b"infe" and body[0] in (2, 3):
            wide = body[0] == 3
            number, _, what = struct.unpack_from(">IH4s" if wide else ">HH4s", body, 4)
            if what == b"av01":
                yield number


def _locations(iloc: bytes) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Number, construction method, and start and size of each extent, of every item."""
    version, at = iloc[0], 6
    offset_bytes, length_bytes = iloc[4] >> 4, iloc[4] & 15
    base_bytes, index_bytes = iloc[5] >> 4, iloc[5] & 15 if version else 0

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(iloc):
            raise IndexError
        at += size
        return int.from_bytes(iloc[at - size : at], "big")

    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_bytes)
        extents = []
        for _ in range(number(2)):
            number(index_bytes)
            extents.append((base + number(offset_bytes), number(length_bytes)))
        yield item, method, extents


def _pixels(coded: bytes) -> int:
    size, frames = 0, 0
    for kind, body in _obus(coded):
        if kind == _SEQUENCE_HEADER:
            size = max(size, _frame_pixels(body))
        frames += kind in (_FRAME_HEADER, _FRAME)
    return size * max(1, frames)


def _obus(coded: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body of each open bitstream unit."""
    at = 0
    while at < len(coded):
        header = coded[at]
        at += 2 if header & 4 else 1
        size = len(coded) - at
        if header & 2:
            size = 0
            for shift in range(0, 56, 7):
                byte = coded[at]
                at += 1
                size |= (byte & 127) << shift
                if byte < 128:
                    break
        yield header >> 3 & 15, coded[at : at + size]
        at += size


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def __call__(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise IndexError
        return self._bits >> self._left & ((1 << count) - 1)

    def uvlc(self) -> None:
        zeros = 0
        while not self(1):
            zeros += 1
        self(zeros)


def _frame_pixels(sequence_header: bytes) -> int:
    """The largest frame that a sequence header, of 5.5.1, permits."""
    # What is read lies in the first bytes, whatever the header holds: 32 operating points.
    bits = _Bits(sequence_header[:512])
    bits(4)
    if bits(1):  # reduced_still_picture_header
        bits(5)
    else:
        delay_bits = 0
        has_model = 0
        if bits(1):  # timing_info
            bits(64)
            if bits(1):
                bits.uvlc()
            has_model = bits(1)
            if has_model:
                delay_bits = bits(5) + 1
                bits(42)
        has_display_delay = bits(1)
        for _ in range(bits(5) + 1):
            bits(12)
            if bits(5) > 7:
                bits(1)
            if has_model and bits(1):
                bits(2 * delay_bits + 1)
            if has_display_delay and bits(1):
                bits(4)
    width_bits, height_bits = bits(4) + 1, bits(4) + 1
    return (bits(width_bits) + 1) * (bits(height_bits) + 1)
