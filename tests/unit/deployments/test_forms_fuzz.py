"""Parameters that nobody thought of: an order comes out or an IdPhotoError, never another error."""

import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployments import forms
from deployments.forms import CheckForm, CutoutForm, DocumentQuery, PhotoForm, SheetForm
from pipeline import documents
from pipeline.errors import IdPhotoError

bounded = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

numbers = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["", "0", "-0", "1e309", "nan", "inf", "٣٥", "0x10", "1_0", " 300 ", "300.0"]),
)
sizes = st.builds(
    "{}{}{}".format, numbers, st.sampled_from(["x", "X", "×", "*", " x ", "xx", ","]), numbers
)
colours = st.one_of(
    st.sampled_from(["white", "blue", "transparent", "light-grey", "#ggg", "#fff", "#12345678"]),
    st.text("#" + string.hexdigits, max_size=9),
)
names = st.one_of(
    st.sampled_from([document.id for document in documents.search("", "")]),
    st.sampled_from(["../../etc/passwd", "us-passport\0", "US-PASSPORT ", "us-passport,,", ","]),
)
percents = st.one_of(st.integers(-110, 110).map(str), numbers)
values = st.one_of(
    st.text(max_size=40),
    *(numbers, sizes, colours, names),
    st.sampled_from(["true", "jpeg", "png", "webp", "best", "fast", "rgba", "mask"]),
)


def fields(form: Any) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Some of the form's fields, seldom others, with values that often fit."""
    fitting = {
        "document": names,
        "background": colours,
        "size_mm": sizes,
        "size_px": sizes,
        "dpi": st.integers(60, 1300).map(str),
        "max_side_px": st.integers(50, 5000).map(str),
        "format": st.sampled_from(["jpeg", "png", "webp", "JPEG", ""]),
        "quality": st.sampled_from(["best", "fast", "worst"]),
        "kind": st.sampled_from(["rgba", "mask", "RGBA"]),
        "paper": st.one_of(st.sampled_from(["a4", "6-INCH", "letter", "a99", ""]), sizes),
        "orientation": st.sampled_from(["auto", "portrait", "landscape", "up"]),
        "cut": st.sampled_from(["none", "marks", "hairlines", "all"]),
        "count": st.one_of(st.integers(-1, 30).map(str), numbers),
        "gap_mm": st.one_of(st.floats(-1, 60).map(str), numbers),
        "margin_mm": st.one_of(st.floats(-1, 60).map(str), numbers),
        "min_kb": st.integers(-1, 300).map(str),
        "max_kb": st.integers(-1, 300).map(str),
        "progressive": st.sampled_from(["true", "0", "perhaps"]),
        "as_is": st.sampled_from(["true", "0", "yes", "perhaps"]),
        "adjust": st.sampled_from(["off", "auto", "AUTO"]),
        **dict.fromkeys(("brightness", "contrast", "saturation", "sharpness"), percents),
        "white_balance": st.sampled_from(["true", "0", "perhaps"]),
        "fill_light": st.sampled_from(["true", "0", "perhaps"]),
        "watermark": st.text(string.ascii_letters + "\n照", max_size=70),
        "watermark_style": st.sampled_from(["tiled", "corner", "round"]),
        "watermark_opacity": st.one_of(st.floats(0, 1).map(str), numbers),
        "zoom": st.one_of(st.floats(0.7, 1.3).map(str), numbers),
        **dict.fromkeys(("shift_x", "shift_y", "turn"), st.floats(-16, 16).map(str)),
    }
    known = [
        st.tuples(st.just(name), strategy)
        for name in form.model_fields
        for strategy in (*[fitting.get(name, values)] * 4, values)
    ]
    return st.lists(st.one_of(*known, st.tuples(st.text(max_size=70), values)), max_size=5)


def outcome(make: Any) -> Any:
    try:
        return make()
    except IdPhotoError as error:
        assert all(error.text)
        return error


@bounded
@given(fields(PhotoForm))
def test_photo_orders(given: list[tuple[str, str]]) -> None:
    order = outcome(lambda: forms.photo_order(forms.parse(PhotoForm, given), 64))
    if not isinstance(order, IdPhotoError):
        assert 1 <= len(order.documents) * max(1, len(order.backgrounds)) <= 64
        for document in order.documents:
            assert all(0 < side <= 10_000 for side in document.size_px)


@bounded
@given(fields(SheetForm))
def test_sheet_orders(given: list[tuple[str, str]]) -> None:
    order = outcome(lambda: forms.sheet_order(forms.parse(SheetForm, given), 64))
    if not isinstance(order, IdPhotoError):
        assert order.layout.slots
        width, height = order.layout.size_mm
        assert width * height * (order.dpi / 25.4) ** 2 <= 36_100_000


@bounded
@given(fields(CutoutForm))
def test_cutout_orders(given: list[tuple[str, str]]) -> None:
    order = outcome(lambda: forms.cutout_order(forms.parse(CutoutForm, given), 4096))
    if not isinstance(order, IdPhotoError):
        assert 64 <= order.max_side_px <= 4096


@bounded
@given(fields(CheckForm))
def test_check_orders(given: list[tuple[str, str]]) -> None:
    outcome(lambda: forms.check_order(forms.parse(CheckForm, given), 64))


@bounded
@given(fields(DocumentQuery))
def test_searches(given: list[tuple[str, str]]) -> None:
    def search() -> list[Any]:
        query = forms.parse(DocumentQuery, given)
        return [*documents.search(query.q, query.country)]

    outcome(search)


@pytest.mark.parametrize("form", [PhotoForm, SheetForm, CutoutForm, CheckForm])
def test_most_of_what_is_tried_is_not_nonsense(form: Any) -> None:
    """Or the tests above would only ever see the first refusal."""
    made: list[bool] = []

    @bounded
    @given(fields(form))
    def try_once(given: list[tuple[str, str]]) -> None:
        made.append(not isinstance(outcome(lambda: forms.parse(form, given)), IdPhotoError))

    try_once()
    assert sum(made) > len(made) / 20
