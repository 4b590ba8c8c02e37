"""What is said about values: passed, warned or failed, by whose limits and in which words."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from pipeline.checks import judge, of_refusal
from pipeline.errors import TEXTS, UnusablePhoto
from tests.unit.pipeline.said import assert_worded, is_chinese, one

ROWS: dict[str, Any] = tomllib.loads(files("pipeline").joinpath("checks.toml").read_text("utf-8"))
# Limits that come from the document, and on which sides it may set them.
OF_DOCUMENTS = {
    **dict.fromkeys(("head_height", "eye_line", "top_margin", "face_width"), ("low", "high")),
    **dict.fromkeys(("width", "height", "shape", "file_size"), ("low", "high")),
    "background": ("high",),
}


# --- judge ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "as_is", "value", "result"),
    [
        ("faces", False, 0, "fail"),
        ("faces", False, 1, "pass"),
        ("faces", False, 2, "fail"),
        ("matte", False, 100, "pass"),
        ("matte", False, 92.5, "pass"),
        ("matte", False, 92.4, "warn"),
        ("matte", False, 85, "warn"),
        ("matte", False, 84.9, "fail"),
        ("eye_distance", False, 10_000, "pass"),
        ("eye_distance", False, 60, "pass"),
        ("eye_distance", False, 59.9, "warn"),
        ("eye_distance", False, 16, "warn"),
        ("eye_distance", False, 15.9, "fail"),
        ("roll", False, -20, "pass"),
        ("roll", False, 20.1, "warn"),
        ("roll", False, -45, "warn"),
        ("roll", False, 45.1, "fail"),
        ("roll", True, 8, "pass"),
        ("roll", True, -8.1, "warn"),
        ("roll", True, 12, "warn"),
        ("roll", True, -12.1, "fail"),
        ("yaw", False, 10, "pass"),
        ("yaw", True, -10.1, "warn"),  # one rule for both
        ("yaw", True, 16.1, "fail"),
        ("eyes_open", False, 0.23, "pass"),
        ("eyes_open", False, 0.22, "warn"),
        ("eyes_open", False, 0.17, "fail"),
        ("mouth_open", False, 0.0, "pass"),
        ("mouth_open", False, 0.1, "warn"),
        ("mouth_open", False, 0.31, "fail"),
        ("exposure", False, 48, "pass"),
        ("exposure", False, 38, "warn"),
        ("exposure", False, 37.9, "fail"),
        ("exposure", False, 94.1, "warn"),
        ("exposure", False, 97.1, "fail"),
        ("light_balance", False, -15, "pass"),
        ("light_balance", False, 16, "warn"),
        ("light_balance", False, -23, "fail"),
        ("enlargement", False, 0.01, "pass"),
        ("enlargement", False, 1.5, "pass"),
        ("enlargement", False, 1.51, "warn"),
        ("enlargement", False, 3.01, "fail"),
        ("body_cut", False, 0, "pass"),
        ("body_cut", False, 0.11, "warn"),
        ("body_cut", False, 3.1, "fail"),
        ("centring", True, -5, "pass"),
        ("centring", True, 5.1, "fail"),  # no bounds in which it is a warning
    ],
)
def test_a_value_and_its_limits(code: str, as_is: bool, value: float, result: str) -> None:
    check = one(judge(code, value, as_is=as_is))
    assert (check.code, check.value, check.result) == (code, value, result)
    row = ROWS[code]["as_is"] if as_is and "as_is" in ROWS[code] else ROWS[code]
    assert (check.min, check.max) == (row.get("min"), row.get("max"))
    assert check.unit == ROWS[code]["unit"]
    assert_worded(check)


@pytest.mark.parametrize("code", ROWS)
def test_what_is_not_known_is_not_said(code: str) -> None:
    assert judge(code, None) == ()


def test_a_hint_is_for_the_side_that_is_wrong() -> None:
    dark, bright = one(judge("exposure", 30)), one(judge("exposure", 96))
    assert "too dark" in dark.hint and "过暗" in dark.hint_zh
    assert "too bright" in bright.hint and "过亮" in bright.hint_zh


@pytest.mark.parametrize("code", ROWS)
def test_every_row_has_the_words_and_limits_that_it_needs(code: str) -> None:
    row = ROWS[code]
    sides = {"low": ("min", "least"), "high": ("max", "most")}
    needed = [side for side, names in sides.items() if any(name in row for name in names)]
    assert set(row) <= {"unit", "title", "low", "high", "min", "max", "least", "most", "as_is"}
    assert bool(needed) != (code in OF_DOCUMENTS)
    assert {side for side in sides if side in row} == set(needed or OF_DOCUMENTS[code])
    for text in (row[name] for name in ("title", "low", "high") if name in row):
        assert text.keys() == {"en", "zh"}
        assert text["en"].isascii() and is_chinese(text["zh"])
    for limits in (row, row.get("as_is", {})):
        order = [limits[name] for name in ("least", "min", "max", "most") if name in limits]
        assert order == sorted(order)


# --- of_refusal ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "value"),
    [
        (UnusablePhoto("no_face"), "faces", 0),
        (UnusablePhoto("several_faces", count=3), "faces", 3),
        (UnusablePhoto("face_too_small", eyes_px=9, limit_px=16), "eye_distance", 9),
        (UnusablePhoto("face_cut"), "body_cut", None),
        (UnusablePhoto("not_a_photo", drawn=0.4), "photo_like", 0.4),
        (UnusablePhoto("matte_unreliable"), "matte", None),
    ],
)
def test_a_refusal_is_the_failure_of_a_check(
    error: UnusablePhoto, code: str, value: float | None
) -> None:
    check = one(of_refusal(error))
    assert (check.code, check.value, check.result) == (code, value, "fail")
    assert check.title == ROWS[code]["title"]["en"]
    assert (check.min, check.max) == (ROWS[code].get("min"), ROWS[code].get("max"))
    assert check.hint == f"{error.text.title} {error.text.hint}"
    assert check.hint_zh == error.text.title_zh + error.text.hint_zh
    assert_worded(check)


@pytest.mark.parametrize(
    "error",
    [
        UnusablePhoto("photo_too_small", width=9, height=9, limit=48),
        UnusablePhoto("no_subject"),
    ],
)
def test_other_refusals_are_raised(error: UnusablePhoto) -> None:
    with pytest.raises(UnusablePhoto) as caught:
        of_refusal(error)
    assert caught.value is error


def test_nothing_else_is_the_failure_of_a_check() -> None:
    about_the_photo = {
        *("no_face", "several_faces", "face_too_small", "face_cut", "not_a_photo"),
        "matte_unreliable",
    }
    details = dict.fromkeys(("width", "height", "limit", "limit_mb", "limit_mp", "name"), 1)
    for code in TEXTS.keys() - about_the_photo:
        with pytest.raises(UnusablePhoto):
            of_refusal(UnusablePhoto(code, **details))
