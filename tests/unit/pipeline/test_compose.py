import numpy as np
import pytest

from pipeline.compose import compose, mask
from pipeline.values import Alpha, Background, Rgb

RAMP: Alpha = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (4, 1))
PERSON: Rgb = np.full((4, 256, 3), (200, 120, 40), np.uint8)
COLOURS = [(255, 255, 255), (0, 0, 0), (67, 142, 219), (200, 120, 40), (255, 0, 0)]


@pytest.mark.parametrize("rgb", COLOURS)
def test_on_a_colour(rgb: tuple[int, int, int]) -> None:
    picture = compose(PERSON, RAMP, Background("any", rgb))
    exact = PERSON * RAMP[..., None].astype(float) + np.array(rgb) * (1.0 - RAMP[..., None])
    assert (picture.shape, picture.dtype) == ((4, 256, 3), np.uint8)
    assert np.abs(picture - exact).max() <= 0.501
    assert (picture[:, 0] == rgb).all()
    assert (picture[:, -1] == PERSON[:, -1]).all()


@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_colour_on_itself_does_not_change(value: int) -> None:
    """Rounding must neither darken nor wrap: 255 stays 255 under every alpha."""
    plain = np.full((4, 256, 3), value, np.uint8)
    assert (compose(plain, RAMP, Background("any", (value,) * 3)) == value).all()


def test_on_transparent_ground_the_colours_are_not_premultiplied() -> None:
    picture = compose(PERSON, RAMP, Background("transparent", None))
    assert (picture.shape, picture.dtype) == ((4, 256, 4), np.uint8)
    np.testing.assert_array_equal(picture[..., :3], PERSON)
    np.testing.assert_array_equal(picture[..., 3], np.tile(np.arange(256), (4, 1)))


def test_the_mask_is_alpha_in_255_steps() -> None:
    grey = mask(RAMP)
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, np.tile(np.arange(256), (4, 1)))


@pytest.mark.parametrize("rgb", [(1, 2, 3), None])
def test_the_inputs_stay_as_they_are(rgb: tuple[int, int, int] | None) -> None:
    person, alpha = PERSON.copy(), RAMP.copy()
    person.setflags(write=False)
    alpha.setflags(write=False)
    compose(person, alpha, Background("any", rgb))
