"""The one replica that keeps cut-out people for a few minutes and makes further files of them.

What is kept stays in this process. It is rendered here, too: the other way is to send the region
of the photo, several megabytes, to another replica each time.
"""

import asyncio
import time

import cv2

from deployments import calls, health, tracing
from deployments.crops import Crops
from deployments.metrics import StepMeter
from deployments.settings import Cutouts as Keeping
from deployments.settings import Settings
from deployments.shelf import Shelf
from deployments.tokens import Cutout, Seal
from deployments.worker import Worker
from pipeline import reuse
from pipeline.errors import Gone
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import IdPhoto, Order
from pipeline.variants import Cropper

# Of the memory, for crops that were made: another colour of one costs a fifth.
_CROPS_SHARE = 0.125


class Cutouts:
    """Everything that it keeps is lost with it; the client has the photo."""

    def __init__(self, settings: Settings, keeping: Keeping, secret: bytes) -> None:
        cv2.setNumThreads(1)
        tracing.start(settings.tracing, "Cutouts")
        # The limit is on what it takes to work.
        limit_mb = settings.max_replica_mb
        more_mb = None if limit_mb is None else limit_mb + keeping.max_mb
        self._settings = settings.model_copy(update={"max_replica_mb": more_mb})
        self._seal = Seal(secret)
        crops_bytes = int(_CROPS_SHARE * keeping.max_bytes)
        self._shelf: Shelf[tuple[str | None, reuse.Kept]] = Shelf(
            keeping.keep_s, keeping.max_bytes - crops_bytes, time.monotonic
        )
        self._crops = Crops(keeping.keep_s, crops_bytes, time.monotonic)
        self._timer: asyncio.TimerHandle | None = None
        self.worker = Worker(meter=StepMeter())

    @property
    def held_bytes(self) -> int:
        """What everything that is kept takes."""
        return self._shelf.held_bytes + self._crops.held_bytes

    def check_health(self) -> None:
        health.check(self.worker, self._settings)

    @calls.step
    async def keep(self, kept: reuse.Kept, owner: str | None, deadline_at: float) -> Cutout | None:
        """None where it is larger than all that may be kept. ``owner``: name of the key whose
        client may ask for it; None where the service is open.
        """
        calls.check(deadline_at)
        id, token = self._seal.issue()
        if not self._shelf.put(id, (owner, kept), kept.size_bytes):
            return None
        found = self._shelf.find(id)
        self._clear()
        return Cutout(token, time.time() + found[1]) if found else None

    @calls.step
    async def photo(
        self, id: bytes, owner: str | None, order: Order, deadline_at: float
    ) -> tuple[tuple[IdPhoto, ...], Cutout]:
        kept, until_s, told = self._find(id, owner)
        cropper = self._crops.of(id, until_s)
        photos = await self.worker.run(self._photos, kept, order, cropper, deadline_at)
        self._clear()
        return photos, told

    @calls.step
    async def sheet(
        self, id: bytes, owner: str | None, order: SheetOrder, deadline_at: float
    ) -> tuple[PrintSheet, Cutout]:
        kept, _, told = self._find(id, owner)
        return await self.worker.run(self._sheet, kept, order, deadline_at), told

    def _find(self, id: bytes, owner: str | None) -> tuple[reuse.Kept, float, Cutout]:
        """Whom it shows, until when by the monotonic clock, and what the client is told.

        Raises Gone (``cutout_gone``): who may not have it learns no more than that.
        """
        found = self._shelf.find(id)
        if found is None or found[0][0] != owner:
            raise Gone("cutout_gone")
        (_, kept), left_s = found
        told = Cutout(self._seal.token(id), time.time() + left_s)
        return kept, time.monotonic() + left_s, told

    def _clear(self) -> None:
        """Lets go of what is over its time, and looks again when the next one will be."""
        if self._timer is not None:
            self._timer.cancel()
        ends_s = [end for end in (self._shelf.expire(), self._crops.expire()) if end is not None]
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(ends_s), self._clear) if ends_s else None

    def _photos(
        self, kept: reuse.Kept, order: Order, cropper: Cropper, deadline_at: float
    ) -> tuple[IdPhoto, ...]:
        calls.check(deadline_at)
        return reuse.photos(kept, order, cropper)

    def _sheet(self, kept: reuse.Kept, order: SheetOrder, deadline_at: float) -> PrintSheet:
        calls.check(deadline_at)
        return reuse.sheet(kept, order)
