"""How one deployment calls another: within the photo's deadline, and with refusals as answers.

A deadline is seconds since the epoch, because it travels between machines; their clocks must agree
to well below a second, as NTP keeps them.
"""

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

from pipeline.errors import DeadlinePassed, IdPhotoError

_Method = TypeVar("_Method", bound=Callable[..., Any])


def check(deadline_at: float) -> None:
    """Raises DeadlinePassed once it is too late to start."""
    if time.time() >= deadline_at:
        raise DeadlinePassed("deadline_passed")


class Worker:
    """Where a CPU step works: in a few threads of its replica, first come, first served.

    The photos that wait do so here, in the replica. Where it takes only as many as it works on,
    Ray's router asks again and again with pauses, in which the cores are idle. Pillow, OpenCV and
    ONNX Runtime let go of the interpreter while they work, so a second thread is of use.
    """

    def __init__(self, threads: int = 2) -> None:
        self._threads = ThreadPoolExecutor(threads)

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """What ``work`` returns; where the caller leaves before it has begun, it never does."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


def step(method: _Method) -> _Method:
    """The method, returning the IdPhotoError that it raises; ``result`` raises it again. One that
    is not a coroutine runs in the ``worker`` of its object.

    A refused photo is an answer. Raised, it would be a failed request to Ray: logged with a
    traceback, counted as an error of the replica.
    """
    waits = inspect.iscoroutinefunction(method)

    @functools.wraps(method)
    async def wrapped(self: Any, *args: Any) -> Any:
        try:
            if waits:
                return await method(self, *args)
            return await self.worker.run(method, self, *args)
        except IdPhotoError as error:
            return error.with_traceback(None)

    return cast(_Method, wrapped)


async def result(response: Any, deadline_at: float) -> Any:
    """What a ``step`` returned; ``response`` is the handle's DeploymentResponse.

    Raises the IdPhotoError that the step raised, or DeadlinePassed; then the call is cancelled,
    which a mere timeout around it would not do.
    """
    try:
        async with asyncio.timeout(max(0.0, deadline_at - time.time())):
            answer = await response
    except TimeoutError:
        response.cancel()
        raise DeadlinePassed("deadline_passed") from None
    if isinstance(answer, IdPhotoError):
        raise answer
    return answer
