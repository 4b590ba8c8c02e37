import pytest

from models.batches import cover, sizes


@pytest.mark.parametrize(
    ("largest", "found"),
    [
        (1, (1,)),
        (2, (1, 2)),
        (3, (1, 2, 3)),
        (8, (1, 2, 4, 8)),
        (12, (1, 2, 4, 8, 12)),
        (32, (1, 2, 4, 8, 16, 32)),
    ],
)
def test_sizes_double_up_to_the_largest(largest: int, found: tuple[int, ...]) -> None:
    assert sizes(largest) == found


def taken(fixed: float, each: float) -> dict[int, float]:
    """Seconds by size on a device that takes so long for a batch and for each of its photos."""
    return {size: fixed + each * size for size in (1, 2, 4, 8)}


LAUNCHES = taken(fixed=1, each=0.1)  # as on a large GPU, which one photo does not fill
ARITHMETIC = taken(fixed=0.1, each=1)  # as on a small one


@pytest.mark.parametrize(
    ("count", "seconds", "found"),
    [
        (0, LAUNCHES, ()),
        (1, LAUNCHES, (1,)),
        (3, LAUNCHES, (4,)),
        (5, LAUNCHES, (8,)),
        (9, LAUNCHES, (8, 1)),
        (20, LAUNCHES, (8, 8, 4)),
        (3, ARITHMETIC, (2, 1)),
        (5, ARITHMETIC, (4, 1)),
        (7, ARITHMETIC, (4, 2, 1)),
        # The sum is never above what is needed by more than the last batch.
        (5, {8: 1.0}, (8,)),
        (5, {2: 1.0}, (2, 2, 2)),
        # A size that is slow for its number is not used.
        (4, {1: 1.0, 2: 5.0, 4: 9.0}, (1, 1, 1, 1)),
    ],
)
def test_photos_are_padded_or_split_by_what_takes_less(
    count: int, seconds: dict[int, float], found: tuple[int, ...]
) -> None:
    assert cover(count, seconds) == found


@pytest.mark.parametrize(("fixed", "found"), [(2.9, (4, 1)), (3.1, (8,))])
def test_five_are_padded_to_eight_where_a_batch_costs_more_than_three_photos(
    fixed: float, found: tuple[int, ...]
) -> None:
    assert cover(5, taken(fixed, each=1)) == found


@pytest.mark.parametrize("count", range(1, 40))
@pytest.mark.parametrize("seconds", [LAUNCHES, ARITHMETIC, {3: 1.0, 7: 1.5}])
def test_every_batch_holds_a_photo_and_every_photo_has_a_batch(
    count: int, seconds: dict[int, float]
) -> None:
    found = cover(count, seconds)
    assert sum(found[:-1]) < count <= sum(found)
    assert list(found) == sorted(found, reverse=True)
