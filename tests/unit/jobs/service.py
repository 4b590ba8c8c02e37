"""A service with jobs, and a runner that makes pictures out of nothing."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import StarletteDeprecationWarning

from deployments.jobs import findings
from deployments.jobs.files import Files, result_key
from deployments.jobs.orders import of_photo
from deployments.jobs.store import Store
from deployments.settings import Jobs, Settings
from pipeline.values import Check, IdPhoto

with warnings.catch_warnings():
    # It asks for another client than the httpx that the other tests use.
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.testclient import TestClient

MAX_PHOTO_BYTES = 1_000_000


@dataclass
class Runner:
    """Does what the real one does, without the graph."""

    store: Store
    files: Files

    def work(
        self,
        limit: int = 10_000,
        *,
        fails: Callable[[str], str | None] = lambda name: None,
    ) -> list[str]:
        """Works on up to ``limit`` photos; returns their names. ``fails`` names the error."""
        names: list[str] = []
        while len(names) < limit:
            leases = self.store.lease("runner", min(50, limit - len(names)), 60)
            if not leases:
                break
            for lease in leases:
                item = lease.item
                names.append(item.name)
                error = fails(item.name)
                if error:
                    assert self.store.fail(lease, error, retryable=False)
                    continue
                made = self._made(of_photo(lease.order, item.overrides, 64), item.name)
                keys = [
                    result_key(item.job_id, item.position, item.attempt, number, "jpg")
                    for number in range(len(made))
                ]
                size = sum(
                    self.files.put(key, [photo.data]) for key, photo in zip(keys, made, strict=True)
                )
                assert self.store.finish(lease, keys, findings.of(made), result_bytes=size)
        return names

    def _made(self, order: Any, name: str) -> list[IdPhoto]:
        mouth = Check("mouth_open", "Mouth", "嘴", 0.2, "", None, 0.1, "warn", "Close it.", "闭嘴")
        return [
            IdPhoto(
                f"picture of {name} for {document.id} on {background}".encode(),
                "image/jpeg",
                document.size_px,
                document.id,
                background,
                (mouth,),
                "best",
            )
            for document in order.documents
            for background in ([each.name for each in order.backgrounds] or [document.background])
        ]


@dataclass
class Service:
    client: TestClient
    runner: Runner
    settings: Jobs
    folder: Path

    def post(self, archive: bytes, query: str = "document=us-passport", **headers: str) -> Any:
        """Sends a zip as the body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            f"/v1/jobs?{query}",
            content=archive,
            headers={"content-type": "application/zip", **named},
        )

    def items(self, job_id: str, query: str = "limit=500") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(f"/v1/jobs/{job_id}/items?{query}").json()[
            "items"
        ]
        return found

    def files_on_disk(self) -> list[Path]:
        """Everything but the database and the mark of the storage."""
        found = self.folder.rglob("*")
        return [
            path
            for path in found
            if path.is_file() and "jobs.db" not in path.name and ".idphoto" not in path.name
        ]


def client_of(app: FastAPI) -> TestClient:
    """A client that also speaks WebSocket."""
    return TestClient(app)


class Studio:
    """In the place of the Gateway; no test here asks it for a photo."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def require_room(self) -> None:
        raise AssertionError("not asked")

    photos = checks = cutouts = ready = None
