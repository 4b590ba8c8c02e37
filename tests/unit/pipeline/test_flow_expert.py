"""Photos whose matte is not certain are shown to a stronger net, where there is one."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import UnusablePhoto
from pipeline.flow import EXPERT, finish_photo
from pipeline.values import Alpha8, Doubt, IdPhoto, Portrait
from tests.unit.pipeline.orders import Alphas, Answer, FindFaces, finished, order_of, prepared

SIDE_PX = 384
ORDER = order_of(["us-passport"], ["blue"])


@pytest.fixture(scope="module")
def sure(data: Path, find_faces: FindFaces, answer: Answer) -> tuple[Portrait, Alphas]:
    portrait = prepared((data / "astronaut.png").read_bytes(), find_faces, ORDER)
    return portrait, answer(portrait)


def softened(alphas: Alphas, share: float) -> Alphas:
    """The same answers, blurred by a share of the view."""
    return {role: [_blurred(alpha, share) for alpha in given] for role, given in alphas.items()}


def _blurred(alpha: Alpha8, share: float) -> Alpha8:
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), share * alpha.shape[0]), np.uint8)


def said_by_an_expert(portrait: Portrait, alphas: Alphas) -> Alpha8:
    """What the saliency net says, cut to the region and without its soft edge."""
    (view,) = portrait.views["saliency"]
    x0, y0, x1, y1 = view.box_xyxy_px
    (x, y), (height, width) = portrait.region_xy_px, portrait.region_rgb.shape[:2]
    whole = cv2.resize(alphas["saliency"][0], (round(x1 - x0), round(y1 - y0)))
    left, top = round(x - x0), round(y - y0)
    part = cv2.resize(whole[top : top + height, left : left + width], (SIDE_PX, SIDE_PX))
    return np.asarray(np.where(part > 127, 255, 0), np.uint8)


def certainty(photos: tuple[IdPhoto, ...]) -> float:
    (value,) = {check.value for photo in photos for check in photo.checks if check.code == "matte"}
    assert value is not None
    return value


def with_expert(portrait: Portrait, alphas: Alphas) -> tuple[IdPhoto, ...] | Doubt:
    return finish_photo(portrait, alphas, ORDER, expert_side_px=SIDE_PX)


def test_a_certain_matte_needs_no_expert(sure: tuple[Portrait, Alphas]) -> None:
    assert with_expert(*sure) == finished(*sure, ORDER)


@pytest.mark.parametrize("share", [0.008, 0.02, 0.2])
def test_an_uncertain_one_asks_for_a_look_at_the_region(
    sure: tuple[Portrait, Alphas], share: float
) -> None:
    portrait, alphas = sure
    doubt = with_expert(portrait, softened(alphas, share))
    assert isinstance(doubt, Doubt)
    assert doubt.frames.keys() == {EXPERT}
    (frame,) = doubt.frames[EXPERT]
    assert frame.shape == (SIDE_PX, SIDE_PX, 3)
    region = cv2.resize(portrait.region_rgb, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    assert np.abs(frame.astype(int) - region).mean() < 8


def test_without_an_expert_there_is_no_doubt(sure: tuple[Portrait, Alphas]) -> None:
    portrait, alphas = sure
    assert certainty(finished(portrait, softened(alphas, 0.008), ORDER)) < 92.5
    with pytest.raises(UnusablePhoto):
        finished(portrait, softened(alphas, 0.2), ORDER)


def test_what_the_expert_says_makes_the_matte_more_certain(
    sure: tuple[Portrait, Alphas],
) -> None:
    portrait, alphas = sure
    soft = softened(alphas, 0.008)
    expert = {EXPERT: [said_by_an_expert(portrait, alphas)]}
    photos = with_expert(portrait, {**soft, **expert})
    assert isinstance(photos, tuple)
    assert certainty(photos) > certainty(finished(portrait, soft, ORDER)) + 2


@pytest.mark.parametrize("share", [0.0, 0.008])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_expert_that_sees_nothing_does_not_stop_the_photo(
    sure: tuple[Portrait, Alphas], value: int, share: float
) -> None:
    """The more certain matte is kept; and nobody is asked twice."""
    portrait, alphas = sure
    alphas = softened(alphas, share) if share else alphas
    blind = {EXPERT: [np.full((SIDE_PX, SIDE_PX), value, np.uint8)]}
    photos = with_expert(portrait, {**alphas, **blind})
    assert isinstance(photos, tuple)
    assert certainty(photos) >= certainty(finished(portrait, alphas, ORDER)) - 1e-6
