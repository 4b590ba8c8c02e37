"""Makes the odd picture files that the tests decode, all from one portrait."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Make = Callable[[Image.Image], bytes]

# How a camera stores a picture so that the EXIF tag turns it upright.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
TURNED = Image.Transpose.ROTATE_180
LINEAR_SRGB_TO_P3 = np.array([[0.8225, 0.1774, 0], [0.0332, 0.9669, 0], [0.0171, 0.0724, 0.9108]])
# First column, first row, column step and row step of the passes of an interlaced PNG.
PASSES = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def saver(format: str, **options: Any) -> Make:
    return lambda image: saved(image, format, **options)


def turned(orientation: int, format: str) -> Make:
    """Stored lying or mirrored, with the EXIF tag (for AVIF and HEIC: the box) that says so."""

    def make(image: Image.Image) -> bytes:
        how = STORED.get(orientation)
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = image if how is None else image.transpose(how)
        return saved(stored, format, exif=exif.tobytes())

    return make


def grey(image: Image.Image) -> Image.Image:
    return image.convert("L")


def hole(image: Image.Image) -> Image.Image:
    """Alpha: 0 in the left half, 255 in the right."""
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, image.width // 2, image.height))
    return alpha


def on_white(image: Image.Image) -> Image.Image:
    return Image.composite(image, Image.new("RGB", image.size, "white"), hole(image))


def grey_on_white(image: Image.Image) -> Image.Image:
    return on_white(grey(image).convert("RGB"))


def cut_out(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(hole(image))
    return image


def palette_with_hole(image: Image.Image) -> bytes:
    """255 colours of the picture, and one, transparent, whose own colour is red."""
    indexed = image.quantize(255)
    palette = (indexed.getpalette() or [])[: 255 * 3]
    indexed.putpalette([*palette, 255, 0, 0])
    indexed.paste(255, (0, 0, image.width // 2, image.height))
    return saved(indexed, "PNG", transparency=255)


def colour_key(image: Image.Image) -> bytes:
    """RGB of which one colour is transparent."""
    keyed = image.copy()
    keyed.paste((1, 2, 3), (0, 0, image.width // 2, image.height))
    return saved(keyed, "PNG", transparency=(1, 2, 3))


def pixels_as(mode: str) -> Make:
    """PNG of 16 bits a channel, which Pillow writes in grey alone."""

    def make(image: Image.Image) -> bytes:
        channels = np.asarray(image.convert(mode))
        deep = (channels.reshape(image.height, image.width, -1) * np.uint16(257)).astype(">u2")
        colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[deep.shape[2]]
        return png(image.size, 16, colour_type, rows(deep))

    return make


def display_p3(format: str) -> Make:
    """The same colours in the numbers of Display P3, as phones write them, with its profile."""

    def make(image: Image.Image) -> bytes:
        signal = np.asarray(image) / 255
        light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
        light = light @ LINEAR_SRGB_TO_P3.T
        signal = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
        stored = Image.fromarray(np.rint(signal * 255).astype(np.uint8))
        return saved(stored, format, icc_profile=p3_profile())

    return make


def p3_profile() -> bytes:
    """ICC version 4: the primaries of Display P3 adapted to D50, and the curve of sRGB."""

    def numbers(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    text = "Display P3".encode("utf-16-be")
    name = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    curve = b"para\0\0\0\0\0\3\0\0" + numbers(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {
        b"desc": name,
        b"cprt": name,
        b"wtpt": b"XYZ \0\0\0\0" + numbers(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ \0\0\0\0" + numbers(0.5151, 0.2412, -0.0011),
        b"gXYZ": b"XYZ \0\0\0\0" + numbers(0.2919, 0.6922, 0.0419),
        b"bXYZ": b"XYZ \0\0\0\0" + numbers(0.1572, 0.0666, 0.7841),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for tag, value in tags.items():
        table += tag + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4xI", size, 0x04000000) + b"mntrRGB XYZ " + b"\0" * 12 + b"acsp"
    return header.ljust(68, b"\0") + numbers(0.9642, 1.0, 0.8249) + b"\0" * 48 + table + body


def two_frames(format: str) -> Make:
    def make(image: Image.Image) -> bytes:
        return saved(image, format, save_all=True, append_images=[image.transpose(TURNED)])

    return make


def followed_by(tail: bytes) -> Make:
    return lambda image: saved(image, "JPEG") + tail


# --- Files written by hand -----------------------------------------------------------------------


def png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def rows(pixels: npt.NDArray[Any]) -> bytes:
    """Unfiltered PNG rows of HxWxC pixels."""
    flat = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    return np.pad(flat, ((0, 0), (1, 0))).tobytes()


def png(
    size: tuple[int, int],
    bits: int,
    colour_type: int,
    raw: bytes,
    *before: tuple[bytes, bytes],
    interlaced: bool = False,
    chunk_size: int = 1 << 30,
) -> bytes:
    """A PNG with the chunks ``before`` its pixels, which need not be as many as it declares."""
    header = struct.pack(">IIBBBBB", *size, bits, colour_type, 0, 0, interlaced)
    packed = zlib.compress(raw, 1)
    parts = [packed[at : at + chunk_size] for at in range(0, len(packed), chunk_size)]
    chunks = [(b"IHDR", header), *before, *((b"IDAT", part) for part in parts), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def interlaced_png(image: Image.Image) -> bytes:
    pixels = np.asarray(image)
    passes = (rows(pixels[y::dy, x::dx]) for x, y, dx, dy in PASSES)
    return png(image.size, 8, 2, b"".join(passes), interlaced=True)


def png_in_chunks(image: Image.Image) -> bytes:
    return png(image.size, 8, 2, rows(np.asarray(image)), chunk_size=8192)


def portrait_png(*before: tuple[bytes, bytes]) -> Make:
    return lambda image: png(image.size, 8, 2, rows(np.asarray(image)), *before)


def png_with_wrong_checksum(kind: bytes) -> Make:
    def make(image: Image.Image) -> bytes:
        file = portrait_png()(image)
        at = file.index(kind)
        end = at + 4 + int.from_bytes(file[at - 4 : at], "big")
        return file[:end] + b"\0\0\0\0" + file[end + 4 :]

    return make


def png_of_the_first(share: float) -> Make:
    """A sound stream of pixels that ends too early."""

    def make(image: Image.Image) -> bytes:
        raw = rows(np.asarray(image))
        return png(image.size, 8, 2, raw[: round(len(raw) * share)])

    return make


def zipped(size: int) -> bytes:
    return b"name\0\0" + zlib.compress(bytes(size), 9)


def jpeg_with_size(width: int, height: int) -> Make:
    def make(image: Image.Image) -> bytes:
        file = saved(image, "JPEG")
        at = file.index(b"\xff\xc0") + 5
        return file[:at] + struct.pack(">HH", height, width) + file[at + 4 :]

    return make


def jpeg_with_scans(repeats: int, between: bytes = b"") -> Make:
    """A progressive JPEG whose last scan comes again and again, each after some bytes."""

    def make(image: Image.Image) -> bytes:
        file = saved(image, "JPEG", progressive=True)
        last = file.rindex(b"\xff\xda")
        return file[:last] + (between + file[last:-2]) * repeats + b"\xff\xd9"

    return make


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def base_media(brand: bytes, width: int, height: int) -> bytes:
    """An ISO base media file that declares a size and holds no picture."""
    size = box(b"ispe", struct.pack(">III", 0, width, height))
    meta = box(b"meta", bytes(4), box(b"iprp", box(b"ipco", size)))
    return box(b"ftyp", brand, bytes(4), b"mif1", brand) + meta


def the_first(share: float, format: str, **options: Any) -> Make:
    def make(image: Image.Image) -> bytes:
        file = saved(image, format, **options)
        return file[: round(len(file) * share)]

    return make


def fixed(file: bytes) -> Make:
    """The same bytes whatever the picture."""
    return lambda _: file
