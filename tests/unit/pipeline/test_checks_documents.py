"""What is said about a photo for a document: the head's place, the file, the size."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline import colours, documents
from pipeline.checks import of_file, of_placement, of_size
from pipeline.values import Bounds, Check, Document, Placement
from tests.unit.pipeline.said import assert_worded, one, results

US = documents.find("us-passport")
ID_CARD = documents.find("cn-id-card")
LAWFUL = Placement(30 / 51, 31 / 51, 0.1, 0.5, None)


# --- of_placement --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "changed", "wrong"),
    [
        (US, {}, {}),
        (US, {"head_height": 25 / 51}, {}),
        (US, {"head_height": 25 / 51 - 0.99 / 600}, {}),  # less than a pixel
        (US, {"head_height": 25 / 51 - 1.01 / 600}, {"head_height": "fail"}),
        (US, {"head_height": 35 / 51 + 0.99 / 600}, {}),
        (US, {"head_height": 35 / 51 + 1.01 / 600}, {"head_height": "fail"}),
        (US, {"eye_line": 36 / 51}, {"eye_line": "fail"}),
        (US, {"eye_line": 28 / 51 - 1.01 / 600}, {"eye_line": "fail"}),
        (US, {"top_margin": -0.2, "face_width": 3.0}, {}),  # no rule
        (US, {"centre": 0.551}, {"centring": "fail"}),
        (US, {"centre": 0.449}, {"centring": "fail"}),
        (ID_CARD, {"head_height": 0.66, "top_margin": 14 / 441}, {}),
        (ID_CARD, {"head_height": 0.66, "top_margin": 30 / 441}, {"top_margin": "fail"}),
        (
            ID_CARD,
            {"head_height": 0.66, "top_margin": 14 / 441, "face_width": (193 - 0.9) / 358},
            {},
        ),
        (
            ID_CARD,
            {"head_height": 0.66, "top_margin": 14 / 441, "face_width": (221 + 1.1) / 358},
            {"face_width": "warn"},
        ),
        (
            ID_CARD,
            {"head_height": 0.5, "eye_line": 0.4, "top_margin": 14 / 441},
            {"head_height": "fail", "eye_line": "fail"},
        ),
        # What is borrowed from similar sizes is never a failure; what is the document's own is.
        (
            documents.find("finland-passport"),
            {"head_height": 0.2, "top_margin": 0.5, "eye_line": 0.9},
            {"head_height": "warn", "eye_line": "warn"},
        ),
        (
            documents.find("cn-visa-digital"),
            {"head_height": 0.5, "eye_line": 0.4, "top_margin": 0.1},
            {"head_height": "warn", "eye_line": "fail"},
        ),
    ],
)
def test_where_the_head_lies(
    document: Document, changed: dict[str, float], wrong: dict[str, str]
) -> None:
    checks = of_placement(replace(LAWFUL, **changed), document)
    assert {code: r for code, r in results(checks).items() if r != "pass"} == wrong
    for check in checks:
        assert_worded(check)


def test_a_family_s_rules_are_warnings() -> None:
    """Of every derived document, wherever the head lies."""
    for document in documents.all_documents():
        if document.derived:
            for share in (0.01, 0.99):
                checks = of_placement(Placement(share, share, share, 0.5, share), document)
                assert "fail" not in results(checks).values()


def test_a_placement_is_in_millimetres_of_its_side() -> None:
    document = replace(ID_CARD, size_mm=(26.0, 32.0))
    placed = Placement(0.5, 0.6, 0.02, 0.5, 0.55)
    checks = {check.code: check for check in of_placement(placed, document)}
    assert list(checks) == ["head_height", "eye_line", "top_margin", "face_width", "centring"]
    assert checks["head_height"].value == pytest.approx(16)
    assert checks["head_height"].min == pytest.approx(0.6 * 32)
    assert checks["head_height"].max == pytest.approx(0.72 * 32)
    assert checks["eye_line"].value == pytest.approx(19.2)
    assert checks["top_margin"].value == pytest.approx(0.64)
    assert checks["face_width"].value == pytest.approx(14.3)
    assert checks["face_width"].min == pytest.approx(26 * 193 / 358)
    assert {checks[code].unit for code in list(checks)[:4]} == {"mm"}


@pytest.mark.parametrize("width", [None, 0.58])
def test_only_what_is_known_and_ruled_is_said(width: float | None) -> None:
    placed = replace(LAWFUL, face_width=width)
    known = ["face_width"] if width else []
    assert list(results(of_placement(placed, US))) == ["head_height", "eye_line", "centring"]
    said = list(results(of_placement(placed, documents.find("cn-driver-licence"))))
    assert said == ["head_height", *known, "centring"]


def test_the_slack_is_a_pixel_of_the_side_that_is_measured() -> None:
    wide = replace(
        US, size_px=(100, 1000), face_width=Bounds(0.5, 0.6, 0.55), eye_line=None, top_margin=None
    )
    for face_width, head_height, expected in (
        (0.491, 0.5, {"head_height": "pass", "face_width": "pass"}),
        (0.489, 0.5, {"head_height": "pass", "face_width": "warn"}),
        (0.55, US.head_height.min - 0.0011, {"head_height": "fail", "face_width": "pass"}),
    ):
        placed = Placement(head_height, 0.6, 0.1, 0.5, face_width)
        assert results(of_placement(placed, wide)) == {**expected, "centring": "pass"}


# --- of_file and of_size -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "result"),
    [
        ("cn-id-card", 14 * 1024 - 1, "fail"),
        ("cn-id-card", 14 * 1024, "pass"),
        ("cn-id-card", 20_000, "pass"),
        ("cn-id-card", 20_001, "fail"),
        ("us-ds160", 0, "pass"),
        ("us-ds160", 240_001, "fail"),
        ("us-passport", 10**9, None),
    ],
)
def test_the_bytes_of_a_file(name: str, size: int, result: str | None) -> None:
    checks = of_file(size, documents.find(name))
    assert results(checks) == ({"file_size": result} if result else {})
    for check in checks:
        assert (check.value, check.unit) == (size, "bytes")
        assert (check.min, check.max) == documents.find(name).bytes_limit
        assert_worded(check)


@pytest.mark.parametrize(
    ("name", "background", "result"),
    [
        ("fr-passport", "white", "fail"),
        ("fr-passport", "light-grey", "pass"),
        ("us-passport", "white", "pass"),
        ("us-passport", "transparent", "pass"),
    ],
)
def test_a_background_that_is_forbidden(name: str, background: str, result: str) -> None:
    check = one(of_file(1000, documents.find(name), colours.parse(background)))
    assert (check.code, check.value, check.result) == ("background", None, result)
    assert_worded(check)


ALL = ("width", "height", "shape")


@pytest.mark.parametrize(
    ("name", "size_px", "wrong"),
    [
        ("us-passport", (600, 600), ()),
        ("us-passport", (599, 599), ()),
        ("us-passport", (598, 598), ("width", "height")),
        ("us-passport", (1200, 1200), ()),  # finer will do
        ("us-passport", (1200, 1189), ()),
        ("us-passport", (1200, 1180), ("shape",)),
        ("us-passport", (1180, 1200), ("shape",)),
        ("us-passport", (300, 600), ("width", "shape")),
        ("us-ds160", (1200, 1200), ()),
        ("us-ds160", (1201, 1201), ("width", "height")),
        ("us-ds160", (599, 600), ("width",)),
        ("cn-visa-digital", (420, 560), ()),
        ("cn-visa-digital", (354, 472), ()),
        ("cn-visa-digital", (10, 10), ALL),
        ("cn-visa-digital", (1000, 1000), ALL),
    ],
)
def test_the_size_of_a_picture(name: str, size_px: tuple[int, int], wrong: tuple[str, ...]) -> None:
    checks = of_size(size_px, documents.find(name))
    assert tuple(check.code for check in checks) == ALL
    assert {check.code for check in checks if check.result == "fail"} == set(wrong)
    assert {check.result for check in checks} <= {"pass", "fail"}
    assert [check.value for check in checks] == [*size_px, pytest.approx(size_px[0] / size_px[1])]
    for check in checks:
        assert_worded(check)


@pytest.mark.parametrize("document", documents.all_documents(), ids=lambda document: document.id)
def test_a_document_takes_the_size_that_is_made_for_it(document: Document) -> None:
    assert set(results(of_size(document.size_px, document)).values()) == {"pass"}


ANY = Placement(0.01, 0.01, 0.9, 0.9, 0.01)


@pytest.mark.parametrize(
    "say",
    [
        lambda document: of_placement(ANY, document),
        lambda document: of_placement(Placement(0.99, 0.99, -0.9, 0.1, 0.99), document),
        lambda document: of_file(1, document, colours.parse("white")),
        lambda document: of_file(10**9, document),
        lambda document: of_size((1, 2), document),
        lambda document: of_size((30_000, 20_000), document),
    ],
)
def test_every_check_of_every_document_is_worded(
    say: Callable[[Document], tuple[Check, ...]],
) -> None:
    for document in documents.all_documents():
        for check in say(document):
            assert_worded(check)
