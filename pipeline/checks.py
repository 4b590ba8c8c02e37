"""What is to be said about a photo and what was made of it: one value each, held against limits.

Titles, hints and the service's own limits are data: ``checks.toml``. Where the limits come from and
how far a value can be trusted is written in docs/checks.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.errors import UnusablePhoto
from pipeline.values import Background, Bounds, Check, Document, Placement, Result, SizeWH

# A pixel more or less is no breach: authorities round, and so do pixels.
_SLACK_PX = 1.0
_SHAPE_SLACK = 0.01
# Which check a refusal is the failure of, and its value: the name of a detail, or what it must be.
_REFUSALS: Mapping[str, tuple[str, str | float | None]] = {
    "no_face": ("faces", 0.0),
    "several_faces": ("faces", "count"),
    "face_too_small": ("eye_distance", "eyes_px"),
    "face_cut": ("body_cut", None),
    "not_a_photo": ("photo_like", "drawn"),
    "matte_unreliable": ("matte", None),
}


@dataclass(frozen=True, slots=True)
class _Limits:
    """A value inside min and max passes, one beyond least or most fails, the rest is a warning."""

    min: float | None = None
    max: float | None = None
    least: float | None = None
    most: float | None = None


def judge(code: str, value: float | None, *, as_is: bool = False) -> tuple[Check, ...]:
    """The check of ``code`` by the service's own limits; none where the value is not known.

    ``as_is`` takes the limits of a finished photo where they differ from those of a snapshot, which
    is yet to be levelled.
    """
    if value is None:
        return ()
    row = _table()[code]
    row = row["as_is"] if as_is and "as_is" in row else row
    limits = _Limits(*(row.get(name) for name in ("min", "max", "least", "most")))
    return (_check(code, value, limits),)


def of_refusal(error: UnusablePhoto) -> tuple[Check, ...]:
    """The failure of one check, where the photo could not be looked at any further.

    Raises the error itself where it is about the picture, and not about what it shows.
    """
    if error.code not in _REFUSALS:
        raise error
    code, value = _REFUSALS[error.code]
    if isinstance(value, str):
        value = float(error.details[value])
    row, text = _table()[code], error.text
    return (
        Check(
            code,
            row["title"]["en"],
            row["title"]["zh"],
            value,
            row["unit"],
            row.get("min"),
            row.get("max"),
            "fail",
            f"{text.title} {text.hint}",
            text.title_zh + text.hint_zh,
        ),
    )


def of_placement(placed: Placement, document: Document) -> tuple[Check, ...]:
    """Whether the head lies where the document wants it.

    What is the rule of a family of sizes, and not the document's own, is a warning only; and so is
    the width of the face, which every authority measures in its own way.
    """
    found: tuple[Check, ...] = ()
    for code, share, bounds, side in (
        ("head_height", placed.head_height, document.head_height, 1),
        ("eye_line", placed.eye_line, document.eye_line, 1),
        ("top_margin", placed.top_margin, document.top_margin, 1),
        ("face_width", placed.face_width, document.face_width, 0),
    ):
        if bounds is not None and share is not None:
            mild = document.derived or code == "face_width"
            mild |= code == "head_height" and document.head_derived
            found += (_placed(code, share, bounds, document, side, "warn" if mild else "fail"),)
    return found + judge("centring", 100 * (placed.centre - 0.5))


def of_file(
    file_size: int, document: Document, background: Background | None = None
) -> tuple[Check, ...]:
    """Whether the document takes a file of that many bytes, and with that background.

    ``background`` None is one that nobody chose.
    """
    found: tuple[Check, ...] = ()
    if background is not None:
        forbidden = background.name in document.forbidden_backgrounds
        found += (_check("background", None, _Limits(), "fail" if forbidden else "pass"),)
    if document.bytes_limit is not None:
        low, high = document.bytes_limit
        found += (_check("file_size", float(file_size), _Limits(low, high)),)
    return found


def of_size(size_px: SizeWH, document: Document) -> tuple[Check, ...]:
    """Whether the document takes a picture of that size. Where it names no largest size, a finer
    picture of the same shape will do.
    """
    if document.pixel_limits is not None:
        (least_w, least_h), (most_w, most_h) = document.pixel_limits
        width, height = _Limits(least_w, most_w), _Limits(least_h, most_h)
    else:
        width, height = (_Limits(side_px - _SLACK_PX) for side_px in document.size_px)
    shape = document.size_px[0] / document.size_px[1]
    shapes = _Limits(shape * (1 - _SHAPE_SLACK), shape * (1 + _SHAPE_SLACK))
    return (
        _check("width", float(size_px[0]), width),
        _check("height", float(size_px[1]), height),
        _check("shape", size_px[0] / size_px[1], shapes),
    )


def _placed(
    code: str, share: float, bounds: Bounds, document: Document, side: int, worst: Result
) -> Check:
    side_mm = document.size_mm[side]
    limits = _Limits(bounds.min * side_mm, bounds.max * side_mm)
    slack = _SLACK_PX / document.size_px[side]
    inside = bounds.min - slack <= share <= bounds.max + slack
    return _check(code, share * side_mm, limits, "pass" if inside else worst)


def _check(code: str, value: float | None, limits: _Limits, result: Result | None = None) -> Check:
    row = _table()[code]
    result = result or _result(value or 0.0, limits)
    hint: Mapping[str, str] = {"en": "", "zh": ""}
    if result != "pass":
        below = value is not None and limits.min is not None and value < limits.min
        hint = row["low"] if below or "high" not in row else row["high"]
    return Check(
        code,
        row["title"]["en"],
        row["title"]["zh"],
        value,
        row["unit"],
        limits.min,
        limits.max,
        result,
        hint["en"],
        hint["zh"],
    )


def _result(value: float, limits: _Limits) -> Result:
    if _inside(value, limits.min, limits.max):
        return "pass"
    if limits.least is None and limits.most is None:
        return "fail"
    return "warn" if _inside(value, limits.least, limits.most) else "fail"


def _inside(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files("pipeline").joinpath("checks.toml").read_text("utf-8"))
