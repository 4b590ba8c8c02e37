from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pipeline.foreground import estimate
from pipeline.values import Alpha, Rgb

GREEN = np.array([60.0, 200.0, 70.0])
SKIN = np.array([180.0, 120.0, 100.0])
HAIR = np.array([60.0, 45.0, 40.0])


def blend(own: npt.NDArray[np.float64], alpha: Alpha, behind: npt.NDArray[np.float64]) -> Rgb:
    cover = alpha[..., None].astype(np.float64)
    return np.rint(own * cover + behind * (1 - cover)).astype(np.uint8)


ROWS, COLUMNS = np.mgrid[:400, :300] + 0.5
DISTANCE = np.hypot(COLUMNS - 150, ROWS - 200)


def soft_disc(edge_px: float) -> Alpha:
    return np.asarray(np.clip((110 - DISTANCE) / edge_px + 0.5, 0, 1), np.float32)


def lit_by_green(
    own: npt.NDArray[np.float64], inside_px: npt.NDArray[np.floating] = 110 - DISTANCE
) -> npt.NDArray[np.float64]:
    """A quarter of the screen's light on the outline, fading inwards."""
    light = 0.25 * np.exp(-np.clip(inside_px, 0, None) / 5)
    return np.asarray(np.clip(own + light[..., None] * GREEN, 0, 255))


def true_alpha(data: Path, name: str) -> Alpha:
    grey = np.asarray(Image.open(data / "alphas" / f"{name}.png").convert("L"))
    return np.asarray(grey / 255, np.float32)


def excess_green(rgb: Rgb) -> npt.NDArray[np.int_]:
    others = np.maximum(rgb[..., 0], rgb[..., 2])
    return np.asarray(np.maximum(0, rgb[..., 1].astype(int) - others), np.int_)


def excess_magenta(rgb: Rgb) -> npt.NDArray[np.int_]:
    others = np.minimum(rgb[..., 0], rgb[..., 2])
    return np.asarray(np.maximum(0, others.astype(int) - rgb[..., 1]), np.int_)


def wrong(rgb: Rgb, own: npt.NDArray[np.float64], alpha: Alpha) -> float:
    """Mean error of colour where the person is half transparent."""
    band = (alpha > 0.1) & (alpha < 0.9)
    return float(np.abs(rgb - np.broadcast_to(own, rgb.shape))[band].mean())


@pytest.mark.parametrize("edge_px", [2, 6, 15, 30])
@pytest.mark.parametrize("own", [SKIN, HAIR], ids=["skin", "hair"])
def test_green_is_taken_out_of_a_soft_edge(own: npt.NDArray[np.float64], edge_px: float) -> None:
    alpha = soft_disc(edge_px)
    picture = blend(own, alpha, GREEN)
    assert wrong(estimate(picture, alpha), own, alpha) < 0.2 * wrong(picture, own, alpha)


@pytest.mark.parametrize("name", ["gt-trench", "gt-curly-mono", "gt-lace", "gt-two-friends"])
@pytest.mark.parametrize("own", [SKIN, HAIR], ids=["skin", "hair"])
def test_green_is_taken_out_of_real_hair(
    data: Path, name: str, own: npt.NDArray[np.float64]
) -> None:
    alpha = true_alpha(data, name)
    picture = blend(own, alpha, GREEN)
    assert wrong(estimate(picture, alpha), own, alpha) < 0.2 * wrong(picture, own, alpha)


@pytest.mark.parametrize("edge_px", [2, 15])
@pytest.mark.parametrize("own", [SKIN, HAIR], ids=["skin", "hair"])
def test_green_light_on_the_outline_is_taken_out(
    own: npt.NDArray[np.float64], edge_px: float
) -> None:
    alpha = soft_disc(edge_px)
    picture = blend(lit_by_green(own), alpha, GREEN)
    outline = (alpha > 0.1) & (DISTANCE < 112) & (DISTANCE > 100)
    before, after = excess_green(picture), excess_green(estimate(picture, alpha))
    assert after[outline].mean() < 0.02 * before[outline].mean()


