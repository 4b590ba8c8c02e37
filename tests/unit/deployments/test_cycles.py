"""What is tied into a cycle is freed soon after the work that left it."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from deployments.cycles import CycleCollector


class _Tied:
    """Refers to itself, as Ray's references do."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture(autouse=True)
def by_hand_only() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize("references", [True, False])
def test_only_work_with_references_is_collected_after(references: bool) -> None:
    async def worked() -> bool:
        with CycleCollector().after(references=references):
            left = weakref.ref(_Tied())
        await asyncio.sleep(1.5)
        return left() is None

    assert asyncio.run(worked()) is references


def test_work_that_fails_is_collected_after() -> None:
    async def worked() -> bool:
        with pytest.raises(ValueError), CycleCollector().after(references=True):
            left = weakref.ref(_Tied())
            raise ValueError
        await asyncio.sleep(1.5)
        return left() is None

    assert asyncio.run(worked())
