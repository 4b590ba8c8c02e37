from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.affine import apply, inverse, similarity, stretch
from pipeline.resample import fit, sample, square, warp
from pipeline.values import Matrix, Rgb, SizeWH

Resampled = Callable[[Rgb, Matrix, SizeWH], Rgb]
DOTS = np.array([(60.0, 50.0), (180.5, 70.5), (90.25, 200.75), (220.0, 260.0)])
MAPS = {
    "none": similarity((0, 0), (0, 0), 1, 0),
    "half a pixel": similarity((0, 0), (0.5, 0.5), 1, 0),
    "turn": similarity((150, 150), (150, 150), 1, 25),
    "enlarge": similarity((150, 150), (300, 300), 2, -10),
    "shrink a little": similarity((150, 150), (120, 120), 0.8, 5),
    "to a half": similarity((150, 150), (75, 75), 0.5, 0),
    "to a third": similarity((150, 150), (60, 60), 0.34, 15),
    "to a fifth": similarity((150, 150), (30, 30), 0.2, -20),
    "stretch": stretch((300, 300), (200, 400)),
}


def dots(radius_px: float) -> npt.NDArray[np.float32]:
    """Soft spots whose centres are known exactly."""
    x, y = np.meshgrid(np.arange(300) + 0.5, np.arange(300) + 0.5)
    spots = [np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * radius_px**2)) for cx, cy in DOTS]
    return np.sum(spots, axis=0).astype(np.float32)


def centre(image: npt.NDArray[np.float32], near: npt.NDArray[np.float64], reach: float) -> object:
    """Centre of mass of what is bright around a point."""
    rows, columns = np.indices(image.shape) + 0.5
    weight = np.where(np.hypot(columns - near[0], rows - near[1]) < reach, image, 0)
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


@pytest.mark.parametrize("matrix", MAPS.values(), ids=MAPS)
def test_dots_land_where_the_matrix_says(matrix: Matrix) -> None:
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    picture = warp(dots(2 / min(scale, 1)), matrix, (600, 600))
    for expected in apply(matrix, DOTS):
        assert centre(picture, expected, 8 * max(scale, 1)) == pytest.approx(
            tuple(expected), abs=0.25
        )


@pytest.mark.parametrize("matrix", MAPS.values(), ids=MAPS)
def test_there_and_back(matrix: Matrix) -> None:
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    picture = dots(6 / min(scale, 1))
    there = warp(picture, matrix, (620, 620))
    back = warp(there, inverse(matrix), (300, 300))
    assert np.abs(back - picture)[40:-40, 40:-40].max() < 0.06


def test_nothing_changes_under_the_identity(load_rgb: Callable[[str], Rgb]) -> None:
    rgb = load_rgb("cat.png")
    same = warp(rgb, similarity((0, 0), (0, 0), 1, 0), (rgb.shape[1], rgb.shape[0]))
    np.testing.assert_array_equal(same, rgb)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_type_is_kept_and_the_edge_goes_on(dtype: type) -> None:
    image = np.array([[10, 20], [30, 40]], dtype)
    far = warp(image, similarity((0, 0), (4, 4), 1, 0), (10, 10))
    assert far.dtype == dtype
    assert (far[0, 0], far[0, -1], far[-1, 0], far[-1, -1]) == (10, 20, 30, 40)