@pytest.mark.parametrize("name", ["gt-trench", "gt-curly-mono", "gt-lace", "gt-two-friends"])
def test_where_the_matte_is_too_wide_the_outline_is_neither_green_nor_magenta(
    data: Path, name: str
) -> None:
    own = np.asarray(Image.open(data / f"{name}.png").convert("RGB"), np.uint8)
    true = true_alpha(data, name)
    solid = (true > 0.95).astype(np.uint8)
    inside_px = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5), np.float64)
    picture = blend(lit_by_green(own.astype(float), inside_px), true, GREEN)
    grown = cv2.dilate(true, np.ones((7, 7), np.uint8))
    wide = np.asarray(cv2.GaussianBlur(grown, (7, 7), 0), np.float32)
    outline = (wide > 0.1) & (cv2.erode(true, np.ones((15, 15), np.uint8)) < 0.95)
    estimated = estimate(picture, wide)
    before, after = excess_green(picture), excess_green(estimated)
    assert after[outline].mean() < 0.06 * before[outline].mean()
    assert (excess_magenta(estimated) * wide)[outline].mean() < 0.05


@pytest.mark.parametrize("own", [SKIN, HAIR], ids=["skin", "hair"])
def test_a_hole_that_the_matte_misses_shows_no_green(own: npt.NDArray[np.float64]) -> None:
    alpha = soft_disc(2)
    hole = np.hypot(COLUMNS - 150, ROWS - 100) < 4
    picture = blend(own, np.where(hole, np.float32(0), alpha), GREEN)
    assert np.abs(estimate(picture, alpha)[hole] - own).mean() < 20


def test_green_clothes_before_green_stay_green() -> None:
    shirt = np.array([70.0, 160.0, 75.0])
    alpha = soft_disc(2)
    own = np.where((ROWS > 200)[..., None], shirt, SKIN)
    picture = blend(own, alpha, GREEN)
    solid = (alpha > 0.99) & (ROWS > 210)
    assert np.abs(estimate(picture, alpha).astype(float) - own)[solid].mean() < 3


def test_dark_cloth_of_the_background_s_hue_keeps_its_brightness() -> None:
    navy, sky = np.array([35.0, 35.0, 62.0]), np.array([150.0, 188.0, 205.0])
    alpha = soft_disc(2)
    # The outline is a little bluer, as cloth is under a sky.
    rim = np.array([0.0, 0.0, 12.0]) * (DISTANCE > 95)[..., None]
    picture = blend(navy + rim, alpha, sky)
    solid = (DISTANCE > 85) & (DISTANCE < 107)
    assert np.abs(estimate(picture, alpha).astype(float) - picture)[solid].mean() < 6


@pytest.mark.parametrize("behind", [(60, 200, 70), (180, 70, 50), (40, 60, 200)])
def test_far_from_the_edge_every_colour_is_kept(behind: tuple[int, int, int]) -> None:
    alpha = soft_disc(6)
    own = np.where((DISTANCE < 12)[..., None], np.array(behind), HAIR)
    picture = blend(own, alpha, np.array(behind, float))
    inside = DISTANCE < 70
    np.testing.assert_array_equal(estimate(picture, alpha)[inside], picture[inside])


def test_an_uneven_background_is_taken_out_too() -> None:
    alpha = soft_disc(30)
    waves = 50 * np.sin(np.arange(400) / 25)[:, None, None] * np.array([0, 1, 0])
    picture = blend(SKIN, alpha, np.clip(GREEN + np.broadcast_to(waves, (400, 300, 3)), 0, 255))
    assert wrong(estimate(picture, alpha), SKIN, alpha) < 0.25 * wrong(picture, SKIN, alpha)


@pytest.mark.parametrize("name", ["gt-trench.png", "astronaut.png"])
def test_where_the_person_is_solid_nothing_changes(data: Path, name: str) -> None:
    rgb = np.asarray(Image.open(data / name).convert("RGB"))
    ones = np.ones(rgb.shape[:2], np.float32)
    np.testing.assert_array_equal(estimate(rgb, ones), rgb)
    half = ones.copy()
    half[:, : rgb.shape[1] // 2] = 0
    # Near the edge a pixel may be the background's, whatever the matte says.
    solid = np.zeros(half.shape, bool)
    solid[:, round(rgb.shape[1] * 0.53) :] = True
    np.testing.assert_array_equal(estimate(rgb, half)[solid], rgb[solid])


@pytest.mark.parametrize("cover", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (40, 400)])
def test_an_even_colour_is_kept(size: tuple[int, int], cover: float) -> None:
    rgb = np.full((*size, 3), (255, 128, 0), np.uint8)
    estimated = estimate(rgb, np.full(size, cover, np.float32))
    assert estimated.shape == (*size, 3)
    assert estimated.dtype == np.uint8
    if cover:
        assert np.abs(estimated.astype(int) - rgb).max() <= 1


def test_the_inputs_stay_as_they_are() -> None:
    alpha = soft_disc(10)
    picture = blend(SKIN, alpha, GREEN)
    alpha.setflags(write=False)
    picture.setflags(write=False)
    estimate(picture, alpha)
