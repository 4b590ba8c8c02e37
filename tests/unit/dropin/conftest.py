"""What the tests of the interfaces of other services share."""

from collections.abc import Callable
from typing import Any

import pytest

from deployments import problems, routes
from deployments.settings import Dropin, Key, Settings
from models import weights
from models.faces import FaceDetector
from models.matting import MattingNet
from tests.unit.dropin.local import Studio
from tests.unit.jobs.service import client_of

Clients = Callable[..., Any]


@pytest.fixture(scope="session")
def faces() -> FaceDetector:
    return FaceDetector(weights.fetch("mtcnn"), threads=2)


@pytest.fixture
def make_client(
    nets: dict[str, MattingNet], faces: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> Clients:
    """A client of a service with all three, and with these settings."""
    monkeypatch.setattr(problems, "request_id", lambda: "a-request")

    def make(keys: tuple[Key, ...] = (), dropin: Dropin | None = None, **given: object) -> Any:
        switched = dropin or Dropin(rembg=True, hivision=True, removebg=True)
        settings = Settings(jobs=None, cutouts=None, keys=keys, dropin=switched, **given)  # type: ignore[arg-type]
        studio = Studio(settings, nets, faces)
        return client_of(routes.build(studio))  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(make_client: Clients) -> Any:
    return make_client()
