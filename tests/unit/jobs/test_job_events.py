"""Progress as server-sent events and over WebSockets."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from deployments.jobs import events
from deployments.jobs.store import StoreUnavailable
from tests.unit.jobs import zips
from tests.unit.jobs.service import Service

PHOTOS = zips.zipped([(f"{n}.jpg", zips.photo(n)) for n in range(6)])
Messages = list[dict[str, Any]]


def sse(service: Service, job_id: str, query: str = "", **headers: str) -> Messages:
    """All messages up to the end of the stream."""
    answer = service.client.get(f"/v1/jobs/{job_id}/events?{query}", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        message = json.loads(lines["data"])
        assert (lines["event"], lines["id"]) == (message["type"], str(message["cursor"]))
        found.append(message)
    return found


def websocket(service: Service, job_id: str, query: str = "") -> Iterator[dict[str, Any]]:
    with service.client.websocket_connect(f"/v1/jobs/{job_id}/events?{query}") as socket:
        while True:
            try:
                yield socket.receive_json()
            except WebSocketDisconnect as gone:
                assert gone.code == 1000
                return


def positions(messages: Messages) -> list[int]:
    return [item["position"] for message in messages for item in message["items"]]


def created(service: Service) -> str:
    job_id: str = service.post(PHOTOS).json()["id"]
    return job_id


def test_both_kinds_tell_the_same(service: Service) -> None:
    job_id = created(service)
    service.runner.work(fails={"3.jpg": "no_face"}.get)
    told = sse(service, job_id)
    assert told == list(websocket(service, job_id))
    assert [message["type"] for message in told] == ["progress", "end"]
    assert positions(told) == list(range(6))
    assert told[0]["items"][3] == {
        "position": 3,
        "file": "3.jpg",
        "state": "failed",
        "error": "no_face",
    }
    assert told[-1]["job"]["state"] == "done"
    assert told[-1]["cursor"] == 6


@pytest.mark.parametrize("cursor", range(7))
def test_a_listener_goes_on_where_it_stopped(service: Service, cursor: int) -> None:
    job_id = created(service)
    service.runner.work()
    assert positions(sse(service, job_id, f"cursor={cursor}")) == list(range(cursor, 6))
    assert positions(list(websocket(service, job_id, f"cursor={cursor}"))) == list(range(cursor, 6))


@pytest.mark.parametrize("last", range(6))
def test_a_browser_goes_on_where_it_stopped(service: Service, last: int) -> None:
    job_id = created(service)
    service.runner.work()
    headers = {"last-event-id": str(last)}
    assert positions(sse(service, job_id, "cursor=0", **headers)) == list(range(last, 6))


def test_a_browser_that_has_seen_the_end_is_told_to_stay_away(service: Service) -> None:
    job_id = created(service)
    service.runner.work()
    headers = {"last-event-id": "6"}
    answer = service.client.get(f"/v1/jobs/{job_id}/events", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")


def test_progress_comes_while_the_job_runs(service: Service) -> None:
    job_id = created(service)
    told: Messages = []
    heartbeats = 0
    for message in websocket(service, job_id):
        if message["type"] == "heartbeat":
            heartbeats += 1
            continue
        told.append(message)
        assert message["cursor"] == len(positions(told))
        service.runner.work(2)
    assert [message["type"] for message in told] == [*["progress"] * (len(told) - 1), "end"]
    assert positions(told) == list(range(6))
    assert [message["job"]["counts"]["done"] for message in told][-1] == 6


def test_silence_is_filled(service: Service) -> None:
    job_id = created(service)
    with service.client.websocket_connect(f"/v1/jobs/{job_id}/events") as socket:
        assert socket.receive_json()["type"] == "progress"
        assert socket.receive_json() == {
            "type": "heartbeat",
            "cursor": 0,
            "job": None,
            "items": [],
        }


def test_many_photos_are_few_messages(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_ITEMS", 4)
    job_id = created(service)
    service.runner.work()
    told = sse(service, job_id)
    assert [len(message["items"]) for message in told] == [4, 2, 0]
    assert positions(told) == list(range(6))


def test_a_pause_is_told(service: Service) -> None:
    job_id = created(service)
    with service.client.websocket_connect(f"/v1/jobs/{job_id}/events") as socket:
        assert socket.receive_json()["job"]["state"] == "running"
        service.runner.store.pause("disk_full", job_id)
        message = socket.receive_json()
        while message["type"] == "heartbeat":
            message = socket.receive_json()
        assert (message["job"]["state"], message["job"]["paused_for"]) == ("paused", "disk_full")


@pytest.mark.parametrize("end", ["cancel", "delete"])
def test_a_job_that_is_cancelled_or_erased_ends(service: Service, end: str) -> None:
    job_id = created(service)
    service.runner.work(1)
    told: Messages = []
    for message in websocket(service, job_id):
        if message["type"] == "progress" and not told:
            if end == "cancel":
                service.runner.store.cancel(job_id)
            else:
                service.client.delete(f"/v1/jobs/{job_id}")
        told.append(message)
    assert told[-1]["type"] == "end"
    # Of a job that is erased the last that is seen may be that it was cancelled first.
    job = told[-1]["job"]
    assert job["state"] == "cancelled" if end == "cancel" or job else job is None


def test_after_a_retry_the_cursor_still_counts(service: Service) -> None:
    job_id = created(service)
    service.runner.work(fails={"3.jpg": "no_face"}.get)
    cursor = sse(service, job_id)[-1]["cursor"]
    service.client.post(f"/v1/jobs/{job_id}/retry")
    service.runner.work()
    told = sse(service, job_id, f"cursor={cursor}")
    assert [(item["position"], item["state"]) for item in told[0]["items"]] == [(3, "done")]


def test_a_database_that_is_gone_for_a_while_is_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = created(service)
    service.runner.work()
    store = type(service.runner.store)
    changes, failures = store.changes, iter(range(2))

    def gone(self: Any, *about: Any) -> Any:
        if next(failures, None) is not None:
            raise StoreUnavailable("gone")
        return changes(self, *about)

    monkeypatch.setattr(store, "changes", gone)
    told = [message for message in sse(service, job_id) if message["type"] != "heartbeat"]
    assert positions(told) == list(range(6))


@pytest.mark.parametrize(
    ("job", "query", "code", "reason"),
    [
        ("0" * 32, "", 4404, "unknown_job"),
        ("{}", "cursor=-1", 4422, "bad_parameter"),
        ("{}", "cursor=x", 4422, "bad_parameter"),
        ("{}", "other=1", 4422, "unknown_parameter"),
    ],
)
def test_a_websocket_that_is_refused(
    service: Service, job: str, query: str, code: int, reason: str
) -> None:
    path = f"/v1/jobs/{job.format(created(service))}/events?{query}"
    with (
        service.client.websocket_connect(path) as socket,
        pytest.raises(WebSocketDisconnect) as gone,
    ):
        socket.receive_json()
    assert (gone.value.code, gone.value.reason) == (code, reason)


@pytest.mark.parametrize("query", ["cursor=-1", "cursor=x", "other=1", "cursor=1&cursor=2"])
def test_a_stream_that_is_refused(service: Service, query: str) -> None:
    answer = service.client.get(f"/v1/jobs/{created(service)}/events?{query}")
    assert answer.status_code == 422


def test_listeners_give_their_place_back(make_service: Callable[..., Service]) -> None:
    service = make_service(max_streams=1)
    job_id = created(service)
    path = f"/v1/jobs/{job_id}/events"
    for _ in range(3):
        with service.client.websocket_connect(path) as socket:
            assert socket.receive_json()["type"] == "progress"
            assert service.client.get(path).json()["code"] == "too_many_streams"
    service.runner.work()
    for _ in range(3):
        assert sse(service, job_id)[-1]["type"] == "end"
        assert service.client.get(f"/v1/jobs/{job_id}/result.zip").status_code == 200
