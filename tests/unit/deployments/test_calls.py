"""How the steps are asked: again where a replica was lost, and never after the deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    OwnerDiedError,
    RayTaskError,
)

from deployments import calls
from pipeline.errors import BadOrder, DeadlinePassed, IdPhotoError, Unavailable, UnusablePhoto

DEAD = ActorDiedError()
MISSING = ObjectLostError("00" * 28, None, "")
NO_FACE = UnusablePhoto("no_face")
FOREVER = object()


class Response:
    """In the place of a DeploymentResponse."""

    def __init__(self, outcome: object) -> None:
        self._outcome = outcome
        self.cancelled = False

    def __await__(self) -> Any:
        return self._wait().__await__()

    async def _wait(self) -> object:
        if self._outcome is FOREVER:
            await asyncio.sleep(60)
        if isinstance(self._outcome, BaseException) and not isinstance(self._outcome, IdPhotoError):
            raise self._outcome
        return self._outcome

    def cancel(self) -> None:
        self.cancelled = True


class Step:
    """A handle whose calls come out one after the other as told."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = list(outcomes)
        self.responses: list[Response] = []
        self.asked: list[tuple[Any, ...]] = []

    def remote(self, *args: Any) -> Response:
        self.asked.append(args)
        self.responses.append(Response(self.outcomes.pop(0)))
        return self.responses[-1]


class Retries:
    count = 0

    def __call__(self) -> None:
        self.count += 1


def rpc_error(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())


def run(
    work: Callable[[calls.Steps], Awaitable[Any]], within_s: float = 30
) -> tuple[Any, int, float]:
    """What comes of it or is raised, how often something was asked again, and the deadline."""
    retries, deadline_at = Retries(), time.time() + within_s

    async def outcome() -> Any:
        return await work(calls.Steps(deadline_at, retries))

    try:
        return asyncio.run(outcome()), retries.count, deadline_at
    except Exception as error:
        return error, retries.count, deadline_at


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_PAUSE_S", 0.001)


def test_a_step_is_given_its_arguments_and_the_deadline() -> None:
    step = Step("portrait")
    (response, answer), retries, deadline_at = run(lambda steps: steps.ask(step, b"photo", 1))
    assert (answer, retries) == ("portrait", 0)
    assert response is step.responses[0]
    assert step.asked == [(b"photo", 1, deadline_at)]


@pytest.mark.parametrize(
    "loss",
    [
        DEAD,
        ActorUnavailableError("away", None),
        NodeDiedError(""),
        OutOfMemoryError(""),
        RayTaskError("f", "", ActorDiedError()).as_instanceof_cause(),
        rpc_error(grpc.StatusCode.UNAVAILABLE),
        rpc_error(grpc.StatusCode.CANCELLED),
        asyncio.CancelledError(),
        Unavailable("unavailable"),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_a_lost_step_is_asked_again(loss: BaseException) -> None:
    step = Step(loss, "portrait")
    (response, answer), retries, _ = run(lambda steps: steps.ask(step, b"photo"))
    assert (answer, retries, len(step.asked)) == ("portrait", 1, 2)
    assert response is step.responses[1]
    assert step.asked[0] == step.asked[1]


@pytest.mark.parametrize(
    "error",
    [
        NO_FACE,
        BadOrder("missing_photo"),
        RayTaskError("f", "", ValueError("a bug")).as_instanceof_cause(),
        rpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_step_raises_is_final(error: Exception) -> None:
    step = Step(error, "portrait")
    raised, retries, _ = run(lambda steps: steps.ask(step))
    assert raised is error
    assert (retries, len(step.asked)) == (0, 1)


def test_it_is_given_up_after_three_attempts() -> None:
    step = Step(DEAD, DEAD, DEAD, "portrait")
    raised, retries, _ = run(lambda steps: steps.ask(step))
    assert isinstance(raised, Unavailable)
    assert (retries, len(step.asked)) == (2, 3)


def test_late_is_late() -> None:
    step = Step(FOREVER)
    raised, retries, _ = run(lambda steps: steps.ask(step), within_s=0.05)
    assert isinstance(raised, DeadlinePassed)
    assert (retries, step.responses[0].cancelled) == (0, True)


def test_late_for_want_of_a_replica_is_unavailable() -> None:
    step = Step(DEAD, FOREVER)
    raised, retries, _ = run(lambda steps: steps.ask(step), within_s=0.2)
    assert isinstance(raised, Unavailable)
    assert (retries, step.responses[1].cancelled) == (1, True)


def test_nothing_is_asked_again_after_the_deadline() -> None:
    step = Step(DEAD, "portrait")
    raised, retries, _ = run(lambda steps: steps.ask(step), within_s=0)
    assert isinstance(raised, Unavailable | DeadlinePassed)
    assert (retries, len(step.asked)) == (0, 1)


@pytest.mark.parametrize("loss", [MISSING, OwnerDiedError("00" * 28, None, "")])
def test_a_lost_portrait_is_made_again(loss: Exception) -> None:
    cropping, compositing = Step("first", "second"), Step(loss, "photo")

    async def chain(steps: calls.Steps) -> Any:
        async def once() -> Any:
            cropped, _ = await steps.ask(cropping)
            _, photo = await steps.ask(compositing, cropped)
            return photo

        return await steps.chain(once)

    answer, retries, _ = run(chain)
    assert (answer, retries) == ("photo", 1)
    assert [asked[0] for asked in compositing.asked] == cropping.responses


def test_a_client_that_leaves_takes_its_call_along() -> None:
    step, retries = Step(FOREVER, "portrait"), Retries()

    async def leave() -> None:
        task = asyncio.create_task(calls.Steps(time.time() + 60, retries).ask(step))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert step.responses[0].cancelled
    assert (retries.count, len(step.asked)) == (0, 1)
