"""The photos as they are must pass the limits of docs/checks.md; spoilt, they must not."""

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline import appearance
from pipeline.appearance import Upright
from pipeline.values import Alpha, Face, Rgb

Spoil = Callable[[Rgb, float], Rgb]
"""From a picture and the distance of its eyes in pixels."""
Look = Callable[[str, Spoil], Upright]

PORTRAITS = (
    "astronaut.png",
    "grace-hopper.png",  # 128 px
    "tiny-dark-skin-white-bg.jpg",  # light from the right
    "tiny-glasses-autumn.jpg",
    "tiny-long-hair.jpg",
    "tiny-pale-dress.jpg",
    "tiny-white-blouse.jpg",
)
SHARP, BLURRED = 0.85, 0.75
DARK, BRIGHT = 38, 97
FLAT = 24
UNEVEN_LIGHT = 15
PLAIN, BUSY = 13, 20


def as_it_is(rgb: Rgb, _: float) -> Rgb:
    return rgb


def mirrored(rgb: Rgb) -> Rgb:
    return np.ascontiguousarray(rgb[:, ::-1])


def blurred(rgb: Rgb, eyes_px: float) -> Rgb:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.04 * eyes_px), np.uint8)


def moved(degrees: float) -> Spoil:
    """As a camera that moved by 15 % of the distance of the eyes sees it."""

    def spoil(rgb: Rgb, eyes_px: float) -> Rgb:
        along = np.linspace(-0.075, 0.075, 25) * eyes_px
        angle = math.radians(degrees)
        total = np.zeros(rgb.shape, np.float64)
        for step in along:
            shift = np.array([[1, 0, step * math.cos(angle)], [0, 1, step * math.sin(angle)]])
            size_px = rgb.shape[1], rgb.shape[0]
            total += cv2.warpAffine(rgb, shift, size_px, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(total / len(along), np.uint8)

    return spoil


def noisy(rgb: Rgb, _: float) -> Rgb:
    noise = np.random.default_rng(5).normal(0, 10, rgb.shape)
    return np.asarray(np.clip(rgb + noise, 0, 255), np.uint8)


def compressed(rgb: Rgb, _: float) -> Rgb:
    _, data = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def enlarged(rgb: Rgb, _: float) -> Rgb:
    return np.asarray(cv2.resize(rgb, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)


def dimmed(rgb: Rgb, _: float) -> Rgb:
    return np.asarray(rgb * 0.4, np.uint8)


def lit(stops: float) -> Spoil:
    """Exposed by so many stops more, clipped where that is too much."""

    def spoil(rgb: Rgb, _: float) -> Rgb:
        return light(rgb, np.full(rgb.shape[1], 2.0**stops))

    return spoil


def light(rgb: Rgb, gain: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Rgb:
    """The picture with the light of each column multiplied; power 2.2 stands for sRGB."""
    linear = (rgb / 255) ** 2.2 * gain[None, :, None]
    return np.asarray(np.clip(linear, 0, 1) ** (1 / 2.2) * 255, np.uint8)


def hazy(rgb: Rgb, _: float) -> Rgb:
    return np.asarray(rgb * 0.3 + 120, np.uint8)


@pytest.fixture(scope="module")
def look(load_rgb: Callable[[str], Rgb], find_faces: Callable[[Rgb], list[Face]]) -> Look:
    """The upright face of a photo, spoilt after the face was found."""
    found = {}

    def cut(name: str, spoil: Spoil) -> Upright:
        rgb = load_rgb(name)
        if name not in found:
            found[name] = find_faces(rgb)[0]
        face = found[name]
        spoilt = spoil(rgb, math.dist(face.left_eye_xy_px, face.right_eye_xy_px))
        factor = spoilt.shape[0] / rgb.shape[0]
        return appearance.upright(spoilt, face.scaled(factor, factor))

    return cut


@pytest.mark.parametrize("name", PORTRAITS)
@pytest.mark.parametrize("spoil", [as_it_is, noisy, compressed, enlarged, dimmed])
def test_sharp_portraits_are_sharp(name: str, spoil: Spoil, look: Look) -> None:
    assert appearance.sharpness(look(name, spoil)) > SHARP


@pytest.mark.parametrize("name", PORTRAITS)
@pytest.mark.parametrize("spoil", [blurred, moved(0), moved(45), moved(90), moved(135)])
def test_blurred_portraits_are_not(name: str, spoil: Spoil, look: Look) -> None:
    assert appearance.sharpness(look(name, spoil)) < BLURRED


def test_an_even_surface_is_not_sharp() -> None:
    grey = np.full((128, 122, 3), 127, np.uint8)
    assert appearance.sharpness(Upright(grey, ((30, 60), (90, 60)))) == 0


@pytest.mark.parametrize("name", PORTRAITS)
def test_portraits_are_exposed_well(name: str, look: Look) -> None:
    face = look(name, as_it_is)
    assert 48 < appearance.exposure(face) < 94
    assert appearance.contrast(face) > FLAT


@pytest.mark.parametrize("name", PORTRAITS)
def test_light_that_is_missing_or_too_much_shows(name: str, look: Look) -> None:
    assert appearance.exposure(look(name, lit(-3))) < DARK
    assert appearance.exposure(look(name, lit(3))) > BRIGHT
    assert appearance.contrast(look(name, hazy)) < FLAT


def test_exposure_is_lightness() -> None:
    # CIE L* of sRGB 119 is 50.03; OpenCV interpolates a table.
    grey = np.full((128, 122, 3), 119, np.uint8)
    face = Upright(grey, ((30, 60), (90, 60)))
    assert appearance.exposure(face) == pytest.approx(50.03, abs=0.3)
    assert appearance.contrast(face) == appearance.light_balance(face) == 0


@pytest.mark.parametrize(
    "name", [name for name in PORTRAITS if name != "tiny-dark-skin-white-bg.jpg"]
)
def test_light_from_the_front_is_balanced(name: str, look: Look) -> None:
    assert abs(appearance.light_balance(look(name, as_it_is))) < UNEVEN_LIGHT


def test_light_from_the_side_is_not(look: Look) -> None:
    assert appearance.light_balance(look("tiny-dark-skin-white-bg.jpg", as_it_is)) > UNEVEN_LIGHT


@pytest.mark.parametrize("name", PORTRAITS[:2] + PORTRAITS[3:])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_shadow_on_one_side_shows(name: str, side: int, look: Look) -> None:
    face = look(name, as_it_is)
    across = np.linspace(-0.95, 0.95, face.rgb.shape[1])
    # Two stops from one cheek to the other, none of them above what the photo has.
    shaded = Upright(light(face.rgb, 2.0 ** (2 * (side * across - 0.95))), face.cheeks_xy_px)
    assert side * appearance.light_balance(shaded) > UNEVEN_LIGHT


@pytest.mark.parametrize("name", PORTRAITS)
def test_a_mirrored_face_has_mirrored_light_and_the_same_rest(name: str, look: Look) -> None:
    face = look(name, as_it_is)
    width = face.rgb.shape[1]
    left, right = ((width - x, y) for x, y in face.cheeks_xy_px)
    other = Upright(mirrored(face.rgb), (right, left))
    balance = appearance.light_balance(face)
    assert appearance.light_balance(other) == pytest.approx(-balance, abs=1.5)
    for measure in (appearance.sharpness, appearance.exposure, appearance.contrast):
        assert measure(other) == pytest.approx(measure(face), rel=0.01)


@pytest.mark.parametrize("degrees", [-10, 10])
def test_a_rolled_head_looks_the_same(
    degrees: float,
    load_rgb: Callable[[str], Rgb],
    find_faces: Callable[[Rgb], list[Face]],
    look: Look,
) -> None:
    rgb = load_rgb("astronaut.png")
    turn = cv2.getRotationMatrix2D((223, 123), degrees, 1)
    turned = np.asarray(cv2.warpAffine(rgb, turn, (512, 512), flags=cv2.INTER_CUBIC), np.uint8)
    face = appearance.upright(turned, find_faces(turned)[0])
    level = look("astronaut.png", as_it_is)
    assert appearance.sharpness(face) == pytest.approx(appearance.sharpness(level), rel=0.15)
    assert appearance.exposure(face) == pytest.approx(appearance.exposure(level), abs=2)
    assert appearance.light_balance(face) == pytest.approx(appearance.light_balance(level), abs=5)


def test_a_face_at_the_edge_can_be_measured(
    load_rgb: Callable[[str], Rgb], find_faces: Callable[[Rgb], list[Face]]
) -> None:
    rgb = load_rgb("astronaut.png")
    face = find_faces(rgb)[0]
    cut = appearance.upright(rgb[:, 200:], face.moved(-200, 0))
    assert cut.rgb.shape == appearance.upright(rgb, face).rgb.shape
    assert math.isfinite(appearance.light_balance(cut))


def person(data: Path, name: str) -> tuple[Rgb, Alpha]:
    rgb = np.asarray(Image.open(data / f"{name}.png").convert("RGB"))
    alpha = np.asarray(Image.open(data / "alphas" / f"{name}.png").convert("L"))
    return rgb, np.asarray(alpha / 255, np.float32)


def before(wall: np.ndarray[tuple[int, ...], np.dtype[np.float64]], rgb: Rgb, alpha: Alpha) -> Rgb:
    """The person in front of another background, with the noise of a camera."""
    opacity = alpha[..., None]
    noise = np.random.default_rng(3).normal(0, 4, rgb.shape)
    return np.asarray(np.clip(rgb * opacity + wall * (1 - opacity) + noise, 0, 255), np.uint8)


SCENES = ("gt-blue-ponytail", "gt-curly-mono", "gt-denim", "gt-lace", "gt-trench", "gt-two-friends")


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_no_plain_background(name: str, data: Path) -> None:
    evenness = appearance.background_evenness(*person(data, name))
    assert evenness is not None
    assert evenness > BUSY


@pytest.mark.parametrize("colour", [(244, 244, 240), (67, 142, 219), (120, 120, 120)])
@pytest.mark.parametrize("name", SCENES)
def test_a_wall_is(name: str, colour: tuple[int, int, int], data: Path) -> None:
    rgb, alpha = person(data, name)
    vignette = np.linspace(1, 0.92, rgb.shape[1])[None, :, None]
    photo = before(np.array(colour) * vignette, rgb, alpha)
    evenness = appearance.background_evenness(photo, alpha)
    assert evenness is not None
    assert evenness < PLAIN
    seen = appearance.background_colour(photo, alpha)
    assert seen is not None
    np.testing.assert_allclose(seen, np.array(colour) * 0.96, atol=0.04 * 255)


def test_a_shadow_on_the_wall_shows(data: Path) -> None:
    rgb, alpha = person(data, "gt-denim")
    wall = np.full(rgb.shape, 235.0)
    wall[:, : rgb.shape[1] // 4] = 160
    evenness = appearance.background_evenness(before(wall, rgb, alpha), alpha)
    assert evenness is not None
    assert evenness > BUSY


def test_without_background_there_is_nothing_to_say() -> None:
    rgb = np.full((60, 40, 3), 200, np.uint8)
    everything = np.ones((60, 40), np.float32)
    assert appearance.background_evenness(rgb, everything) is None
    assert appearance.background_colour(rgb, everything) is None
    assert appearance.background_colour(rgb, everything * 0) == (200, 200, 200)
