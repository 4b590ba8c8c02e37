"""The bounds of all that can wait, derived from what is deployed for the settings."""

from pathlib import Path
from typing import Any

import pytest
import ray

from deployments.app import graph
from deployments.settings import Settings

ARCHITECTURE = Path(__file__).parents[3] / "ARCHITECTURE.md"
# serve_config.yaml: proxy_location HeadOnly.
PROXIES = 1
STEPS = ("Cropping", "Matting", "Compositing")


def deployed(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> dict[str, Any]:
    """The deployments for these settings on a machine with four cores, by name."""
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4.0})
    gateway: Any = graph(Settings(**settings), "cpu", dict)._bound_deployment
    steps = [application._bound_deployment for application in gateway.init_args[1:]]
    return {deployment.name: deployment for deployment in (gateway, *steps)}


def replicas(deployment: Any) -> tuple[int, int]:
    """Least and most."""
    scaling = deployment._deployment_config.autoscaling_config
    return scaling.min_replicas, scaling.max_replicas


def open_requests(found: dict[str, Any]) -> int:
    """Requests that the proxies keep waiting and the Gateways have: all else is refused."""
    gateway = found["Gateway"]
    waiting: int = PROXIES * gateway.max_queued_requests
    held: int = replicas(gateway)[1] * gateway.max_ongoing_requests
    return waiting + held


def photos_in_graph(found: dict[str, Any]) -> int:
    """Those that the Gateways have admitted, and those that the runners of jobs have begun."""
    settings: Settings = found["Gateway"].init_args[0]
    of_requests = replicas(found["Gateway"])[1] * settings.max_photos_in_flight
    if settings.jobs is None:
        return of_requests
    return of_requests + replicas(found["Runner"])[1] * settings.jobs.window


@pytest.mark.parametrize(
    ("settings", "requests", "photos"),
    [
        ({}, 80, 32 + 4),
        ({"gateway": {"min_replicas": 2}}, 80, 32 + 4),
        ({"gateway": {"min_replicas": 3}}, 112, 48 + 4),
        ({"max_photos_in_flight": 4}, 20, 8 + 4),
        ({"jobs": {"window": 10}}, 80, 32 + 10),
        ({"jobs": None}, 80, 32),
    ],
)
def test_the_settings_bound_what_is_held(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], requests: int, photos: int
) -> None:
    found = deployed(monkeypatch, **settings)
    assert (open_requests(found), photos_in_graph(found)) == (requests, photos)


@pytest.mark.parametrize("most", [1, 16, 40])
def test_no_admitted_photo_is_refused_behind_the_gateway(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Each Gateway's queue before a step takes all its photos, were every replica of it full."""
    found = deployed(monkeypatch, max_photos_in_flight=most)
    assert all(found[step].max_queued_requests >= most for step in STEPS)


def test_nothing_waits_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for deployment in deployed(monkeypatch).values():
        assert deployment.max_queued_requests > 0, "-1 is Ray's for no bound"
        assert 0 < deployment.max_ongoing_requests < 100


def test_the_figures_in_the_architecture_are_those_of_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = deployed(monkeypatch)
    gateway, (_, gateways) = found["Gateway"], replicas(found["Gateway"])
    settings: Settings = gateway.init_args[0]
    assert settings.jobs is not None
    waiting, held = gateway.max_queued_requests, gateway.max_ongoing_requests
    photos, window = settings.max_photos_in_flight, settings.jobs.window
    text = ARCHITECTURE.read_text("utf-8")
    sums = (
        f"{PROXIES} x {waiting} + {gateways} x {held} = {open_requests(found)} requests",
        f"{gateways} x {photos} + 1 x {window} = {photos_in_graph(found)} photos",
    )
    assert all(told in text for told in sums), sums
