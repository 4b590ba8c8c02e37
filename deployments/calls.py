"""How one deployment calls another: within the photo's deadline, and with refusals as answers.

A deadline is seconds since the epoch, because it travels between machines; their clocks must agree
to well below a second, as NTP keeps them.
"""

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from pipeline.errors import DeadlinePassed, IdPhotoError

_Method = TypeVar("_Method", bound=Callable[..., Any])


def check(deadline_at: float) -> None:
    """Raises DeadlinePassed once it is too late to start."""
    if time.time() >= deadline_at:
        raise DeadlinePassed("deadline_passed")


def step(method: _Method) -> _Method:
    """The method, returning the IdPhotoError that it raises; ``result`` raises it again.

    A refused photo is an answer. Raised, it would be a failed request to Ray: logged with a
    traceback, counted as an error of the replica.
    """

    @functools.wraps(method)
    def at_once(*args: Any) -> Any:
        try:
            return method(*args)
        except IdPhotoError as error:
            return error.with_traceback(None)

    @functools.wraps(method)
    async def awaited(*args: Any) -> Any:
        try:
            return await method(*args)
        except IdPhotoError as error:
            return error.with_traceback(None)

    wrapped: Any = awaited if inspect.iscoroutinefunction(method) else at_once
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
