import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.places import Places
from deployments.problems import PLACES


class Shrinking:
    """A Gateway with one place less for each answer."""

    left = 16

    @property
    def places(self) -> tuple[int, int]:
        self.left -= 1
        return self.left, 3


@pytest.mark.parametrize("status", [200, 429])
def test_answers_to_photos_tell_of_the_places_there_are_then(status: int) -> None:
    async def answer(request: Request) -> Response:
        return Response(status_code=status)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    app.add_middleware(Places, gateway=Shrinking())

    async def told() -> list[str | None]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            answers = [
                await client.request(method, path)
                for method, path in (
                    ("POST", "/v1/photos"),
                    ("GET", "/v1/photos"),
                    ("POST", "/v1/jobs"),
                    ("POST", "/v1/checks/"),
                )
            ]
        return [answer.headers.get(PLACES) for answer in answers]

    assert asyncio.run(told()) == ["15", None, None, "14"]
