import numpy as np
import pytest

from models.halvings import Halvings
from pipeline.values import Rgb


def ramp(width: int, height: int) -> Rgb:
    """Red is x, green is y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, 0 * x], axis=2).astype(np.uint8)


@pytest.mark.parametrize("scale", [1.0, 0.8, 0.5, 0.3, 0.06])
@pytest.mark.parametrize("size", [(240, 200), (201, 133)])
def test_a_smaller_picture_shows_the_same(size: tuple[int, int], scale: float) -> None:
    small = Halvings(ramp(*size)).shrunk(scale)
    height, width = small.shape[:2]
    assert (width, height) == (np.ceil(size[0] * scale), np.ceil(size[1] * scale))
    x = (np.arange(width) + 0.5) / scale - 0.5
    y = (np.arange(height) + 0.5) / scale - 0.5
    # The last row of an odd side may be left out, and the side is rounded up.
    assert np.abs(small[..., 0] - x).max() < 1.5 / scale
    assert np.abs(small[:, 0, 1] - y).max() < 1.5 / scale


def test_one_pixel_stays_one() -> None:
    picture = Halvings(np.full((1, 300, 3), 9, np.uint8))
    assert picture.shrunk(0.1).shape == (1, 30, 3)


@pytest.mark.parametrize("side", [8, 24, 60])
def test_a_patch_shows_its_square(side: int) -> None:
    square = np.array([[40, 60, 136, 156]], np.float32)
    (patch,) = Halvings(ramp(240, 200)).patches(square, side)
    along = (np.arange(side) + 0.5) / side * 96 - 0.5
    assert np.abs(patch[0, :, 0] - (40 + along)).max() <= 0.5 * 96 / side + 1
    assert np.abs(patch[:, 0, 1] - (60 + along)).max() <= 0.5 * 96 / side + 1


def test_outside_the_picture_is_grey() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    squares = np.array([[-50, 20, 50, 120], [300, 300, 340, 340]], np.float32)
    half, beyond = Halvings(white).patches(squares, 20)
    assert (half[:14, 12:] == 255).all()
    assert (half[:, :8] == 128).all()
    assert (half[18:] == 128).all()
    assert (beyond == 128).all()


def test_no_squares_no_patches() -> None:
    none = np.zeros((0, 4), np.float32)
    assert Halvings(ramp(50, 50)).patches(none, 24).shape == (0, 24, 24, 3)


def test_the_picture_is_left_alone() -> None:
    rgb = ramp(100, 100)
    rgb.setflags(write=False)
    picture = Halvings(rgb)
    picture.shrunk(0.2)
    picture.patches(np.array([[-5, -5, 60, 60]], np.float32), 24)
    np.testing.assert_array_equal(rgb, ramp(100, 100))