def stripes(height: int, width: int, along: int) -> Rgb:
    """Lines one pixel wide, black and white; any even shrinking must make them grey."""
    on = np.indices((height, width))[along] % 2 == 0
    return np.where(on[..., None], 255, 0).repeat(3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("resampled", [warp, sample])
@pytest.mark.parametrize("scale", [0.6, 0.5, 0.4, 0.3, 0.25, 0.1])
@pytest.mark.parametrize("along", [0, 1])
def test_shrinking_by_warp_does_not_alias(along: int, scale: float, resampled: Resampled) -> None:
    matrix = similarity((300, 300), (300 * scale, 300 * scale), scale, 0)
    side = round(600 * scale)
    small = resampled(stripes(600, 600, along), matrix, (side, side))[4:-4, 4:-4]
    assert np.abs(small.astype(float) - 127.5).max() < 50


@pytest.mark.parametrize("resampled", [warp, sample])
@pytest.mark.parametrize("roll_deg", [-20, 7, 20])
@pytest.mark.parametrize("scale", [0.45, 0.3, 0.1])
def test_shrinking_a_turned_picture_does_not_alias(
    scale: float, roll_deg: float, resampled: Resampled
) -> None:
    matrix = similarity((300, 300), (100, 100), scale, roll_deg)
    small = resampled(stripes(600, 600, 0), matrix, (200, 200))
    inside = apply(inverse(matrix), np.indices((200, 200))[::-1].reshape(2, -1).T + 0.5)
    whole = ((inside > 20) & (inside < 580)).all(axis=1).reshape(200, 200)
    assert small[whole].std() < 20


@pytest.mark.parametrize("roll_deg", [0, 12])
@pytest.mark.parametrize("scale", [1.2, 0.95, 0.85, 0.6, 0.4, 0.3])
def test_sampling_comes_to_the_same(
    load_rgb: Callable[[str], Rgb], scale: float, roll_deg: float
) -> None:
    rgb = load_rgb("astronaut.png")
    matrix = similarity((256, 256), (50, 60), scale, roll_deg)
    found, wanted = sample(rgb, matrix, (100, 120)), warp(rgb, matrix, (100, 120))
    assert found.shape == wanted.shape
    away = np.abs(found.astype(float) - wanted)
    assert away.mean() < 0.7
    assert np.percentile(away, 99) < 6


def test_sampling_far_outside_continues_the_edge(load_rgb: Callable[[str], Rgb]) -> None:
    rgb = load_rgb("astronaut.png")
    matrix = similarity((0, 0), (900, 900), 0.5, 0)
    assert (sample(rgb, matrix, (50, 60)) == rgb[0, 0]).all()
    matrix = similarity((0, 0), (-900, -900), 0.5, 0)
    assert (sample(rgb, matrix, (50, 60)) == rgb[-1, -1]).all()


@pytest.mark.parametrize(
    ("size_px", "long_side_px", "expected"),
    [
        ((400, 300), 400, (400, 300)),
        ((400, 300), 1000, (400, 300)),
        ((400, 300), 200, (200, 150)),
        ((300, 400), 200, (150, 200)),
        ((401, 300), 400, (400, 299)),
        ((3000, 2), 100, (100, 1)),
    ],
)
def test_fit(size_px: SizeWH, long_side_px: int, expected: SizeWH) -> None:
    rgb = np.full((size_px[1], size_px[0], 3), 77, np.uint8)
    small = fit(rgb, long_side_px)
    assert (small.shape, small.dtype) == ((expected[1], expected[0], 3), np.uint8)
    assert (small == 77).all()


@pytest.mark.parametrize("along", [0, 1])
def test_fit_does_not_alias(along: int) -> None:
    small = fit(stripes(900, 700, along), 300)
    assert np.abs(small.astype(float) - 127.5).max() < 50


@pytest.mark.parametrize("size_px", [(320, 320), (1000, 700), (700, 1000), (150, 100), (100, 900)])
def test_square_sees_the_whole_picture(size_px: SizeWH) -> None:
    width, height = size_px
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = (255, 0, 0)
    rgb[height // 2 :, width // 2 :] = (0, 0, 255)
    frame = square(rgb, 320)
    assert (frame.shape, frame.dtype) == ((320, 320, 3), np.uint8)
    assert (frame[:158, :158] == (255, 0, 0)).all()
    assert (frame[162:, 162:] == (0, 0, 255)).all()
    assert (frame[:158, 162:] == 0).all()


@pytest.mark.parametrize(
    ("size_px", "along"),
    [
        ((960, 960), 0),
        ((960, 960), 1),
        ((960, 200), 1),  # narrower across the lines than the frame is
        ((200, 960), 0),
    ],
)
def test_square_does_not_alias(size_px: SizeWH, along: int) -> None:
    frame = square(stripes(size_px[1], size_px[0], along), 320)
    assert np.abs(frame.astype(float) - 127.5).max() < 50


def test_the_inputs_stay_as_they_are(load_rgb: Callable[[str], Rgb]) -> None:
    rgb = load_rgb("cat.png").copy()
    rgb.setflags(write=False)
    warp(rgb, similarity((0, 0), (0, 0), 0.5, 3), (200, 200))
    sample(rgb, similarity((0, 0), (0, 0), 0.5, 3), (200, 200))
    fit(rgb, 100)
    square(rgb, 320)
