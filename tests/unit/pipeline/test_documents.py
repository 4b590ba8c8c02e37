import re
from datetime import date

import pytest

from pipeline import colours, document_rules, documents
from pipeline.errors import BadOrder
from pipeline.values import Bounds, Document

DOCUMENTS = documents.all_documents()
RULES = document_rules.read()


def fractions(low: float, high: float, height: float) -> object:
    return pytest.approx((low / height, high / height))


def limits(bounds: Bounds | None) -> tuple[float, float]:
    assert bounds is not None
    return bounds.min, bounds.max


def test_count_and_order() -> None:
    ids = [document.id for document in DOCUMENTS]
    own = RULES.count("[[documents]]")
    assert len(ids) >= 240
    assert len(set(ids)) == len(ids)
    assert ids[0] == "cn-1-inch"
    assert [document.derived for document in DOCUMENTS] == [False] * own + [True] * (len(ids) - own)
    assert ids[own:] == sorted(ids[own:])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.id)
def test_document_is_complete(document: Document) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", document.id)
    assert re.fullmatch(r"([a-z]{2})?", document.country)
    assert re.fullmatch(r"white|light-grey|blue|red|#[0-9a-f]{6}", document.background)
    assert document.name_en
    assert re.search(r"[\u4e00-\u9fff]", document.name_zh)
    assert document.source
    assert "\n" not in document.note
    assert date.fromisoformat(document.source_date) <= date(2026, 11, 30)
    rules = document.head_height, document.eye_line, document.top_margin, document.face_width
    for bounds in rules:
        if bounds is not None:
            assert 0 <= bounds.min <= bounds.target <= bounds.max <= 1
    assert ("head rule: family" in document.source) == document.head_derived
    assert document.head_derived or not document.derived
    allowed = colours.parse(document.background)
    assert allowed not in [colours.parse(name) for name in document.forbidden_backgrounds]


@pytest.mark.parametrize(
    ("id", "size_mm", "size_px", "dpi"),
    [
        ("cn-1-inch", (25, 35), (295, 413), 300),
        ("cn-small-1-inch", (22, 32), (260, 378), 300),
        ("cn-large-1-inch", (33, 48), (390, 567), 300),
        ("cn-2-inch", (35, 49), (413, 579), 300),
        ("cn-small-2-inch", (35, 45), (413, 531), 300),
        ("cn-large-2-inch", (35, 53), (413, 626), 300),
        ("cn-id-card", (26, 32), (358, 441), 350),
        ("cn-driver-licence", (22, 32), (260, 378), 300),
        ("cn-social-security", (26, 32), (358, 441), 350),
        ("cn-chsi", (40.64, 54.19), (480, 640), 300),
        ("cn-exit-entry-local", (33, 48), (390, 567), 300),
        ("cn-passport", (33, 48), (390, 567), 300),
        ("cn-passport-digital", (30, 40), (354, 472), 300),
        ("cn-visa", (33, 48), (390, 567), 300),
        ("cn-visa-digital", (30, 40), (354, 472), 300),
        ("us-ds160", (50.8, 50.8), (600, 600), 300),
        ("us-passport", (51, 51), (600, 600), 300),
        ("uk-passport", (35, 45), (413, 531), 300),
        ("in-passport", (35, 45), (630, 810), 457),
        ("in-oci", (51, 51), (600, 600), 300),  # the package has 35x45
        ("gr-passport", (40, 60), (472, 709), 300),  # the package has 35x45
        ("finland-passport", (36, 47), (425, 555), 300),  # only the package has it
    ],
)
def test_size(id: str, size_mm: tuple[float, float], size_px: tuple[int, int], dpi: int) -> None:
    document = documents.find(id)
    assert (document.size_mm, document.size_px, document.dpi) == (size_mm, size_px, dpi)


