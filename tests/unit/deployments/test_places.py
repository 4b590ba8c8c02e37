import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.places import Places
from deployments.problems import PLACES


class Gateway:
    """Has sixteen places. Answers who says how many are taken; others upload for ever."""

    places = (16, 16)

    async def answer(self, request: Request) -> Response:
        taken = request.headers.get("taken")
        if taken is None:
            await asyncio.Event().wait()
        self.places = (16, 16 - int(taken or 0))
        return Response(status_code=429 if taken == "16" else 200)

    def client(self) -> httpx.AsyncClient:
        app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST"])])
        app.add_middleware(Places, gateway=self)
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")


@pytest.mark.parametrize(
    ("uploads", "told"),
    [
        ([], ["16", "1", "0"]),
        # Of whatever may take a place; of a job there is a row in the database.
        (["/v1/photos"] * 20, ["36", "21", "20"]),
        (["/v1/photos", "/api/remove", "/v1/jobs", "/v1/jobs/1/retry"], ["18", "3", "2"]),
    ],
)
def test_uploads_on_their_way_take_no_places(uploads: list[str], told: list[str]) -> None:
    async def ask() -> list[str]:
        async with Gateway().client() as client:
            under_way = [asyncio.ensure_future(client.post(path)) for path in uploads]
            await asyncio.sleep(0.01)
            answers = [
                await client.post("/v1/photos", headers={"Taken": taken})
                for taken in ("0", "15", "16")
            ]
            for one in under_way:
                one.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            answers.append(await client.post("/v1/checks/", headers={"Taken": "0"}))
        return [answer.headers[PLACES] for answer in answers]

    assert asyncio.run(ask()) == [*told, "16"]


def test_other_answers_tell_nothing() -> None:
    async def ask() -> list[httpx.Response]:
        async with Gateway().client() as client:
            asked = [("GET", "/v1/photos"), ("POST", "/v1/jobs"), ("POST", "/api/remove")]
            return [await client.request(*each, headers={"Taken": "0"}) for each in asked]

    assert not any(PLACES in answer.headers for answer in asyncio.run(ask()))
