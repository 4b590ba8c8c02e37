"""On real portraits, each adjustment does what it says, and skin keeps its hue."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline import adjust, appearance
from pipeline.finish_values import AS_IT_IS, Adjusted, Adjustments, Retouching, Tone
from pipeline.values import Face, Rgb

PORTRAITS = (
    "astronaut.png",
    "tiny-dark-skin-white-bg.jpg",
    "tiny-glasses-autumn.jpg",
    "tiny-long-hair.jpg",
    "tiny-white-blouse.jpg",
)
ASTRONAUT, UNEVEN = PORTRAITS[:2]
HUE_DEG = 3.0
"""What docs/adjustments.md promises of everything but the white balance."""

Look = Callable[[str], tuple[Rgb, Face, Tone]]


@pytest.fixture(scope="module")
def look(load_rgb: Callable[[str], Rgb], find_faces: Callable[[Rgb], list[Face]]) -> Look:
    def see(name: str) -> tuple[Rgb, Face, Tone]:
        rgb = load_rgb(name)
        (face,) = find_faces(rgb)
        return rgb, face, tone(rgb, face)

    return see


def tone(rgb: Rgb, face: Face) -> Tone:
    return appearance.tone(appearance.upright(rgb, face))


def done(seen: tuple[Rgb, Face, Tone], asked: Adjustments) -> tuple[Rgb, Tone, Adjusted]:
    rgb, face, before = seen
    what = adjust.plan(asked, before, "any")
    made = adjust.apply(rgb, face, what, before)
    assert made.shape == rgb.shape
    assert made.dtype == np.uint8
    return made, tone(made, face), what


def hue_deg(of: Tone) -> float:
    return math.degrees(math.atan2(of.skin_lab[2], of.skin_lab[1]))


def chroma(of: Tone) -> float:
    return math.hypot(*of.skin_lab[1:])


def unevenness(of: Tone) -> float:
    return abs(of.cheeks_lightness[1] - of.cheeks_lightness[0])


def asked(scale: str, strength: int) -> Adjustments:
    wanted: dict[str, Any] = {scale: strength}
    return Adjustments(**wanted)


@pytest.mark.parametrize("name", PORTRAITS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_each_scale_moves_its_own_measure_and_not_the_skin_s_hue(
    look: Look, name: str, sign: int
) -> None:
    seen = look(name)
    rgb, face, before = seen
    measures: dict[str, Callable[[Rgb, Tone], float]] = {
        "brightness": lambda _, after: after.skin_lab[0] - before.skin_lab[0],
        "contrast": lambda _, after: after.contrast - before.contrast,
        "saturation": lambda _, after: chroma(after) - chroma(before),
        "sharpness": lambda made, _: (
            10
            * (
                appearance.sharpness(appearance.upright(made, face))
                - appearance.sharpness(appearance.upright(rgb, face))
            )
        ),
    }
    for scale, measure in measures.items():
        changes = []
        for strength in (30, 90):
            made, after, _ = done(seen, asked(scale, sign * strength))
            changes.append(sign * measure(made, after))
            assert abs(hue_deg(after) - hue_deg(before)) < HUE_DEG, scale
        assert 0.5 < changes[0] < changes[1] < 20, (scale, changes)


@pytest.mark.parametrize(
    "asked", [AS_IT_IS, Adjustments(auto=True), Adjustments(white_balance=True)]
)
def test_a_good_photo_stays_as_it_is(look: Look, asked: Adjustments) -> None:
    rgb, face, before = look(ASTRONAUT)
    what = adjust.plan(asked, before, "any")
    assert what.none
    assert adjust.apply(rgb, face, what, before) is rgb


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("asked", [Adjustments(fill_light=True), Adjustments(auto=True)])
def test_a_fill_light_evens_the_face_and_leaves_its_lighter_half(
    look: Look, find_faces: Callable[[Rgb], list[Face]], mirrored: bool, asked: Adjustments
) -> None:
    rgb, face, before = look(UNEVEN)
    if mirrored:
        rgb = np.ascontiguousarray(rgb[:, ::-1])
        (face,) = find_faces(rgb)
        before = tone(rgb, face)
    made, after, what = done((rgb, face, before), asked)
    assert unevenness(before) > 20
    assert 0.4 < unevenness(after) / unevenness(before) < 0.7
    assert (what.fill_light > 0) == mirrored
    assert max(after.cheeks_lightness) == pytest.approx(max(before.cheeks_lightness), abs=0.5)
    assert abs(hue_deg(after) - hue_deg(before)) < HUE_DEG
    # Far from that half nothing changes but what a conversion rounds.
    far = np.s_[:, :50] if mirrored else np.s_[:, -50:]
    assert np.abs(made[far].astype(int) - rgb[far]).max() <= 1


@pytest.mark.parametrize("gains", [(1.15, 1.0, 0.75), (0.85, 1.1, 0.95), (0.9, 0.9, 1.3)])
def test_the_white_balance_takes_a_cast_off_the_skin(look: Look, gains: tuple[float, ...]) -> None:
    rgb, face, true = look(ASTRONAUT)
    linear = (rgb / 255.0) ** 2.2 * np.array(gains)
    cast = np.rint(np.clip(linear, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
    before = tone(cast, face)
    made, after, what = done((cast, face, before), Adjustments(white_balance=True))
    off, left = (
        math.hypot(*np.subtract(each.skin_lab[1:], true.skin_lab[1:])) for each in (before, after)
    )
    assert left < 0.8 * off
    assert what.gains is not None
    assert max(what.gains) / min(what.gains) < 1.15**2
    assert after.skin_lab[0] == pytest.approx(before.skin_lab[0], abs=1)
    assert made is not cast


def test_a_photo_without_colours_gets_none(look: Look) -> None:
    rgb, face, _ = look(ASTRONAUT)
    grey = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    made, _, what = done((grey, face, tone(grey, face)), Adjustments(white_balance=True))
    assert what.none
    brighter, *_ = done((grey, face, tone(grey, face)), Adjustments(0, 50, 90, white_balance=True))
    assert np.ptp(brighter.astype(int), axis=2).max() <= 1
    assert made is grey


@pytest.mark.parametrize("name", PORTRAITS)
def test_auto_lifts_a_dark_and_hazy_face_within_bounds(look: Look, name: str) -> None:
    rgb, face, _ = look(name)
    dull = np.rint(20 + (rgb / 255.0) ** 2 * 90).astype(np.uint8)
    before = tone(dull, face)
    _, after, what = done((dull, face, before), Adjustments(auto=True))
    assert 0 < what.brightness <= 60 and 0 <= what.contrast <= 60
    assert before.highlight < after.highlight < 62
    assert after.contrast > before.contrast - 1
    assert abs(hue_deg(after) - hue_deg(before)) < HUE_DEG or what.gains is not None


def test_the_size_of_the_picture_does_not_matter(look: Look) -> None:
    seen = look(ASTRONAUT)
    rgb, face, before = seen
    asked = Adjustments(40, 40, 40, 60, fill_light=True)
    made, *_ = done(seen, asked)
    small = adjust.apply(
        rgb[::2, ::2], face.scaled(0.5, 0.5), adjust.plan(asked, before, "any"), before
    )
    assert np.abs(made[::2, ::2].astype(int) - small).mean() < 3


@pytest.mark.parametrize(
    ("asked", "retouching", "name"),
    [
        (Adjustments(brightness=1), "tone", None),
        (Adjustments(contrast=-1, saturation=3, white_balance=True), "tone", None),
        (Adjustments(sharpness=1), "tone", "sharpness"),
        (Adjustments(fill_light=True), "tone", "fill_light"),
        (Adjustments(auto=True), "tone", None),
        (Adjustments(brightness=1), "none", "brightness"),
        (Adjustments(auto=True), "none", "adjust"),
        (AS_IT_IS, "none", None),
        (Adjustments(1, 1, 1, 1, True, True, True), "any", None),
    ],
)
def test_what_a_document_forbids(
    asked: Adjustments, retouching: Retouching, name: str | None
) -> None:
    assert adjust.forbidden(asked, retouching) == name


def test_auto_leaves_the_fill_light_out_where_it_is_forbidden(look: Look) -> None:
    _, _, uneven = look(UNEVEN)
    assert adjust.plan(Adjustments(auto=True), uneven, "any").fill_light
    assert not adjust.plan(Adjustments(auto=True), uneven, "tone").fill_light
