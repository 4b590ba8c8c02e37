import numpy as np
import pytest
from PIL import Image, ImageFont, features

from pipeline import fonts
from pipeline.errors import BadOrder
from pipeline.finish_values import WatermarkStyle
from pipeline.values import Rgb
from pipeline.watermark import stamp

WHITE: Rgb = np.full((400, 300, 3), 255, np.uint8)
TEXTS = (
    "SAMPLE",
    "仅供办理签证",
    "サンプル",
    "샘플",
    "للعرض فقط",
    "דוגמה",
    "ตัวอย่าง",
    "नमूना",
    "Образец",
    "Δείγμα",
)


def inked(picture: Rgb, ground: Rgb = WHITE) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what was changed."""
    box = Image.fromarray(np.any(picture != ground, axis=2)).getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("style", ["tiled", "corner"])
def test_every_script_is_written(text: str, style: WatermarkStyle) -> None:
    fonts.require(text)
    marked = stamp(WHITE, text, style=style)
    assert marked.shape == WHITE.shape
    assert marked.dtype == np.uint8
    assert 0.0008 < np.any(marked != 255, axis=2).mean() < 0.5


def test_no_two_texts_look_alike() -> None:
    """As those do whose letters a font lacks."""
    made = {stamp(WHITE, text, style="corner").tobytes() for text in TEXTS}
    assert len(made) == len(TEXTS)


def test_tiles_reach_every_part_of_the_picture() -> None:
    changed = np.any(stamp(WHITE, "SAMPLE") != 255, axis=2)
    parts = changed.reshape(4, 100, 3, 100).any(axis=(1, 3))
    assert parts.all()
    assert not np.array_equal(stamp(WHITE, "SAMPLE"), stamp(WHITE, "SAMPLE", angle_deg=0))


@pytest.mark.parametrize("at", ["left", "right"])
def test_a_corner_is_at_the_bottom_and_not_at_the_edge(at: str) -> None:
    marked = stamp(WHITE, "AI", style="corner", at="left" if at == "left" else "right")
    left, top, right, bottom = inked(marked)
    assert top > 350 and 390 < bottom < 400
    assert (0 < left < 10) if at == "left" else (290 < right < 300)


@pytest.mark.parametrize("size", [(300, 400), (600, 600), (120, 500)])
def test_a_label_is_as_high_as_the_labelling_rule_asks(size: tuple[int, int]) -> None:
    """GB 45438-2025: text of at least 5 % of the shorter side."""
    ground = np.zeros((size[1], size[0], 3), np.uint8)
    _, top, _, bottom = inked(stamp(ground, "AI生成", style="corner"), ground)
    assert bottom - top >= 0.05 * min(size)


def test_a_long_text_is_made_to_fit() -> None:
    left, _, right, _ = inked(
        stamp(WHITE, "a text that is much too long for this picture" * 2, style="corner")
    )
    assert 0 <= left < right <= 300


@pytest.mark.parametrize(("grey", "darker"), [(250, True), (5, False)])
def test_a_corner_stands_out_from_what_is_under_it(grey: int, darker: bool) -> None:
    ground = np.full((600, 600, 3), grey, np.uint8)
    marked = stamp(ground, "AI", style="corner", opacity=1)
    assert (marked.min() < 10) if darker else (marked.max() > 245)


@pytest.mark.parametrize("opacity", [0.2, 0.5, 1.0])
def test_opacity_is_the_share_of_the_colour(opacity: float) -> None:
    marked = stamp(WHITE, "██", style="corner", opacity=opacity, colour=(255, 0, 0))
    assert marked[..., 0].min() == 255
    assert marked[..., 1].min() == pytest.approx(255 * (1 - opacity), abs=1)


def test_on_transparent_ground_the_text_is_there_too() -> None:
    clear = np.zeros((200, 200, 4), np.uint8)
    marked = stamp(clear, "SAMPLE", opacity=0.5, colour=(9, 9, 9))
    assert marked.shape == clear.shape
    assert marked[..., 3].max() == pytest.approx(128, abs=1)
    assert (marked[marked[..., 3] > 60][:, :3] == 9).all()
    assert not clear.any()


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow cannot shape letters")
def test_arabic_letters_join_and_run_from_the_right() -> None:
    """Joined they are narrower than apart, and the first letter is the last one drawn."""
    (joined,) = fonts.runs("سلام", 40)
    apart = sum(joined.font.getlength(letter) for letter in "سلام")
    assert joined.font.getlength("سلام") < 0.9 * apart
    assert [run.text for run in fonts.runs("عربي中", 40)] == ["中", "عربي"]
    assert [run.text for run in fonts.runs("中عربي", 40)] == ["中", "عربي"]


@pytest.mark.parametrize("text", ["😀", "AI 😀", "\ue000"])
def test_a_letter_that_no_font_has(text: str) -> None:
    with pytest.raises(BadOrder) as caught:
        stamp(WHITE, text)
    assert caught.value.code == "no_font"
    assert str(caught.value.details["letter"]).isprintable()


def test_without_the_extra_ascii_is_still_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_PACKAGED", (("no_such_package", "x.ttf"),))
    fonts._faces.cache_clear()
    try:
        assert np.any(stamp(WHITE, "SAMPLE 12") != 255)
        with pytest.raises(BadOrder, match="仅"):
            fonts.require("仅供")
        assert isinstance(fonts.runs("a", 20)[0].font, ImageFont.FreeTypeFont)
    finally:
        fonts._faces.cache_clear()
