"""What the rules file says beside the head, and how a wrong row is refused."""

import re

import pytest

from pipeline import document_rules, documents

DOCUMENTS = documents.all_documents()
RULES = document_rules.read()


def test_bytes_limits() -> None:
    """Within the limits whether 1 kB is 1000 or 1024 bytes."""
    found = {document.id: document.bytes_limit for document in DOCUMENTS if document.bytes_limit}
    assert found == {
        "us-ds160": (0, 240_000),
        "in-passport": (0, 250_000),
        "sa-evisa": (5 * 1024, 100_000),
        "cn-chsi": (100 * 1024, 500_000),
        "cn-exit-entry-local": (40 * 1024, 50_000),
        "cn-id-card": (14 * 1024, 20_000),
        "cn-passport-digital": (30 * 1024, 45_000),
        "cn-social-security": (14 * 1024, 40_000),
        "cn-visa-digital": (40 * 1024, 120_000),
    }


def test_pixel_limits() -> None:
    found = {document.id: document.pixel_limits for document in DOCUMENTS if document.pixel_limits}
    assert found == {
        "us-ds160": ((600, 600), (1200, 1200)),
        "in-oci": ((200, 200), (1500, 1500)),
        "cn-visa-digital": ((354, 472), (420, 560)),
    }


def test_forbidden_backgrounds() -> None:
    found = {d.id: d.forbidden_backgrounds for d in DOCUMENTS if d.forbidden_backgrounds}
    assert found == {"fr-passport": ("white",), "in-oci": ("white",)}


def test_a_head_rule_may_be_borrowed_where_the_rest_is_the_documents_own() -> None:
    borrowed = {d.id: d for d in DOCUMENTS if d.head_derived and not d.derived}
    assert set(borrowed) == {"cn-visa-digital", "cn-social-security", "cn-chsi"}
    source = borrowed["cn-visa-digital"].source
    assert re.match(r"kebanyakan\.com, .*; head rule: family icao \(", source)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("size_px = [295, 413]", "size_px = [413, 295]", "cn-1-inch: size_px is not size_mm"),
        ("min = 0.60, max = 0.72", "min = 0.73, max = 0.72", "cn-1-inch: head_height is not"),
        ("target = 0.66", "target = 0.75", "cn-1-inch: head_height is not"),
        ("min = 0.60", "min = nan", "cn-1-inch: head_height is not"),
        ("min = 0.60, ", "", "cn-1-inch: head_height: 'min' is missing"),
        ('unit = "ratio"', 'unit = "cm"', "cn-1-inch: head_height: 'cm' is missing or unknown"),
        ("target = 0.66", "targt = 0.66", r"cn-1-inch: head_height: unknown \['targt'\]"),
        ("top_margin", "top_margins", r"cn-1-inch: missing \[\], unknown \['top_margins'\]"),
        ('source = "', 'sauce = "', r"cn-1-inch: missing \['source'\], unknown \['sauce'\]"),
        ('crown = "hair"', 'head_family = "icao"', r"cn-1-inch: missing \[\], unknown \['head_h"),
        ('family = "general"', 'family = "tiny"', "cn-social-security: there is no family 'tiny'"),
        ("min = 193, max = 221", "min = 193, max = 359", "cn-id-card: face_width is not"),
        ("file_kb = [14, 20]", "file_kb = [20, 14]", "cn-id-card: file_kb is not 0 <= min < max"),
        ("[[600, 600]", "[[601, 600]", "us-ds160: pixel_limits are not around size_px"),
        ('["white"]', '"white"', "fr-passport: forbidden_backgrounds is no list or holds the b"),
        ('["white"]', '["light-grey"]', "fr-passport: forbidden_backgrounds is no list or hold"),
        ('crown = "hair"', 'crown = "hat"', "cn-1-inch: crown is 'hat'"),
        ('id = "cn-2-inch"', 'id = "cn-1-inch"', "cn-1-inch: cn-1-inch is taken by cn-1-inch"),
        ('"japan-visa"', '"us-visa"', "jp-visa: us-visa is taken by us-visa"),
        ("when = {}", "when = { ratio = [0, 1] }", "general: the last family must fit every size"),
        ("ratio = [0.72", "min_ratio = [0.72", "icao: when takes only"),
    ],
)
def test_load_names_the_wrong_row(right: str, wrong: str, message: str) -> None:
    # Comments describe the keys; the rows of China come first.
    rows = "\n".join(line for line in RULES.splitlines() if not line.startswith("#"))
    assert right in rows
    with pytest.raises(ValueError, match=message):
        document_rules.load(rows.replace(right, wrong, 1))
