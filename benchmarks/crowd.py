"""Clients of a service that is being broken: those that wait and check what they get, those that
send hostile files, and those that leave.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from benchmarks.client import PAUSE_S, Target, Upload, named, session, upload
from benchmarks.marks import Mark, fault, marks
from benchmarks.recovery import LEFT, Kind, Sent

# A client that waited for longer would only make the run shorter.
_MOST_WAIT_S = 10.0
_AT_ONCE = 4
_TRIALS = 8


@dataclass(frozen=True, slots=True)
class Errand:
    """What one client sends again and again, and what it must get."""

    mark: Mark
    photo: Upload
    expected: bytes


@dataclass(frozen=True, slots=True)
class Mix:
    """What else than good photos is sent."""

    hostile: Sequence[Upload]
    hostile_share: float
    leaving_share: float


class Crowd:
    """Sends over persistent connections, and keeps a list of what became of it."""

    def __init__(self, url: str, quality: str, seed: int) -> None:
        self._url = f"{url.rstrip('/')}/v1/photos"
        self._quality = quality
        self._chance = random.Random(seed)
        self.requests: list[Sent] = []

    async def __aenter__(self) -> "Crowd":
        self._session = session()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def errands(self, photos: Mapping[str, bytes], count: int) -> list[Errand]:
        """So many errands with the answers of the service as it is now; fewer where it does not
        take as many of the marks. Raises RuntimeError where it takes none.
        """
        places = asyncio.Semaphore(_AT_ONCE)
        found: list[Errand] = []

        async def one(mark: Mark) -> None:
            photo = self.upload(photos[mark.photo], mark.document, mark.background)
            async with places:
                if len(found) < count and (answer := await self._calm(photo)):
                    found.append(Errand(mark, photo, answer))

        await asyncio.gather(*(one(mark) for mark in marks(sorted(photos))))
        if not found:
            raise RuntimeError("the service takes none of the photos")
        return found[:count]

    def upload(self, data: bytes, document: str, background: str) -> Upload:
        """The request of an ID photo."""
        fields = {"document": document, "background": background, "quality": self._quality}
        return upload(Target(self._url, "photo", fields), data)

    async def run(self, errands: Sequence[Errand], mix: Mix, until_s: float) -> None:
        """Every client sends until then, obeys Retry-After, and waits for its last answer."""
        await asyncio.gather(*(self._client(errand, mix, until_s) for errand in errands))

    async def afterwards(self, errand: Errand) -> Sent:
        """The checked answer of a service that may still be recovering, so that a refusal is
        obeyed a few times; the last one. Not listed.
        """
        for _ in range(_TRIALS):
            sent, wait_s = await self._send("photo", errand.photo, errand)
            if sent.outcome == "200" or not sent.allowed:
                break
            await asyncio.sleep(max(1.0, wait_s))
        return sent

    async def _client(self, errand: Errand, mix: Mix, until_s: float) -> None:
        while time.monotonic() < until_s:
            dice = self._chance.random()
            if mix.hostile and dice < mix.hostile_share:
                sent, wait_s = await self._send("hostile", self._chance.choice(mix.hostile), None)
            elif dice > 1 - mix.leaving_share:
                sent, wait_s = await self._leave(errand)
            else:
                sent, wait_s = await self._send("photo", errand.photo, errand)
            self.requests.append(sent)
            if wait_s:
                await asyncio.sleep(max(0.0, min(wait_s, _MOST_WAIT_S, until_s - time.monotonic())))

    async def _leave(self, errand: Errand) -> tuple[Sent, float]:
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(self._chance.uniform(0, 2)):
                return await self._send("leaving", errand.photo, errand)
        except TimeoutError:
            return Sent("leaving", began_s, time.monotonic(), LEFT), 0.0

    async def _send(self, kind: Kind, photo: Upload, errand: Errand | None) -> tuple[Sent, float]:
        began_s = time.monotonic()
        try:
            status, media_type, wait, content = await self._post(photo)
        except (aiohttp.ClientError, TimeoutError) as error:
            await asyncio.sleep(PAUSE_S)
            name = "timeout" if isinstance(error, TimeoutError) else type(error).__name__
            return Sent(kind, began_s, time.monotonic() - PAUSE_S, name), 0.0
        ended_s = time.monotonic()
        wrong = None
        if errand and status == 200:
            wrong = await asyncio.to_thread(fault, errand.mark, errand.expected, content)
        outcome = named(status, media_type, content)
        sent = Sent(kind, began_s, ended_s, outcome, bool(wait), wrong)
        return sent, float(wait) if wait.isdecimal() else 0.0

    async def _post(self, photo: Upload) -> tuple[int, str, str, bytes]:
        headers = {"Content-Type": photo.content_type}
        async with self._session.post(photo.url, data=photo.body, headers=headers) as answer:
            content = await answer.read()
            retry_after = answer.headers.get("Retry-After", "")
            return answer.status, answer.content_type, retry_after, content

    async def _calm(self, photo: Upload) -> bytes | None:
        """The picture, from a service that may be busy but that nothing happens to."""
        for _ in range(_TRIALS):
            status, _, retry_after, content = await self._post(photo)
            if status == 200:
                return content
            if status not in (429, 503, 504):
                return None
            await asyncio.sleep(float(retry_after or 1))
        return None
