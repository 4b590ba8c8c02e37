"""The label for machines is in every kind of file, is what the standards ask for, and is in no file
that did not ask for it.
"""

import io
import json
from xml.etree import ElementTree

import numpy as np
import pikepdf
import pytest
from PIL import Image

from pipeline import pdf, provenance
from pipeline.encode import encode
from pipeline.finish_values import AiLabel
from pipeline.values import ImageFormat

PIXELS = np.random.default_rng(5).integers(0, 255, (60, 40, 3), np.uint8)
LABEL = AiLabel('照相馆 & Sons <"1">')
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
FORMATS: tuple[ImageFormat, ...] = ("jpeg", "png", "webp")


def told(xmp: bytes) -> tuple[str, dict[str, str]]:
    """The digital source type, and what the field AIGC holds."""
    (description,) = ElementTree.fromstring(xmp.decode()).iter(f"{RDF}Description")
    source = description.findtext(
        "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType", ""
    )
    aigc = description.findtext("{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC", "")
    return source, json.loads(aigc)


def test_what_the_packet_says() -> None:
    source, aigc = told(provenance.packet(LABEL, PIXELS))
    assert source == "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
    assert aigc.pop("ProduceID")
    assert aigc == {
        "Label": "1",
        "ContentProducer": LABEL.producer,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }


def test_a_picture_has_a_number_of_its_own() -> None:
    other = PIXELS.copy()
    other[0, 0, 0] ^= 1
    first, again, second, third = (
        told(provenance.packet(LABEL, pixels))[1]["ProduceID"]
        for pixels in (PIXELS, PIXELS.copy(), other, PIXELS.reshape(40, 60, 3))
    )
    assert first == again
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("format", FORMATS)
def test_the_packet_is_in_the_file(format: ImageFormat) -> None:
    packet = provenance.packet(LABEL, PIXELS)
    data, _ = encode(PIXELS, format, 300, xmp=packet)
    with Image.open(io.BytesIO(data)) as image:
        found = image.info["xmp"]
        np.testing.assert_equal(image.size, (40, 60))
    assert told(found) == told(packet)


@pytest.mark.parametrize("format", FORMATS)
def test_there_is_none_where_none_is_asked_for(format: ImageFormat) -> None:
    data, _ = encode(PIXELS, format, 300)
    assert b"xmp" not in data.lower() and b"AIGC" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert not {"xmp", "exif", "comment"} & image.info.keys()


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_the_packet_counts_among_the_bytes(format: ImageFormat) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (300, 300, 3), np.uint8)
    packet = provenance.packet(LABEL, noise)
    most = len(encode(noise, format, 300)[0]) - 10
    data, _ = encode(noise, format, 300, (0, most), xmp=packet)
    assert len(data) <= most


@pytest.mark.parametrize("label", [LABEL, None])
def test_a_pdf_has_it_as_its_metadata(label: AiLabel | None) -> None:
    jpeg, _ = encode(PIXELS, "jpeg", 300)
    xmp = provenance.packet(label, PIXELS) if label else None
    data = pdf.page(jpeg, (40, 60), 300, (4, 6), xmp)
    assert len(data) - len(jpeg) < pdf.OVERHEAD_BYTES
    with pikepdf.open(io.BytesIO(data)) as file:
        assert ("/Metadata" in file.Root) == (label is not None)
        if xmp:
            assert told(file.Root.Metadata.read_bytes()) == told(xmp)
