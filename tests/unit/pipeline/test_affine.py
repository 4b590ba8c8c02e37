import math

import numpy as np
import pytest

from pipeline.affine import apply, chain, inverse, onto, shift, similarity, stretch
from pipeline.values import Matrix, PointXY

POINTS = np.array([(0, 0), (1, 0), (0, 1), (-7.5, 3.25), (640, 480), (1e4, -1e4)], np.float64)

MAPS = {
    "shift": shift(3, -4),
    "stretch": stretch((640, 480), (320, 320)),
    "onto": onto((100, 50, 340, 690), (512, 192)),
    "enlarge": similarity((10, 20), (30, 40), 3.5, 0),
    "turn": similarity((10, 20), (30, 40), 1, 17),
    "turn back": similarity((10, 20), (30, 40), 1, -180),
    "all": similarity((333.3, 250.1), (147.5, 206.5), 0.37, -24.9),
}


def close(left: object, right: object) -> None:
    np.testing.assert_allclose(np.asarray(left), np.asarray(right), atol=1e-8)


@pytest.mark.parametrize("matrix", MAPS.values(), ids=MAPS)
def test_the_inverse_undoes_a_map(matrix: Matrix) -> None:
    close(chain(matrix, inverse(matrix)), np.eye(3)[:2])
    close(chain(inverse(matrix), matrix), np.eye(3)[:2])
    close(apply(inverse(matrix), apply(matrix, POINTS)), POINTS)


@pytest.mark.parametrize("first", MAPS.values(), ids=MAPS)
@pytest.mark.parametrize("second", MAPS.values(), ids=MAPS)
def test_a_chain_does_the_first_map_first(first: Matrix, second: Matrix) -> None:
    close(apply(chain(first, second), POINTS), apply(second, apply(first, POINTS)))


def test_a_chain_of_nothing_stays_put() -> None:
    close(apply(chain(), POINTS), POINTS)


@pytest.mark.parametrize("roll_deg", [-90, -25, -1, 0, 1, 25, 90, 179])
@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_a_similarity_levels_the_eye_line(roll_deg: float, scale: float) -> None:
    """Eyes 100 px apart on a line inclined by roll_deg, y being downwards."""
    angle = math.radians(roll_deg)
    half = 50 * math.cos(angle), 50 * math.sin(angle)
    eyes = (200 - half[0], 300 - half[1]), (200 + half[0], 300 + half[1])
    left, right = apply(similarity((200, 300), (150, 120), scale, roll_deg), eyes)
    close(left, (150 - 50 * scale, 120))
    close(right, (150 + 50 * scale, 120))


@pytest.mark.parametrize(
    ("matrix", "point", "expected"),
    [
        (stretch((100, 50), (50, 100)), (100, 50), (50, 100)),
        (stretch((100, 50), (50, 100)), (0, 0), (0, 0)),
        (onto((10, 20, 50, 100), (80, 40)), (10, 20), (0, 0)),
        (onto((10, 20, 50, 100), (80, 40)), (50, 100), (80, 40)),
        (onto((10, 20, 50, 100), (80, 40)), (20, 30), (20, 5)),
        (shift(-3, 4), (3, -4), (0, 0)),
        (similarity((1, 2), (3, 4), 2, 0), (2, 2), (5, 4)),
        # Turning by -90 degrees takes what lies below to the right.
        (similarity((0, 0), (0, 0), 1, 90), (0, 1), (1, 0)),
    ],
)
def test_known_points(matrix: Matrix, point: PointXY, expected: PointXY) -> None:
    mapped = apply(matrix, point)
    assert mapped.shape == (1, 2)
    close(mapped[0], expected)
