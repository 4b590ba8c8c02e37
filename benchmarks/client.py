"""Sends photos to a server over persistent connections: so many at once, or at a given rate."""

import asyncio
import json
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from uuid import uuid4

import aiohttp

TIMEOUT_S = 120
_DEFAULT_RETRY_S = 1.0
# After a connection that failed: else a server that is down gets thousands of attempts a second.
PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """A server's way to take a photo."""

    url: str
    file_field: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Upload:
    """A request, encoded once and sent many times."""

    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """How one photo fared; times are those of ``time.monotonic``."""

    due_s: float
    """When it was to be sent: in an open loop by the schedule, late or not."""
    ended_s: float
    outcome: str
    """The status and the code of its problem document, such as "429 overloaded"; "timeout"."""
    sent_s: float | None = None
    """When it was really sent. None: when it was due."""

    @property
    def ok(self) -> bool:
        return self.outcome == "200"

    @property
    def took_s(self) -> float:
        """From sending to the answer, without what came before."""
        return self.ended_s - (self.due_s if self.sent_s is None else self.sent_s)


def upload(target: Target, data: bytes) -> Upload:
    """The photo as a multipart form."""
    boundary = uuid4().hex
    lines = []
    for name, value in target.fields.items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    file = f'Content-Disposition: form-data; name="{target.file_field}"; filename="photo"'
    lines += [f"--{boundary}", file, "Content-Type: application/octet-stream", "", ""]
    body = "\r\n".join(lines).encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return Upload(target.url, f"multipart/form-data; boundary={boundary}", body)


def session() -> aiohttp.ClientSession:
    """Connections that persist, as many at once as are asked for; made inside of a loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=TIMEOUT_S),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
    )


class Client:
    """One process's worth of clients. Photos are sent in turn."""

    def __init__(self, uploads: Sequence[Upload], obey: bool = False) -> None:
        """``obey`` sends a photo that got 429 again, within the second after Retry-After: it has
        whole seconds, and a crowd that takes them to the letter comes all in one moment. The
        photo's latency then counts from the first time.
        """
        self._uploads = cycle(uploads)
        self._obey = obey
        self.answers: list[Answer] = []

    async def __aenter__(self) -> "Client":
        self._session = session()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def closed_loop(self, clients: int, until_s: float) -> None:
        """So many clients, each of which sends a photo once it has the answer to the last one.

        Returns when all answers are in.
        """

        async def one() -> None:
            while (now_s := time.monotonic()) < until_s:
                await self._photo(now_s, until_s)

        await asyncio.gather(*(one() for _ in range(clients)))

    async def open_loop(self, due_s: Iterable[float], until_s: float) -> None:
        """A photo at each of the moments, however many are under way, late ones at once."""
        async with asyncio.TaskGroup() as group:
            for moment_s in due_s:
                await asyncio.sleep(max(0.0, moment_s - time.monotonic()))
                group.create_task(self._photo(moment_s, until_s))

    async def post(self, photo: Upload) -> tuple[str, float]:
        """The outcome, as in ``Answer``, and the seconds after which to try again."""
        headers = {"Content-Type": photo.content_type}
        try:
            async with self._session.post(photo.url, data=photo.body, headers=headers) as answer:
                content = await answer.read()
                outcome = named(answer.status, answer.content_type, content)
                wait = answer.headers.get("Retry-After", "")
                return outcome, float(wait) if wait.isdecimal() else _DEFAULT_RETRY_S
        except TimeoutError:
            return "timeout", 0.0
        except aiohttp.ClientError as error:
            await asyncio.sleep(PAUSE_S)
            return type(error).__name__, 0.0

    async def _photo(self, due_s: float, until_s: float) -> None:
        photo = next(self._uploads)
        while True:
            sent_s = time.monotonic()
            outcome, wait_s = await self.post(photo)
            now_s = time.monotonic()
            self.answers.append(Answer(due_s, now_s, outcome, sent_s))
            again = self._obey and outcome.startswith("429")
            if not again:
                return
            wait_s += random.random()
            await asyncio.sleep(min(wait_s, until_s - now_s))
            if now_s + wait_s >= until_s:
                return


def named(status: int, content_type: str, content: bytes) -> str:
    """The status, and the code of a problem document."""
    if content_type == "application/problem+json":
        return f"{status} {json.loads(content).get('code', '')}".strip()
    return str(status)
