"""GPU (or CPU) step: the matting nets, batched."""

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
from ray import serve

from deployments import calls, health, tracing
from deployments.gate import Gate, Place
from deployments.line import Line, Ticket
from deployments.metrics import Batches, StepMeter
from deployments.settings import Settings
from deployments.worker import Worker
from models import nets
from models.matting import MattingNet
from pipeline.errors import Unavailable
from pipeline.values import Alpha8, Rgb

Frames: TypeAlias = dict[str, tuple[Rgb, ...]]
Alphas: TypeAlias = dict[str, tuple[Alpha8, ...]]
_Photo: TypeAlias = tuple[Frames, Ticket, Place]

log = logging.getLogger("ray.serve")

# What nobody waits for goes behind what comes within that time, and then has its turn.
_PATIENCE_S = 1.0


class Matting:
    """Several named nets on one device; a photo asks those that it wants."""

    def __init__(
        self, load_nets: Callable[[], dict[str, MattingNet]], settings: Settings, lanes: int = 1
    ) -> None:
        """``lanes``: photos that are worked on at once where they are not collected to batches; the
        nets must be safe to call so.
        """
        cv2.setNumThreads(1)
        tracing.start(settings.tracing, "Matting")
        self._nets = load_nets()
        # The replica's event loop stays free to collect the next batch while the nets run.
        self._worker = Worker(lanes)
        self._settings = settings
        self._gate = Gate(1, lanes)
        self._probe = health.Probe(self._nets)
        self._line = Line(StepMeter())
        self._batches = Batches()

    def reconfigure(self, batch: dict[str, Any]) -> None:
        """Takes ``max_size`` and ``wait_ms`` from user_config, without a restart."""
        self._gate.size = int(batch["max_size"])
        queue: Any = self._batch  # @serve.batch adds setters that its type does not show
        queue.set_max_batch_size(self._gate.size)
        queue.set_batch_wait_timeout_s(batch["wait_ms"] / 1000)

    async def check_health(self) -> None:
        """Raises health.Ill, or what a net raises that is no longer able to run."""
        health.check(self._worker, self._settings)
        if self._probe.suspect:
            await self._worker.run(self._probe.run)

    @calls.step
    async def __call__(self, frames: Frames, deadline_at: float) -> Alphas:
        """What each net that is asked, by its role, answers for each of its frames."""
        return await self._matted(frames, deadline_at, yields_s=0)

    @calls.step
    async def later(self, frames: Frames, deadline_at: float) -> Alphas:
        """As a call, after those that somebody waits for."""
        return await self._matted(frames, deadline_at, yields_s=_PATIENCE_S)

    async def _matted(self, frames: Frames, deadline_at: float, *, yields_s: float) -> Alphas:
        ticket = self._line.join()
        try:
            async with self._gate.place(yields_s) as place:
                calls.check(deadline_at)
                photo = frames, ticket, place
                if self._gate.size > 1:
                    alphas, together = await self._batch(photo)
                else:
                    ((alphas, together),) = await self._run([photo])
        finally:
            self._line.leave(ticket)
        tracing.tell(batch_photos=together, wait_ms=ticket.wait_ms, work_ms=ticket.work_ms)
        return alphas

    @serve.batch(max_batch_size=1, batch_wait_timeout_s=0)
    async def _batch(self, photos: list[_Photo]) -> list[tuple[Alphas, int]]:
        return await self._run(photos)

    async def _run(self, photos: list[_Photo]) -> list[tuple[Alphas, int]]:
        """The alphas of each photo, and how many photos there were."""
        async with self._gate.batch(place for _, _, place in photos):
            self._batches.ran(len(photos))
            for _, ticket, _ in photos:
                self._line.begin(ticket)
            try:
                frames = [each for each, _, _ in photos]
                alphas: list[Alphas] = await self._worker.run(self._matte, frames)
                return [(each, len(photos)) for each in alphas]
            except Exception as error:
                # Frames are arrays that Cropping made: what goes wrong here is wrong with the
                # session or the device. Another replica may do better.
                log.error("a batch failed", exc_info=error)
                self._probe.suspect = True
                raise Unavailable("unavailable") from error
            finally:
                for _, ticket, _ in photos:
                    self._line.end(ticket)

    def _matte(self, photos: list[Frames]) -> list[Alphas]:
        halved = sum(net.halved_batches for net in self._nets.values())
        answers = nets.matte(self._nets, photos)
        self._probe.see(alpha for answer in answers for seen in answer.values() for alpha in seen)
        self._batches.halved(sum(net.halved_batches for net in self._nets.values()) - halved)
        return answers
