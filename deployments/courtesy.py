"""Photos that nobody waits for let the others go first."""

import asyncio
import time

# Somebody who just had one photo may send the next.
_QUIET_S = 0.5
# So often one photo goes in all the same: a job ends, whatever else the machine does.
_PATIENCE_S = 1.0


class Courtesy:
    """Holds photos of jobs back while others come, at the entrance of the graph: what is in it
    takes its share of the cores, whoever is first in a queue.
    """

    def __init__(self) -> None:
        self._urgent_at = float("-inf")
        self._next_at = float("-inf")

    def urgent(self) -> None:
        """Somebody waits for a photo that is here."""
        self._urgent_at = time.monotonic()

    async def turn(self) -> None:
        """Returns when a photo of a job may go in: when no other came for a while, or when the last
        one that went in all the same is a while ago.
        """
        while (now := time.monotonic()) < self._urgent_at + _QUIET_S:
            if now >= self._next_at:
                self._next_at = now + _PATIENCE_S
                return
            await asyncio.sleep(min(self._urgent_at + _QUIET_S, self._next_at) - now)
