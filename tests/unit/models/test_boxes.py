import numpy as np
import pytest

from models.boxes import NO_BOXES, Array, moved, overlaps, squared, suppress


def boxes(*rows: tuple[float, float, float, float]) -> Array:
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("one", "other", "of_union", "of_smaller"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1, 1),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3, 1 / 2),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04, 1),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0, 0),
        ((0, 0, 10, 10), (30, 30, 40, 40), 0, 0),
        ((0, 0, 0, 0), (0, 0, 10, 10), 0, 0),
    ],
)
def test_overlap(
    one: tuple[float, float, float, float],
    other: tuple[float, float, float, float],
    of_union: float,
    of_smaller: float,
) -> None:
    first, second = boxes(one), boxes(other)
    for a, b in ((first, second), (second, first)):
        assert overlaps(a, b)[0, 0] == pytest.approx(of_union)
        assert overlaps(a, b, of_smaller=True)[0, 0] == pytest.approx(of_smaller)


def test_overlaps_are_a_table_of_the_first_by_the_second() -> None:
    first = boxes((0, 0, 10, 10), (20, 0, 30, 10))
    second = boxes((20, 0, 30, 10), (0, 0, 10, 10), (100, 0, 110, 10))
    np.testing.assert_allclose(overlaps(first, second), [[0, 1, 0], [1, 0, 0]])
    assert overlaps(NO_BOXES, second).shape == (0, 3)


def test_the_best_of_a_heap_is_kept_best_first() -> None:
    heap = boxes((0, 0, 10, 10), (1, 0, 11, 10), (50, 0, 60, 10), (51, 0, 61, 10))
    scores = np.array([0.7, 0.8, 0.95, 0.9], np.float32)
    assert suppress(heap, scores, 0.5).tolist() == [2, 1]
    assert suppress(heap, scores, 0.9).tolist() == [2, 3, 1, 0]


def test_what_is_suppressed_suppresses_nothing() -> None:
    row = boxes((0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10))
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert suppress(row, scores, 0.4).tolist() == [0, 2]


def test_a_box_within_another_goes_only_by_the_smaller() -> None:
    pair = boxes((0, 0, 100, 100), (40, 40, 60, 60))
    scores = np.array([0.9, 0.8], np.float32)
    assert suppress(pair, scores, 0.7).tolist() == [0, 1]
    assert suppress(pair, scores, 0.7, of_smaller=True).tolist() == [0]


@pytest.mark.parametrize("few", [NO_BOXES, boxes((0, 0, 1, 1))])
def test_few_boxes_stay(few: Array) -> None:
    kept = suppress(few, np.ones(len(few), np.float32), 0.5)
    assert kept.tolist() == list(range(len(few)))


def test_edges_move_by_shares_of_the_size() -> None:
    moves = np.array([[0.1, -0.1, 0.5, 0]], np.float32)
    np.testing.assert_allclose(moved(boxes((10, 20, 30, 60)), moves), [[12, 16, 40, 60]])


def test_squares_keep_the_centre_and_the_longer_side() -> None:
    result = squared(boxes((0, 0, 10, 20), (5, 5, 25, 15)))
    np.testing.assert_allclose(result, [[-5, 0, 15, 20], [5, 0, 25, 20]])