@pytest.mark.parametrize(
    ("id", "head_height"),
    [
        ("cn-1-inch", (0.60, 0.72, 1)),
        ("cn-passport", (28, 33, 48)),
        ("cn-passport-digital", (331, 390, 472)),
        ("us-passport", (25, 35, 51)),  # the package says 70-80 %
        ("us-visa", (25, 35, 51)),
        ("us-ds160", (0.50, 0.69, 1)),
        ("icao-portrait", (0.70, 0.80, 1)),
        ("iso-portrait", (0.60, 0.90, 1)),
        ("cn-driver-licence", (19, 22, 32)),
        ("cn-exit-entry-local", (354, 402, 567)),
        ("cn-visa-digital", (0.70, 0.80, 1)),  # its own rule names none: family icao
        ("cn-social-security", (0.60, 0.72, 1)),  # as well: family general
        ("cn-chsi", (0.60, 0.72, 1)),
        ("uk-passport", (29, 34, 45)),  # the package says 70-80 %
        ("china-visa", (28, 33, 48)),  # the package says 60-80 %
        ("australia-passport", (32, 36, 45)),  # the package says 75-80 %
        ("india-passport", (0.80, 0.85, 1)),  # the package says 70-80 %
        ("schengen-visa", (32, 36, 45)),
        ("fr-passport", (32, 36, 45)),
        ("jp-passport", (32, 36, 45)),
        ("ca-passport", (31, 36, 70)),
        ("finland-passport", (0.70, 0.80, 1)),  # family icao
        ("estonia-passport", (0.70, 0.80, 1)),
        ("us-green-card", (25, 35, 51)),  # family us-square
        ("thailand-passport", (31, 36, 60)),  # family large-format
        ("turkey-passport", (31, 36, 60)),
        ("brazil-passport", (31, 36, 70)),
        ("kenya-passport", (0.60, 0.72, 1)),  # 51x51, yet not of the United States
        ("malaysia-passport", (0.60, 0.72, 1)),
    ],
)
def test_head_height(id: str, head_height: tuple[float, float, float]) -> None:
    assert limits(documents.find(id).head_height) == fractions(*head_height)


@pytest.mark.parametrize(
    ("id", "eye_line"),
    [
        ("us-passport", (28, 35, 51)),
        ("us-green-card", (28, 35, 51)),
        ("us-ds160", (0.56, 0.69, 1)),
        ("iso-portrait", (0.50, 0.70, 1)),
        ("cn-id-card", (207, 441, 441)),
        ("cn-social-security", (207, 441, 441)),
        ("cn-chsi", (340, 440, 640)),
        ("cn-exit-entry-local", (567 - 246, 567 - 152, 567)),
        ("cn-visa-digital", (256, 472, 472)),
        ("gr-passport", (30, 39, 60)),
        ("finland-passport", (0.50, 0.70, 1)),
    ],
)
def test_eye_line(id: str, eye_line: tuple[float, float, float]) -> None:
    assert limits(documents.find(id).eye_line) == fractions(*eye_line)


@pytest.mark.parametrize(
    ("id", "top_margin"),
    [
        ("cn-1-inch", (0.05, 0.15, 1)),
        ("cn-id-card", (7, 21, 441)),
        ("cn-social-security", (7, 21, 441)),
        ("cn-chsi", (50, 110, 640)),
        ("cn-exit-entry-local", (25, 45, 567)),
        ("cn-visa", (3, 5, 48)),
        ("cn-visa-digital", (10, 70, 472)),
        ("jp-passport", (2, 6, 45)),
    ],
)
def test_top_margin(id: str, top_margin: tuple[float, float, float]) -> None:
    assert limits(documents.find(id).top_margin) == fractions(*top_margin)


@pytest.mark.parametrize(
    ("id", "face_width"),
    [
        ("iso-portrait", (0.50, 0.75, 1)),
        ("gr-passport", (20, 25, 40)),
        ("cn-passport", (15, 22, 33)),
        ("cn-visa", (15, 22, 33)),
        ("cn-driver-licence", (14, 16, 22)),
        ("cn-visa-digital", (205 - 14, 205 + 14, 354)),
        ("cn-id-card", (207 - 14, 207 + 14, 358)),
        ("cn-social-security", (179, 255, 358)),
        ("cn-passport-digital", (248, 283, 354)),
        ("cn-exit-entry-local", (189, 283, 390)),
        ("cn-chsi", (180, 300, 480)),
    ],
)
def test_face_width_is_a_share_of_the_width(
    id: str, face_width: tuple[float, float, float]
) -> None:
    assert limits(documents.find(id).face_width) == fractions(*face_width)


