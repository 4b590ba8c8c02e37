from dataclasses import replace

import numpy as np
import pytest

from pipeline import colours, documents
from pipeline.findings import of_background, of_crop
from pipeline.values import CropPlan, Document, Finding, Placement

US = documents.find("us-passport")
ID_CARD = documents.find("cn-id-card")
LAWFUL = Placement(head_height=30 / 51, eye_line=31 / 51, top_margin=0.1)


def found(
    placement: Placement | None = LAWFUL,
    document: Document = US,
    enlarge: float = 1.0,
    cut: float = 0.0,
) -> dict[str, Finding]:
    plan = CropPlan(np.eye(3)[:2], document.size_px, 1.0, placement)
    return {finding.code: finding for finding in of_crop(plan, document, enlarge, cut)}


@pytest.mark.parametrize(
    ("enlarge", "cut", "codes"),
    [
        (0.3, 0.0, []),
        (1.5, 0.001, []),
        (1.51, 0.0, ["enlarged"]),
        (1.0, 0.0011, ["body_cut"]),
        (4.2, 0.2, ["enlarged", "body_cut"]),
    ],
)
def test_what_the_photo_lacks(enlarge: float, cut: float, codes: list[str]) -> None:
    assert list(found(enlarge=enlarge, cut=cut)) == codes


@pytest.mark.parametrize(
    ("document", "changed", "codes"),
    [
        (US, {}, []),
        (US, {"head_height": 25 / 51}, []),
        (US, {"head_height": 24.95 / 51}, []),  # less than a pixel
        (US, {"head_height": 24.5 / 51}, ["head_height_out_of_bounds"]),
        (US, {"head_height": 36 / 51}, ["head_height_out_of_bounds"]),
        (US, {"eye_line": 36 / 51}, ["eye_line_out_of_bounds"]),
        (US, {"top_margin": -0.2}, []),  # no rule
        (ID_CARD, {"head_height": 0.66, "top_margin": 14 / 441}, []),
        (ID_CARD, {"head_height": 0.66, "top_margin": 30 / 441}, ["top_margin_out_of_bounds"]),
        (
            ID_CARD,
            {"head_height": 0.5, "eye_line": 0.4, "top_margin": 14 / 441},
            ["head_height_out_of_bounds", "eye_line_out_of_bounds"],
        ),
    ],
)
def test_bounds_that_do_not_hold(
    document: Document, changed: dict[str, float], codes: list[str]
) -> None:
    assert list(found(replace(LAWFUL, **changed), document)) == codes


def test_a_finding_says_how_much_in_both_languages() -> None:
    low = found(replace(LAWFUL, head_height=20 / 51), enlarge=2.34, cut=0.5)
    assert "20.0 mm" in low["head_height_out_of_bounds"].detail
    assert "25.0 to 35.0 mm" in low["head_height_out_of_bounds"].detail
    assert "2.3 times" in low["enlarged"].detail
    assert "2.3 倍" in low["enlarged"].detail_zh
    for finding in low.values():
        assert finding.detail.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in finding.detail_zh)


@pytest.mark.parametrize(
    ("name", "background", "codes"),
    [
        ("fr-passport", "white", ["background_forbidden"]),
        ("fr-passport", "light-grey", []),
        ("us-passport", "white", []),
    ],
)
def test_a_background_that_is_forbidden(name: str, background: str, codes: list[str]) -> None:
    said = of_background(colours.parse(background), documents.find(name))
    assert [finding.code for finding in said] == codes
