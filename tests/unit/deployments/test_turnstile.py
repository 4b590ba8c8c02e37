"""What the Gateways have no place for is refused before it reaches them."""

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from deployments import turnstile
from deployments.problems import FULL, PLACES, problem
from deployments.turnstile import Turnstile
from pipeline.errors import Overloaded


class Gateways:
    """So many places; whoever has one waits until it is told to finish."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.asked = 0
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        if not self.free:
            refusal = problem(Request(scope), Overloaded("overloaded", retry_after_s=3))
            await refusal(scope, receive, send)
            return
        self.free -= 1
        await self.go_on.wait()
        self.free += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"photo"})


def posted(app: Turnstile, path: str = "/v1/photos") -> "asyncio.Task[list[Message]]":
    """A client that posts; what it gets."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def client() -> list[Message]:
        got: list[Message] = []

        async def send(message: Message) -> None:
            got.append(message)

        await app({"type": "http", "method": "POST", "path": path, "headers": []}, receive, send)
        return got

    return asyncio.ensure_future(client())


async def all_answered(tasks: "list[asyncio.Task[list[Message]]]") -> list[int]:
    return [messages[0]["status"] for messages in await asyncio.gather(*tasks)]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_crowd_is_refused_without_asking_the_gateways() -> None:
    async def crowd() -> None:
        gateways = Gateways(4)
        app = Turnstile(gateways)
        first = [posted(app) for _ in range(20)]
        await settle()
        assert gateways.asked == 5, "the one that was refused there told enough"
        second = [posted(app) for _ in range(50)]
        assert await all_answered(second) == [429] * 50
        assert gateways.asked == 5
        gateways.go_on.set()
        assert sorted(await all_answered(first)) == [200] * 4 + [429] * 16
        assert await all_answered([posted(app)]) == [200], "there is room again"

    asyncio.run(crowd())


def test_more_are_tried_when_photos_are_finished() -> None:
    """The Gateways have grown meanwhile."""

    async def grown() -> None:
        gateways = Gateways(2)
        app = Turnstile(gateways)
        for _ in range(3):
            posted(app)
        await settle()
        gateways.free, gateways.asked = 100, 0
        gateways.go_on.set()
        for _ in range(60):
            await asyncio.gather(*(posted(app) for _ in range(8)))
        gateways.go_on.clear()
        before = gateways.asked
        waiting = [posted(app) for _ in range(8)]
        await settle()
        assert gateways.asked == before + 8
        gateways.go_on.set()
        assert await all_answered(waiting) == [200] * 8

    asyncio.run(grown())


def test_uploads_without_a_place_keep_nobody_out_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two were in flight when the only place was taken; now two are that have none."""

    async def later() -> None:
        gateways = Gateways(1)
        app = Turnstile(gateways)
        first = [posted(app) for _ in range(2)]
        await settle()
        gateways.go_on.set()
        assert sorted(await all_answered(first)) == [200, 429]
        gateways.free = 100
        gateways.go_on.clear()
        uploads = [posted(app) for _ in range(2)]
        await settle()
        assert await all_answered([posted(app)]) == [429]
        later_s = time.monotonic() + 20
        monkeypatch.setattr(turnstile, "time", SimpleNamespace(monotonic=lambda: later_s))
        other = posted(app)
        await settle()
        gateways.go_on.set()
        assert await all_answered([other, *uploads]) == [200] * 3

    asyncio.run(later())


def test_the_refused_come_back_one_after_the_other() -> None:
    async def refused() -> list[list[Message]]:
        app = Turnstile(Gateways(1))
        taken = [posted(app), posted(app)]
        await settle()
        answers = await asyncio.gather(*(posted(app) for _ in range(40)))
        for task in taken:
            task.cancel()
        return answers

    answers = asyncio.run(refused())
    headers: list[dict[Any, Any]] = [dict(start["headers"]) for start, _ in answers]
    waits = [int(each[b"retry-after"]) for each in headers]
    assert waits == sorted(waits)
    assert waits[-1] > waits[0]
    assert all(FULL.lower().encode() not in each for each in headers)
    assert json.loads(answers[0][1]["body"])["code"] == "overloaded"


@pytest.mark.parametrize(
    ("content_type", "code"), [(b"text/plain", "overloaded"), (b"application/problem+json", None)]
)
def test_rays_own_refusal_is_said_in_our_words(content_type: bytes, code: str | None) -> None:
    """And that of a Gateway for another reason, such as a key's share, is passed on as it is."""

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", content_type)]
        await send({"type": "http.response.start", "status": 429, "headers": headers})
        await send({"type": "http.response.body", "body": b"words"})

    async def ask() -> list[Message]:
        return await posted(Turnstile(refusing))

    start, body = asyncio.run(ask())
    assert start["status"] == 429
    if code is None:
        assert body["body"] == b"words"
    else:
        assert json.loads(body["body"])["code"] == code
        assert b"retry-after" in dict(start["headers"])


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/1/retry", "/healthz"])
def test_other_requests_pass_whatever_is_full(path: str) -> None:
    async def ask() -> None:
        gateways = Gateways(1)
        app = Turnstile(gateways)
        posted(app)
        posted(app)
        await settle()
        gateways.asked = 0
        posted(app, path)
        await settle()
        assert gateways.asked == 1
        gateways.go_on.set()
        await settle()

    asyncio.run(ask())


@pytest.mark.parametrize("tells", [True, False])
def test_what_a_gateway_tells_is_for_haproxy_alone(tells: bool) -> None:
    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(PLACES.lower().encode(), b"16"), (b"content-type", b"image/jpeg")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"photo"})

    async def ask() -> list[Message]:
        return await posted(Turnstile(gateway, tells=tells))

    (start, _) = asyncio.run(ask())
    assert (PLACES.lower().encode() in dict(start["headers"])) == tells


def test_a_turnstile_before_it_is_told_of_places_alone() -> None:
    async def refused(error: Overloaded) -> dict[Any, Any]:
        async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
            await problem(Request(scope), error)(scope, receive, send)

        (start, _) = await posted(Turnstile(gateway, tells=True))
        return dict(start["headers"])

    full = asyncio.run(refused(Overloaded("overloaded", retry_after_s=3)))
    # A part of a Gateway, such as the pictures that it fetches.
    busy = asyncio.run(refused(Overloaded("overloaded")))
    assert (FULL.lower().encode() in full, FULL.lower().encode() in busy) == (True, False)
