"""Places are dealt out evenly among jobs."""

from collections.abc import Sequence

import pytest

from deployments.jobs.leases import deal


@pytest.mark.parametrize(
    ("n", "waiting", "shares", "last"),
    [
        (8, [], [], []),
        (0, [5], [0], [0]),
        (8, [5], [5], [5]),
        (8, [1000, 1000], [4, 4], [7, 8]),
        (8, [1000, 2, 1000], [3, 2, 3], [7, 5, 8]),
        (2, [9, 9, 9], [1, 1, 0], [1, 2, 0]),
        (3, [9, 9], [2, 1], [3, 2]),
        (10, [1, 2, 3], [1, 2, 3], [1, 4, 6]),
    ],
)
def test_places_go_round_until_they_or_the_items_are_used_up(
    n: int, waiting: Sequence[int], shares: Sequence[int], last: Sequence[int]
) -> None:
    assert deal(n, waiting) == (shares, last)
