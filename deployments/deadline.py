"""The moment by which a photo must be finished, checked by every step before it starts.

A deadline is seconds since the epoch, because it travels between machines; their clocks must agree
to well below a second, as NTP keeps them.
"""

import asyncio
import time
from typing import Any

from ray.exceptions import RayTaskError
from ray.serve.exceptions import RequestCancelledError

from pipeline.errors import DeadlinePassed, IdPhotoError


def check(deadline_at: float) -> None:
    """Raises DeadlinePassed once it is too late to start."""
    if time.time() >= deadline_at:
        raise DeadlinePassed("deadline_passed")


async def result(response: Any, deadline_at: float) -> Any:
    """What the called deployment returned; ``response`` is the handle's DeploymentResponse.

    Raises the IdPhotoError that it raised, without Ray's wrapping, or DeadlinePassed; then the call
    is cancelled, which a mere timeout around it would not do.
    """
    try:
        async with asyncio.timeout(max(0.0, deadline_at - time.time())):
            return await response
    except TimeoutError:
        response.cancel()
        raise DeadlinePassed("deadline_passed") from None
    except RequestCancelledError:
        raise DeadlinePassed("deadline_passed") from None
    except RayTaskError as error:
        if isinstance(error.cause, IdPhotoError):
            raise error.cause from None
        raise
