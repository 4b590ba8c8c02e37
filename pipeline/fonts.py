"""Which installed font draws which letters. No font is shipped here: those of the extra ``fonts``
are used, which come as packages under the SIL Open Font License; without it only ASCII is drawn, by
the font inside Pillow.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.util import find_spec
from itertools import groupby

from PIL import ImageFont, features

from pipeline.errors import BadOrder

# Package, and the font in it. The first that has a letter draws it, so the small ones come first.
_PACKAGED = (
    ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
    ("justmytype_intl_rtl", "fonts/ofl/notosansarabic/NotoSansArabic[wdth,wght].ttf"),
    ("justmytype_intl_rtl", "fonts/ofl/notosanshebrew/NotoSansHebrew[wdth,wght].ttf"),
    ("fontpkg_noto_sans_thai", "files/NotoSansThai[wdth,wght].ttf"),
    ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc"),
)
_ASCII = frozenset(range(32, 127))
# Joiners and the like, which shape their neighbours and are not drawn.
_UNSEEN = "Cf"
_RIGHT_TO_LEFT, _LEFT_TO_RIGHT = ("R", "AL"), ("L",)

Font = ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True)
class _Face:
    path: str | None
    """None: the font inside Pillow."""
    letters: frozenset[int]
    """Code points that it has."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a text that one font draws."""

    text: str
    font: Font


def runs(text: str, size_px: int) -> tuple[Run, ...]:
    """The text in pieces from left to right as they are drawn, by fonts of ``size_px`` pixels.

    One font for all of it where there is one, which then also orders letters of both directions
    (Unicode Bidirectional Algorithm, where Pillow has Raqm). Raises BadOrder (``no_font``).
    """
    return tuple(Run(part, _font(face, size_px)) for part, face in _parts(text))


def require(text: str) -> None:
    """Raises BadOrder (``no_font``) where no font draws a letter of the text."""
    _parts(text)


def _parts(text: str) -> list[tuple[str, _Face]]:
    faces = _faces()
    seen = [letter for letter in text if unicodedata.category(letter) != _UNSEEN]
    for face in faces:
        if all(ord(letter) in face.letters for letter in seen):
            return [(text, face)]
    chosen: list[_Face] = []
    for letter in text:
        chosen.append(_chosen(letter, chosen[-1] if chosen else None, faces))
    pairs = groupby(zip(chosen, text, strict=True), key=lambda pair: id(pair[0]))
    parts = [
        ("".join(letter for _, letter in part), part[0][0])
        for part in (list(group) for _, group in pairs)
    ]
    return parts[::-1] if _starts_right(text) else parts


def _chosen(letter: str, before: _Face | None, faces: Sequence[_Face]) -> _Face:
    """Marks, digits and punctuation stay with what stands before them."""
    category = unicodedata.category(letter)
    if before and (category == _UNSEEN or (ord(letter) in before.letters and category[0] != "L")):
        return before
    for face in faces:
        if ord(letter) in face.letters:
            return face
    raise BadOrder("no_font", letter=letter if letter.isprintable() else f"U+{ord(letter):04X}")


def _starts_right(text: str) -> bool:
    """Whether the text's first strong letter is one of a script from right to left."""
    strong = (*_RIGHT_TO_LEFT, *_LEFT_TO_RIGHT)
    first = next((d for d in map(unicodedata.bidirectional, text) if d in strong), "L")
    return first in _RIGHT_TO_LEFT


@cache
def _faces() -> tuple[_Face, ...]:
    if find_spec("fontTools") is None:
        return (_Face(None, _ASCII),)
    from fontTools.ttLib import TTFont

    found = []
    for package, name in _PACKAGED:
        if find_spec(package) is not None:
            path = str(files(package).joinpath(name))
            with TTFont(path, fontNumber=0, lazy=True) as font:
                found.append(_Face(path, frozenset(font.getBestCmap())))
    return (*found, _Face(None, _ASCII))


@lru_cache(maxsize=32)
def _font(face: _Face, size_px: int) -> Font:
    raqm = features.check("raqm")
    engine = ImageFont.Layout.RAQM if raqm else ImageFont.Layout.BASIC
    if face.path is None:
        font = ImageFont.load_default(size_px)
        assert isinstance(font, Font)  # Pillow has FreeType in all its wheels
        return font
    return ImageFont.truetype(face.path, size_px, layout_engine=engine)
