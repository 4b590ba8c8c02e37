"""That a net had a part in a picture, as metadata for machines: one packet of XMP that says it as
IPTC and as the Chinese labelling rule have it.

IPTC, Digital Source Type (cv.iptc.org/newscodes/digitalsourcetype, 2024-10-23):
``algorithmicallyEnhanced`` is a "modification or correction by algorithm without changing the main
content". The nets here find the person and draw nothing; ``compositeWithTrainedAlgorithmicMedia``
is for what a generative model has painted.

GB 45438-2025, appendix E: the field AIGC holds JSON, whose Label "1" says that the content is
generated or synthesised; the producer's name or code and its number for this content follow. What
whoever spreads it adds is empty. TC260-PG-20258A gives the field its namespace in XMP.
"""

import hashlib
import json
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from pipeline.finish_values import AiLabel

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
_ID_LETTERS = 32
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">
   <Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>
   <TC260:AIGC>{aigc}</TC260:AIGC>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def packet(label: AiLabel, pixels: npt.NDArray[np.uint8]) -> bytes:
    """The XMP of a picture with these pixels, UTF-8. The picture's number is a digest of them: the
    same picture has the same one, and nothing about the person can be read from it.
    """
    digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes())
    aigc = {
        "Label": "1",
        "ContentProducer": label.producer,
        "ProduceID": digest.hexdigest()[:_ID_LETTERS],
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    text = json.dumps(aigc, ensure_ascii=False, separators=(",", ":"))
    return _PACKET.format(source_type=SOURCE_TYPE, aigc=escape(text)).encode()
