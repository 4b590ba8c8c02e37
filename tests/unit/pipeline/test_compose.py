import numpy as np
import pytest

from pipeline import colours
from pipeline.compose import compose, ground, mask
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


NOBODY: Alpha = np.zeros((101, 61), np.float32)
NOTHING: Rgb = np.zeros((101, 61, 3), np.uint8)


def test_a_gradient_runs_from_top_to_bottom() -> None:
    picture = compose(NOTHING, NOBODY, colours.parse("gradient:#000000-#ff8000"))
    assert (picture == picture[:, :1]).all()
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert picture[-1, 0].tolist() == [255, 128, 0]
    steps = np.diff(picture[:, 0, 0].astype(int))
    assert set(steps.tolist()) <= {2, 3}


def test_a_radial_gradient_is_round_and_ends_in_the_corners() -> None:
    picture = compose(NOTHING, NOBODY, colours.parse("radial:#ffffff-#000000"))[..., 0]
    assert picture[50, 30] == 255
    assert {int(picture[y, x]) for y in (0, -1) for x in (0, -1)} == {0}
    assert abs(int(picture[50 + 20, 30]) - int(picture[50, 30 + 20])) <= 3


@pytest.mark.parametrize("size", [(61, 101), (200, 101), (61, 400), (10, 10), (1000, 600)])
def test_an_image_covers_all_and_keeps_its_shape(size: tuple[int, int]) -> None:
    """Its middle is in the middle, and circles stay round."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    scale = max(61 / width, 101 / height)
    disc = np.hypot(x + 0.5 - width / 2, y + 0.5 - height / 2) < 20 / scale
    picture = np.where(disc[..., None], 255, 40).astype(np.uint8).repeat(3, axis=2)
    seen = compose(NOTHING, NOBODY, colours.parse("image"), picture)[..., 0] > 147
    rows, columns = np.nonzero(seen)
    assert columns.mean() == pytest.approx(30, abs=1.5)
    assert rows.mean() == pytest.approx(50, abs=1.5)
    assert np.ptp(columns) == pytest.approx(np.ptp(rows), abs=4)
    assert np.ptp(rows) == pytest.approx(39, abs=4)


def test_the_person_is_in_front_of_a_gradient() -> None:
    background = colours.parse("gradient:#ffffff-#438edb")
    picture = compose(PERSON, RAMP, background)
    assert (picture[:, -1] == PERSON[:, -1]).all()
    behind = ground(background, (255, 255, 255), (256, 4), None)
    assert (picture[:, 0] == behind[:, 0]).all()
