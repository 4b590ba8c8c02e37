import inspect
import pickle
import re
from string import Formatter

import pytest

from pipeline import errors
from pipeline.errors import TEXTS, IdPhotoError

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, IdPhotoError) and kind is not IdPhotoError
]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def details_of(code: str) -> dict[str, str | int | float]:
    """A value for everything that the code's English texts name."""
    text = TEXTS[code]
    names = sorted(fields(text.title) | fields(text.hint))
    return {name: f"<{name}>" if index % 2 else index for index, name in enumerate(names)}


def tree() -> dict[str, set[str]]:
    """Class name -> codes, as the module's docstring draws them."""
    _, drawn, *_ = re.split(r"\n\n", inspect.getdoc(errors) or "")
    found: dict[str, set[str]] = {}
    for word in re.findall(r"\w+", drawn):
        if word[0].isupper():
            codes = found.setdefault(word, set())
        else:
            codes.add(word)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", TEXTS)
def test_an_error_survives_pickling(kind: type[IdPhotoError], code: str) -> None:
    error = kind(code, **details_of(code))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.code, copy.details) == (code, details_of(code))
    assert str(copy) == str(error)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_will_do(protocol: int) -> None:
    error = errors.UnusablePhoto("face_too_small", eyes_px=11, limit_px=16)
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert copy.details == {"eyes_px": 11, "limit_px": 16}


@pytest.mark.parametrize("code", TEXTS)
def test_every_code_has_texts_in_both_languages(code: str) -> None:
    details = details_of(code)
    text = IdPhotoError(code, **details).text
    for english in (text.title, text.hint):
        assert english.isascii()
        assert english.endswith(".")
    for chinese in (text.title_zh, text.hint_zh):
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert chinese.endswith("。")
    for part in text:
        assert not re.search("[{}]", part)


@pytest.mark.parametrize("code", TEXTS)
def test_both_languages_tell_the_same_details(code: str) -> None:
    text = TEXTS[code]
    assert fields(text.title + text.hint) == fields(text.title_zh + text.hint_zh)


def test_the_sentence_is_the_error_s_str() -> None:
    error = errors.UnusablePhoto("several_faces", count=3)
    assert str(error) == "3 faces were found in the photo; an ID photo shows one person."
    assert error.text.title_zh == "照片中检测到 3 张人脸；证件照只能有一人。"


def test_details_from_outside_are_not_formatted_again() -> None:
    error = errors.BadOrder("unknown_document", name="{limit}{0.__class__}")
    assert str(error) == "There is no document named {limit}{0.__class__}."


def test_the_tree_names_every_code() -> None:
    drawn = tree()
    assert set().union(*drawn.values()) == set(TEXTS)


def test_the_tree_names_every_class() -> None:
    assert set(tree()) - {"IdPhotoError"} == {kind.__name__ for kind in KINDS}


def test_the_tree_has_one_line_for_each_class() -> None:
    lines = {line.split()[0] for line in (errors.__doc__ or "").splitlines() if line.strip()}
    assert {kind.__name__ for kind in KINDS} <= lines