def test_rules_that_do_not_exist_are_none() -> None:
    document = documents.find("uk-passport")
    assert document.eye_line is None
    assert document.top_margin is None
    assert document.face_width is None
    assert document.bytes_limit is None
    assert document.pixel_limits is None
    assert document.forbidden_backgrounds == ()


def test_target() -> None:
    assert documents.find("cn-1-inch").head_height.target == 0.66
    assert documents.find("finland-passport").head_height.target == 0.75
    assert documents.find("us-passport").head_height.target == pytest.approx(30 / 51)  # the middle


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.id)
def test_targets_leave_room_for_the_head(document: Document) -> None:
    """With the eyes at 47 % of the way up, chin and hair stay inside at the targets."""
    head = document.head_height.target
    if document.eye_line is not None:
        assert document.eye_line.target - 0.47 * head > 0
        assert document.eye_line.target + 0.53 * head < 1
    if document.top_margin is not None:
        assert document.top_margin.target + head < 1
    if document.eye_line is not None and document.top_margin is not None:
        eyes = 1 - document.top_margin.target - 0.53 * head
        assert document.eye_line.min < eyes < document.eye_line.max


def test_crown() -> None:
    skull = {document.id for document in DOCUMENTS if document.crown == "skull"}
    assert skull == {"fr-passport"}


@pytest.mark.parametrize(
    ("id", "country"),
    [
        ("us-green-card", "us"),
        ("uk-passport", "gb"),
        ("uk-visa", "gb"),
        ("hk-id-card", "hk"),
        ("bosnia-passport", "ba"),
        ("schengen-visa", ""),
    ],
)
def test_country(id: str, country: str) -> None:
    assert documents.find(id).country == country


def test_package_document() -> None:
    document = documents.find("uk-visa")
    assert document.name_en == "United Kingdom Visa"
    assert document.background == "#f0ede8"
    assert re.match(
        r"size: passport-photo-specs [\d.]+; head rule: family icao \(", document.source
    )


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ("cn-1-inch", "cn-1-inch"),
        ("CN-1-Inch", "cn-1-inch"),
        ("japan-passport", "jp-passport"),
        ("JAPAN-PASSPORT", "jp-passport"),
        ("china-visa", "cn-visa"),
        ("cn-drivers-licence", "cn-driver-licence"),
        ("Uk-Visa", "uk-visa"),
    ],
)
def test_find(asked: str, id: str) -> None:
    assert documents.find(asked).id == id


def test_aliases_are_not_listed() -> None:
    ids = {document.id for document in DOCUMENTS}
    assert not ids & {"japan-passport", "china-visa", "france-passport", "cn-drivers-licence"}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("moon-passport", "moon-passport"),
        ("", ""),
        ("custom", "custom"),
        ("a\r\nb\x00\x1b[31mc\u202e", "ab[31mc"),
        ("x" * 61, "x" * 60),
        ("\n" * 100 + "late", "late"),
        ("{name}", "{name}"),
    ],
)
def test_unknown_document(asked: str, name: str) -> None:
    with pytest.raises(BadOrder) as caught:
        documents.find(asked)
    assert caught.value.code == "unknown_document"
    assert caught.value.details == {"name": name}
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("size_mm", "dpi", "size_px", "head_height"),
    [
        ((35, 45), 300, (413, 531), (0.70, 0.80, 1)),
        ((35.0, 45.0), 600, (827, 1063), (0.70, 0.80, 1)),
        ((45, 60), 300, (531, 709), (0.70, 0.80, 1)),  # both icao and large: the first family
        ((40, 60), 300, (472, 709), (31, 36, 60)),
        ((51, 51), 300, (602, 602), (0.60, 0.72, 1)),  # the US rule needs a US document
        ((102, 152), 300, (1205, 1795), (0.60, 0.72, 1)),  # too tall for large-format
        ((5, 5), 300, (59, 59), (0.60, 0.72, 1)),
        ((300, 300), 300, (3543, 3543), (0.60, 0.72, 1)),
    ],
)
def test_custom_size_mm(
    size_mm: tuple[float, float],
    dpi: int,
    size_px: tuple[int, int],
    head_height: tuple[float, float, float],
) -> None:
    document = documents.custom(size_mm=size_mm, dpi=dpi)
    assert document.id == "custom"
    assert document.derived
    assert (document.size_mm, document.size_px, document.dpi) == (size_mm, size_px, dpi)
    assert limits(document.head_height) == fractions(*head_height)
    assert document.source.startswith("size: as ordered; head rule: family ")


