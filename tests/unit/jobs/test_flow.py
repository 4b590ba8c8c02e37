"""What is on its way between a greedy proxy and a slow Gateway is bounded, both ways."""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.jobs import flow
from deployments.jobs.flow import AtGateway, AtProxy
from deployments.leaving import Leaving

CHUNK = 1000
WINDOW = 10 * CHUNK


class Greedy:
    """Carries messages both ways as Ray's proxy does: at once, without a bound."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.most = {"in": 0, "out": 0}
        self.seen: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        there: asyncio.Queue[Message] = asyncio.Queue()
        back: asyncio.Queue[Message] = asyncio.Queue()

        async def carry_in() -> None:
            while True:
                there.put_nowait(await receive())
                self.most["in"] = max(self.most["in"], there.qsize())

        async def carry_out() -> None:
            while True:
                self.most["out"] = max(self.most["out"], back.qsize())
                message = await back.get()
                self.seen.append(message["type"])
                await send(message)
                back.task_done()

        async def put(message: Message) -> None:
            back.put_nowait(message)
            await asyncio.sleep(0)

        tasks = [asyncio.ensure_future(carry_in()), asyncio.ensure_future(carry_out())]
        try:
            await self._app(scope, there.get, put)
            await back.join()
        finally:
            for task in tasks:
                task.cancel()


def scope_of(method: str, path: str, **headers: str) -> Scope:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "path": path, "headers": raw}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads slowly, then answers with as many chunks as it got."""
    more, chunks = True, 0
    while more:
        for _ in range(5):
            await asyncio.sleep(0)
        message = await receive()
        assert message["type"] == "http.request"
        more, chunks = message["more_body"], chunks + 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(chunks):
        body = {"body": bytes(CHUNK), "more_body": number + 1 < chunks}
        await send({"type": "http.response.body", **body})


def run(app: ASGIApp, scope: Scope, chunks: int) -> tuple[list[Message], int]:
    """The messages that the client gets, and how many it sent before the first was taken."""
    got: list[Message] = []
    left = chunks

    async def receive() -> Message:
        nonlocal left
        if not left:
            await asyncio.Event().wait()
        left -= 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": bytes(CHUNK), "more_body": left > 0}

    async def send(message: Message) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        got.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), 20))
    return got, left


@pytest.fixture(autouse=True)
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "WINDOW_BYTES", WINDOW)


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/", "/prefix/v1/jobs"])
def test_large_requests_and_answers_are_bounded(path: str) -> None:
    greedy = Greedy(AtGateway(echo))
    got, _ = run(AtProxy(greedy), scope_of("POST", path), 500)
    assert sum(len(message.get("body", b"")) for message in got) == 500 * CHUNK
    assert {message["type"] for message in got} == {"http.response.start", "http.response.body"}
    # One more than the window holds; and in the other direction the messages about what was taken.
    assert greedy.most["in"] <= WINDOW / CHUNK + 2
    assert greedy.most["out"] <= WINDOW / CHUNK + 2


def test_without_flow_control_they_are_not() -> None:
    greedy = Greedy(echo)
    run(greedy, scope_of("POST", "/v1/jobs"), 500)
    assert greedy.most["in"] > 100
    assert greedy.most["out"] > 100


@pytest.mark.parametrize("marked", [{}, {"x_idphoto_flow": "1"}])
def test_other_requests_pass_as_they_are(marked: dict[str, str]) -> None:
    greedy = Greedy(AtGateway(echo))
    got, _ = run(AtProxy(greedy), scope_of("POST", "/v1/photos", **marked), 20)
    assert len(got) == 21
    assert set(greedy.seen) == {"http.response.start", "http.response.body"}


def test_a_gateway_without_the_proxy_s_half() -> None:
    got, _ = run(AtGateway(echo), scope_of("POST", "/v1/jobs"), 50)
    assert len(got) == 51


def test_a_client_that_leaves_in_the_middle_of_its_upload() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "http.disconnect":
            seen.append(message["type"])
        seen.extend([message["type"], (await receive())["type"]])

    request: Message = {"type": "http.request", "body": bytes(CHUNK), "more_body": True}
    messages = iter([request] * 30 + [{"type": "http.disconnect"}])

    async def receive() -> Message:
        await asyncio.sleep(0)
        return next(messages)

    async def send(message: Message) -> None:
        raise AssertionError("nothing is answered")

    whole = AtProxy(Greedy(AtGateway(app)))
    asyncio.run(asyncio.wait_for(whole(scope_of("POST", "/v1/jobs"), receive, send), 20))
    assert seen == ["http.request"] * 30 + ["http.disconnect"] * 2


def test_a_client_that_leaves_in_the_middle_of_a_download() -> None:
    """Its connection takes nothing any more; the Gateway learns of it and does not wait."""

    async def check() -> None:
        left, finished = asyncio.Event(), asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(100):
                await send({"type": "http.response.body", "body": bytes(CHUNK), "more_body": True})
            assert (await receive())["type"] == "http.disconnect"
            finished.set()

        async def receive() -> Message:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                left.set()
                await asyncio.Event().wait()

        whole = AtProxy(Greedy(AtGateway(app)))
        scope = scope_of("GET", "/v1/jobs/1/result.zip")
        serving = asyncio.ensure_future(whole(scope, receive, send))
        await asyncio.wait_for(finished.wait(), 20)
        serving.cancel()

    asyncio.run(check())


def test_a_proxy_that_is_lost_keeps_nobody_waiting() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await receive())["type"])

    async def receive() -> Message:
        raise RuntimeError("the actor died")

    async def send(message: Message) -> None:
        raise AssertionError("nothing is answered")

    scope = scope_of("POST", "/v1/jobs", x_idphoto_flow="1")
    asyncio.run(asyncio.wait_for(Leaving(AtGateway(app))(scope, receive, send), 20))
    assert seen == ["http.disconnect"]
