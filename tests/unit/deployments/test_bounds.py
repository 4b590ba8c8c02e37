"""The bounds of all that can wait, derived from what is deployed for the settings."""

from pathlib import Path
from typing import Any

import pytest
import ray
from ray.serve import Application

from deployments.app import graph
from deployments.settings import Settings
from models.session import KnownDevice

ARCHITECTURE = Path(__file__).parents[3] / "ARCHITECTURE.md"
# serve_config.yaml: proxy_location HeadOnly.
PROXIES = 1
STEPS = ("Cropping", "Matting", "Compositing")


def deployed(
    monkeypatch: pytest.MonkeyPatch,
    cores: float = 4,
    *,
    device: KnownDevice = "cpu",
    openvino: bool = True,
    **settings: Any,
) -> dict[str, Any]:
    """The deployments for these settings on a machine with so many cores, by name."""
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": cores, "GPU": 1.0})
    monkeypatch.setattr("deployments.app.find_spec", lambda _: openvino or None)
    wanted = Settings(**settings)
    loaders: Any = dict.fromkeys((None, *wanted.models), dict)
    gateway: Any = graph(wanted, device, loaders)._bound_deployment
    named = gateway.init_kwargs
    given = (*gateway.init_args, *named.values(), *named["models"].values())
    steps = [each._bound_deployment for each in given if isinstance(each, Application)]
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


@pytest.mark.parametrize(
    "settings", [{}, {"gateway": {"min_replicas": 3}}, {"jobs": None}, {"jobs": {"window": 40}}]
)
def test_one_replica_of_a_step_takes_all_photos(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """Refused by a full one, Ray's router sleeps, and photos that come later go first."""
    found = deployed(monkeypatch, **settings)
    photos = photos_in_graph(found)
    assert all(found[step].max_ongoing_requests == photos for step in STEPS)


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


def share(deployment: Any) -> float:
    """Of a core, as Ray counts it for one replica."""
    found: float = deployment.ray_actor_options["num_cpus"]
    return found


def stands_beside(deployment: Any) -> bool:
    """Whether new replicas come before the old ones go."""
    return bool(deployment._deployment_config.max_surge_percent)


@pytest.mark.parametrize("cores", [1, 2, 4, 64])
def test_there_is_room_for_a_new_replica_beside_the_old_ones(
    monkeypatch: pytest.MonkeyPatch, cores: float
) -> None:
    """With all that autoscaling may start, and two Gateways: without room Ray waits for ever."""
    models = {"other": {"nets": {"saliency": "u2netp"}}}
    found = deployed(monkeypatch, cores, gateway={"min_replicas": 2}, models=models).values()
    taken = sum(replicas(each)[1] * share(each) for each in found)
    assert taken + max(share(each) for each in found if stands_beside(each)) <= cores


@pytest.mark.parametrize("step", STEPS)
def test_the_old_replica_goes_first_where_room_is_not_certain(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    assert stands_beside(deployed(monkeypatch)[step])
    assert stands_beside(deployed(monkeypatch, device="cuda")[step]) == (step != "Matting")
    settings = {step.lower(): {"cpus_per_replica": 1}}
    assert not stands_beside(deployed(monkeypatch, **settings)[step])


@pytest.mark.parametrize(
    ("cores", "openvino", "settings", "expected"),
    [
        (1, True, {}, (1, 1)),
        (2, True, {}, (1, 1)),
        (8, True, {}, (2, 4)),
        # One thread each.
        (2, False, {}, (2, 2)),
        (8, False, {}, (2, 8)),
        (8, True, {"runtime": "onnxruntime"}, (2, 8)),
        (8, False, {"threads_per_replica": 4}, (2, 2)),
        (8, True, {"threads_per_replica": 16}, (1, 1)),
        (8, True, {"matting": {"max_replicas": 6}}, (2, 6)),
    ],
)
def test_the_threads_of_the_nets_fill_the_cores(
    monkeypatch: pytest.MonkeyPatch,
    cores: float,
    openvino: bool,
    settings: dict[str, Any],
    expected: tuple[int, int],
) -> None:
    found = deployed(monkeypatch, cores, openvino=openvino, **settings)
    assert replicas(found["Matting"]) == expected


def test_what_is_begun_may_end_before_its_replica_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = deployed(monkeypatch, deadline_s=100, upload_s=50)
    given_s = {
        name: each._deployment_config.graceful_shutdown_timeout_s for name, each in found.items()
    }
    assert all(given_s[step] > 100 for step in STEPS)
    assert given_s["Gateway"] > 150


def test_nets_that_nobody_asks_take_no_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    nets = {"saliency": "u2netp"}
    models = {"rare": {"nets": nets}, "often": {"nets": nets, "scale": {"min_replicas": 2}}}
    found = deployed(monkeypatch, models=models, deadline_s=10, upload_s=50)
    assert replicas(found["Matting-rare"]) == (0, 1)
    assert replicas(found["Matting-often"]) == (2, 2)
    gateway = found["Gateway"]._deployment_config
    assert gateway.graceful_shutdown_timeout_s > 10 + 50 + 30


def test_what_is_kept_lies_in_one_replica_that_takes_all_that_the_gateways_may_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = deployed(monkeypatch)
    cutouts, (_, gateways) = found["Cutouts"], replicas(found["Gateway"])
    settings: Settings = found["Gateway"].init_args[0]
    assert settings.cutouts is not None
    photos, held = settings.max_photos_in_flight, cutouts.max_ongoing_requests
    assert replicas(cutouts) == (1, 1)
    told = (
        f"{gateways} x {photos} = {held} calls",
        f"`cutouts.max_mb` ({settings.cutouts.max_mb:g})",
        f"`cutouts.keep_minutes` ({settings.cutouts.keep_minutes:g})",
    )
    text = ARCHITECTURE.read_text("utf-8")
    assert all(sentence in text for sentence in told), told


def test_nothing_is_deployed_for_cutouts_that_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Cutouts" not in deployed(monkeypatch, cutouts=None)