@pytest.mark.parametrize(
    ("size_px", "dpi", "size_mm"),
    [
        ((413, 531), 300, (34.97, 44.96)),
        ((600, 600), 300, (50.8, 50.8)),
        ((32, 32), 1200, (0.68, 0.68)),
        ((4096, 4096), 72, (1444.98, 1444.98)),
    ],
)
def test_custom_size_px(size_px: tuple[int, int], dpi: int, size_mm: tuple[float, float]) -> None:
    document = documents.custom(size_px=size_px, dpi=dpi)
    assert (document.size_px, document.dpi) == (size_px, dpi)
    assert document.size_mm == pytest.approx(size_mm)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("order", "name", "reason"),
    [
        ({"size_mm": (NAN, 45)}, "size_mm", "outside 5 to 300 mm"),
        ({"size_mm": (35, INF)}, "size_mm", "outside 5 to 300 mm"),
        ({"size_mm": (0, 45)}, "size_mm", "outside 5 to 300 mm"),
        ({"size_mm": (-35, -45)}, "size_mm", "outside 5 to 300 mm"),
        ({"size_mm": (4.99, 45)}, "size_mm", "outside 5 to 300 mm"),
        ({"size_mm": (35, 300.1)}, "size_mm", "outside 5 to 300 mm"),
        ({"size_mm": (5, 5), "dpi": 72}, "size_mm", "outside 32 to 4096 pixels at 72 dpi"),
        ({"size_mm": (300, 300), "dpi": 1200}, "size_mm", "outside 32 to 4096 pixels at 1200 dpi"),
        ({"size_px": (31, 413)}, "size_px", "outside 32 to 4096 pixels"),
        ({"size_px": (295, 4097)}, "size_px", "outside 32 to 4096 pixels"),
        ({"size_px": (0, 0)}, "size_px", "outside 32 to 4096 pixels"),
        ({"size_px": (-295, 413)}, "size_px", "outside 32 to 4096 pixels"),
        ({"size_px": (NAN, INF)}, "size_px", "outside 32 to 4096 pixels"),
        ({"size_mm": (35, 45), "dpi": 71}, "dpi", "outside 72 to 1200 dpi"),
        ({"size_mm": (35, 45), "dpi": 1201}, "dpi", "outside 72 to 1200 dpi"),
        ({"size_px": (295, 413), "dpi": 0}, "dpi", "outside 72 to 1200 dpi"),
        ({"size_px": (295, 413), "dpi": -300}, "dpi", "outside 72 to 1200 dpi"),
        ({"size_px": (295, 413), "dpi": NAN}, "dpi", "outside 72 to 1200 dpi"),
        ({}, "size_mm", "give either size_mm or size_px"),
        (
            {"size_mm": (35, 45), "size_px": (413, 531)},
            "size_mm",
            "give either size_mm or size_px",
        ),
    ],
)
def test_custom_refuses(order: dict[str, object], name: str, reason: str) -> None:
    with pytest.raises(BadOrder) as caught:
        documents.custom(**order)  # type: ignore[arg-type]
    assert caught.value.code == "bad_parameter"
    assert caught.value.details == {"name": name, "reason": reason}
