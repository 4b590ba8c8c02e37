import asyncio

import pytest

from deployments.gate import Gate, Place


def order(*yields_s: float) -> list[int]:
    """In which order those that come one after the other while a batch runs get their places."""
    gate, got = Gate(1), []

    async def one(number: int) -> None:
        async with gate.place(yields_s[number]) as place, gate.batch([place]):
            got.append(number)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group, gate.place() as place, gate.batch([place]):
            for number in range(len(yields_s)):
                group.create_task(one(number))
                await asyncio.sleep(0)

    asyncio.run(all_of_them())
    return got


def test_places_are_given_in_turn() -> None:
    assert order(0, 0, 0, 0) == [0, 1, 2, 3]


def test_those_that_yield_come_after_the_others_but_in_turn() -> None:
    assert order(60, 0, 60, 0, 0) == [1, 3, 4, 0, 2]


def test_nobody_yields_for_longer_than_said() -> None:
    # By the time that the second comes, the first one's is over.
    assert order(1e-9, 0) == [0, 1]


def test_each_lane_runs_a_batch_and_no_more_run_at_once() -> None:
    gate, running, most = Gate(1, lanes=2), set[int](), []

    async def one(number: int) -> None:
        async with gate.place() as place, gate.batch([place]):
            running.add(number)
            most.append(len(running))
            await asyncio.sleep(0.001)
            running.remove(number)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(7):
                group.create_task(one(number))

    asyncio.run(all_of_them())
    assert max(most) == 2
    assert len(most) == 7


@pytest.mark.parametrize("lanes", [1, 2])
def test_who_leaves_makes_room(lanes: int) -> None:
    """While waiting for a place, with a place whose batch has not begun, and in its batch."""
    gate, seen = Gate(1, lanes), []

    async def leaves(place_s: float, batch_s: float) -> None:
        async with gate.place() as place:
            await asyncio.sleep(place_s)
            async with gate.batch([place]):
                await asyncio.sleep(batch_s)

    async def stays(number: int) -> None:
        async with gate.place() as place, gate.batch([place]):
            seen.append(number)

    async def all_of_them() -> None:
        leaving = [asyncio.create_task(leaves(0, 60)) for _ in range(lanes)]
        leaving += [asyncio.create_task(leaves(60, 0)), asyncio.create_task(leaves(0, 0))]
        await asyncio.sleep(0.001)
        staying = [asyncio.create_task(stays(number)) for number in range(3)]
        await asyncio.sleep(0.001)
        assert seen == []
        for task in leaving:
            task.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await asyncio.gather(*staying)

    asyncio.run(all_of_them())
    assert seen == [0, 1, 2]


def test_a_batch_of_several_is_filled_while_the_one_before_runs() -> None:
    gate, sizes = Gate(3), []

    async def all_of_them() -> None:
        begin = asyncio.Event()
        entered: list[Place] = []

        async def one() -> None:
            async with gate.place() as place:
                entered.append(place)
                await begin.wait()

        async with asyncio.TaskGroup() as group:
            async with gate.place() as first, gate.batch([first]):
                for _ in range(5):
                    group.create_task(one())
                await asyncio.sleep(0.001)
                assert entered == []
            await asyncio.sleep(0.001)
            sizes.append(len(entered))
            async with gate.batch(entered[:3]):
                await asyncio.sleep(0.001)
                sizes.append(len(entered))
            await asyncio.sleep(0.001)
            sizes.append(len(entered))
            begin.set()

    asyncio.run(all_of_them())
    assert sizes == [3, 3, 5]
