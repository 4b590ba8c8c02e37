import asyncio

from deployments.gate import Gate


def order(*yields_s: float) -> list[int]:
    """In which order those that come one after the other while a batch runs get their places."""
    gate, got = Gate(1), []

    async def one(number: int) -> None:
        async with gate.place(yields_s[number]), gate.batch():
            got.append(number)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group, gate.place(), gate.batch():
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
