"""Requests and answers of the load generator, without a server."""

import asyncio
import time
from email.parser import BytesParser
from email.policy import HTTP

import pytest

from benchmarks.client import Client, Target, Upload, named, upload

PHOTO = bytes(range(256))


class Scripted(Client):
    """Answers as it is told, after a while, instead of a server."""

    def __init__(self, outcomes: list[str], takes_s: float = 0, obey: bool = False) -> None:
        super().__init__([Upload("", "", b"")], obey)
        self.outcomes = outcomes
        self.takes_s = takes_s
        self.under_way = self.most = 0

    async def post(self, photo: Upload) -> tuple[str, float]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.takes_s)
        self.under_way -= 1
        return self.outcomes.pop(0) if self.outcomes else "200", 0.01


def test_upload_is_a_multipart_form() -> None:
    made = upload(Target("http://a/b", "photo", {"quality": "fast"}), PHOTO)
    message = BytesParser(policy=HTTP).parsebytes(
        f"Content-Type: {made.content_type}\r\n\r\n".encode() + made.body
    )
    field, file = message.iter_parts()
    assert field.get_param("name", header="Content-Disposition") == "quality"
    assert field.get_content().strip() == "fast"
    assert file.get_param("name", header="Content-Disposition") == "photo"
    assert file.get_payload(decode=True) == PHOTO


@pytest.mark.parametrize(
    ("status", "kind", "content", "expected"),
    [
        (200, "image/jpeg", PHOTO, "200"),
        (429, "application/problem+json", b'{"code": "overloaded"}', "429 overloaded"),
        (500, "application/problem+json", b"{}", "500"),
        (502, "text/html", b"bad gateway", "502"),
    ],
)
def test_answers_are_named_by_status_and_code(
    status: int, kind: str, content: bytes, expected: str
) -> None:
    assert named(status, kind, content) == expected


def test_closed_loop_has_so_many_photos_under_way() -> None:
    client = Scripted([], takes_s=0.001)
    asyncio.run(client.closed_loop(3, time.monotonic() + 0.03))
    assert client.most == 3
    assert len(client.answers) >= 3


def test_open_loop_sends_while_the_server_hangs_and_counts_from_the_due_moment() -> None:
    client = Scripted([], takes_s=0.05)
    start_s = time.monotonic() - 10  # all are late
    due_s = [start_s, start_s + 1, start_s + 2]
    asyncio.run(client.open_loop(due_s, start_s + 60))
    assert client.most == 3
    assert sorted(answer.due_s for answer in client.answers) == due_s
    assert all(answer.ended_s - answer.due_s > 8 for answer in client.answers)


@pytest.mark.parametrize(
    ("obey", "sent"), [(False, ["429 overloaded"]), (True, ["429 overloaded", "200"])]
)
def test_a_refused_photo_is_sent_again_only_by_those_who_obey(obey: bool, sent: list[str]) -> None:
    client = Scripted(["429 overloaded"], obey=obey)
    now_s = time.monotonic()
    asyncio.run(client.open_loop([now_s], now_s + 60))
    assert [answer.outcome for answer in client.answers] == sent
    assert {answer.due_s for answer in client.answers} == {now_s}
