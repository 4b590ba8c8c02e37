"""How one deployment calls another: within the photo's deadline, again where the replica was lost,
and with refusals as answers.

A deadline is seconds since the epoch, because it travels between machines; their clocks must agree
to well below a second, as NTP keeps them.
"""

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import grpc
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    WorkerCrashedError,
)

from deployments import tracing
from pipeline.errors import DeadlinePassed, IdPhotoError, Unavailable

_Method = TypeVar("_Method", bound=Callable[..., Any])
_Answer = TypeVar("_Answer")

# How often one piece of work is begun. A photo that kills each replica that it meets must not go
# through all of them.
_ATTEMPTS = 3
_PAUSE_S = 0.1
# A step's replica, or its node, is gone.
_LOST = (RayActorError, OutOfMemoryError, NodeDiedError, WorkerCrashedError)
# What Ray's transport by gRPC raises in the place of RayActorError.
_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def check(deadline_at: float) -> None:
    """Raises DeadlinePassed once it is too late to start."""
    if time.time() >= deadline_at:
        raise DeadlinePassed("deadline_passed")


def step(method: _Method) -> _Method:
    """The method, returning the IdPhotoError that it raises; ``result`` raises it again. One that
    is not a coroutine runs in the ``worker`` of its object. Around it is a span, named after the
    deployment, in the trace that comes with the call.

    A refused photo is an answer. Raised, it would be a failed request to Ray: logged with a
    traceback, counted as an error of the replica.
    """
    waits = inspect.iscoroutinefunction(method)

    @functools.wraps(method)
    async def wrapped(self: Any, *args: Any, **carrier: str) -> Any:
        with tracing.span(type(self).__name__.lower(), carrier):
            try:
                if waits:
                    return await method(self, *args)
                return await self.worker.run(method, self, *args)
            except IdPhotoError as error:
                tracing.tell(code=error.code)
                return error.with_traceback(None)

    return cast(_Method, wrapped)


class Lost(Exception):
    """A call that went down with its replica."""


class InputLost(Exception):
    """A call whose arguments lay in the object store and went down with a node."""


class Steps:
    """Asks the steps about one photo, and again where a replica was lost: every step is idempotent.

    Nothing is asked again because of what a step itself raised: it would raise it again.
    """

    def __init__(self, deadline_at: float, on_retry: Callable[[], None]) -> None:
        """``on_retry`` is called before anything is asked again."""
        self._deadline_at = deadline_at
        self._on_retry = on_retry

    async def ask(self, step: Any, *args: Any) -> tuple[Any, Any]:
        """The handle's response, which can be an argument of the next step, and what it holds.

        Raises the IdPhotoError that the step raised, DeadlinePassed, InputLost, or Unavailable
        where a few attempts, or the time that was left after a loss, did not do.
        """

        async def once() -> tuple[Any, Any]:
            response = step.remote(*args, self._deadline_at, **tracing.carried())
            return response, await result(response, self._deadline_at)

        return await self._again(once, (Lost, Unavailable))

    async def chain(self, work: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """What ``work`` comes to, which asks several steps. It begins anew where it lost what one
        step had for another. Raises what ``ask`` does but InputLost.
        """
        return await self._again(work, (InputLost,))

    async def _again(
        self, work: Callable[[], Awaitable[_Answer]], losses: tuple[type[Exception], ...]
    ) -> _Answer:
        pause_s = _PAUSE_S
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await work()
            except losses:
                if attempt == _ATTEMPTS or time.time() + pause_s >= self._deadline_at:
                    break
            except DeadlinePassed:
                if attempt == 1:
                    raise
                break
            self._on_retry()
            await asyncio.sleep(pause_s)
            pause_s *= 3
        raise Unavailable("unavailable")


async def result(response: Any, deadline_at: float) -> Any:
    """What a ``step`` returned; ``response`` is the handle's DeploymentResponse.

    Raises the IdPhotoError that the step raised, Lost, InputLost, or DeadlinePassed. Where time is
    up, or the client has left, the call is cancelled, which a mere timeout would not do.
    """
    try:
        async with asyncio.timeout(max(0.0, deadline_at - time.time())):
            answer = await response
    except TimeoutError:
        response.cancel()
        raise DeadlinePassed("deadline_passed") from None
    except asyncio.CancelledError as error:
        response.cancel()
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody left here: Ray says the same where a replica that is shut down drops its calls.
        raise Lost from error
    except ObjectLostError as error:
        raise InputLost from error
    except _LOST as error:
        raise Lost from error
    except grpc.aio.AioRpcError as error:
        if error.code() not in _GONE:
            raise
        raise Lost from error
    if isinstance(answer, IdPhotoError):
        raise answer
    return answer
