import pytest

from pipeline.container import declared_size, sniff
from pipeline.errors import UnsupportedFormat
from pipeline.values import SizeWH
from tests.unit.pipeline.files import base_media, box, png


@pytest.mark.parametrize(
    ("first_bytes", "formats"),
    [
        (b"\xff\xd8\xff\xe0", ("JPEG", "MPO")),
        (b"\x89PNG\r\n\x1a\n", ("PNG",)),
        (b"RIFF\0\0\0\0WEBPVP8 ", ("WEBP",)),
        (box(b"ftyp", b"heic", bytes(4)), ("HEIF",)),
        (box(b"ftyp", b"mif1", bytes(4), b"miaf", b"heic"), ("HEIF",)),
        (box(b"ftyp", b"msf1", bytes(4), b"hevc"), ("HEIF",)),
        (box(b"ftyp", b"avif", bytes(4), b"mif1", b"miaf"), ("AVIF",)),
        (box(b"ftyp", b"mif1", bytes(4), b"avif"), ("AVIF",)),
        # A brand in another box than the first does not count.
        (box(b"ftyp", b"isom", bytes(4)) + box(b"free", b"heic" * 4), None),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"\xff", None),
        (b"\x89PNG\n\x1a\n", None),
        (bytes(100), None),
    ],
)
def test_sniff(first_bytes: bytes, formats: tuple[str, ...] | None) -> None:
    if formats is None:
        with pytest.raises(UnsupportedFormat):
            sniff(first_bytes)
    else:
        assert sniff(first_bytes) == formats


@pytest.mark.parametrize(
    ("file", "size_px"),
    [
        (png((300, 400), 8, 2, b""), (300, 400)),
        (base_media(b"heic", 4032, 3024), (4032, 3024)),
        (base_media(b"heic", 512, 512) + box(b"ispe", bytes(4), b"\0\0\1\0" * 2), (512, 512)),
        (base_media(b"avif", 64, 64)[:-8], (0, 0)),  # cut inside the size
        (b"\x89PNG\r\n\x1a\n", (0, 0)),
        (b"\xff\xd8\xff\xe0ispe" + bytes(12), (0, 0)),
        (b"", (0, 0)),
    ],
)
def test_the_size_that_a_header_declares(file: bytes, size_px: SizeWH) -> None:
    assert declared_size(file) == size_px
