"""Builds the graph from the settings: the one place that knows every deployment."""

import logging
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, TypeAlias

import ray
from ray import serve
from ray.serve import Application, Deployment
from ray.serve.config import AutoscalingConfig, BackpressureConfig

from deployments import environment
from deployments.compositing import Compositing
from deployments.cropping import Cropping
from deployments.cutouts import Cutouts
from deployments.gateway import Gateway
from deployments.jobs.runner import Runner
from deployments.matting import Matting
from deployments.settings import Scale, Settings
from deployments.statuses import RETRY_AFTER_S
from models import nets
from models.matting import MattingNet
from models.precision import Wanted, check_on_gpu
from models.session import KnownDevice

LoadNets: TypeAlias = Callable[[], dict[str, MattingNet]]

_GPU_BATCH = 8
_GATEWAYS = {"few": 1, "many": 2}
# More photos at a CPU step than that, and Ray starts a further replica.
_STEP_TARGET = 2
_SECRET_BYTES = 32
# Ray replaces a replica that is ill three times in a row.
_HEALTH_PERIOD_S = 5
# After the last moment at which a replica that is to go can still be busy.
_SPARE_S = 10


class DeviceMissing(ValueError):
    """The settings ask for a device that the cluster does not have."""


def build(settings: Settings) -> Application:
    """The application of ``serve_config.yaml``; Ray Serve calls it with the ``args`` given there.

    Asks the cluster for its resources, so Ray must be up. Raises DeviceMissing, and ValueError for
    a precision or runtime that the device does not run.
    """
    device = choose_device(settings, _cluster("GPU"))
    batch = _batch_size(settings, device)
    if device != "cpu":
        check_on_gpu(Wanted(settings.precision, settings.runtime))
    load = partial(
        nets.loader,
        device=device,
        batch=batch,
        threads=_threads(settings, device),
        gpu_share=settings.gpus_per_replica,
        precision=settings.precision,
        runtime=settings.runtime,
        cuda_graphs=settings.cuda_graphs,
        folder=settings.weights_folder,
        log=logging.getLogger("ray.serve"),
    )
    loaders = {name: load(each) for name, each in _nets(settings).items()}
    return graph(settings, device, loaders, runtime_env=ray.get_runtime_context().runtime_env)


def choose_device(settings: Settings, gpus: float) -> KnownDevice:
    """The device that the settings mean in a cluster with this many GPUs. Raises DeviceMissing."""
    if settings.device == "auto":
        return "cuda" if gpus else "cpu"
    if settings.device != "cpu" and not gpus and not settings.gpu_nodes_on_demand:
        raise DeviceMissing(
            f"device is {settings.device}, but the Ray cluster has no GPU: use device auto or cpu, "
            "start Ray on a machine with an NVIDIA driver, or set gpu_nodes_on_demand where an "
            "autoscaler adds GPU nodes."
        )
    return settings.device


def graph(
    settings: Settings,
    device: KnownDevice,
    loaders: Mapping[str | None, LoadNets],
    cpu_steps: tuple[type[Any], type[Any]] = (Cropping, Compositing),
    *,
    runtime_env: Mapping[str, Any] = MappingProxyType({}),
) -> Application:
    """The four deployments, and those of cut-outs and jobs, wired together, with Matting on
    ``device``: one whose nets come from the loader under None, and one for each model of the
    settings. ``cpu_steps`` are the steps before and after it; ``runtime_env`` is the application's.
    """
    cores = max(1, int(_cluster("CPU")))
    sides = {name: nets.sides(each) for name, each in _nets(settings).items()}
    expert_side_px = sides[None].pop("expert", None)
    batch, lanes = _batch_size(settings, device), _lanes(settings, device)
    if device == "cpu":
        share: dict[str, float] = {}
        many = max(1, cores // _threads(settings, device))
        few = min(many, 2)
    else:
        share = {"num_gpus": settings.gpus_per_replica}
        few, many = 1, max(1, int(_cluster("GPU") / settings.gpus_per_replica))

    # A replica holds all that may be in flight, and works on a few: see worker.Worker.
    most = settings.max_photos_in_flight
    _, gateways = _bounds(settings.gateway, **_GATEWAYS)
    in_graph = gateways * most + (settings.jobs.window if settings.jobs else 0)
    scaled = partial(_scaled, settings, environment.of_replica(runtime_env))
    step = partial(scaled, ongoing=in_graph, target=_STEP_TARGET)
    half = max(1, cores // 2)
    before, after = cpu_steps
    cropping = step(few=1, many=half, cpus=0.1)(before, settings.cropping)
    compositing = step(few=1, many=half, cpus=0.1)(after, settings.compositing)
    held = max(in_graph, 3 * batch)

    def matting(
        model: str | None, scale: Scale, *, few: int, many: int, cpus: float
    ) -> Application:
        target = 2 * max(batch, lanes)
        make = scaled(ongoing=held, target=target, few=few, many=many, cpus=cpus, **share)
        deployment = make(Matting, scale).options(
            name=f"Matting-{model}" if model else "Matting",
            user_config={"max_size": batch, "wait_ms": settings.batch.wait_ms},
        )
        return deployment.bind(loaders[model], settings, lanes)

    # Places beyond the photos in flight, so that health checks, pages and refusals still get
    # through.
    gateway = scaled(ongoing=2 * most, target=most, cpus=0.05, **_GATEWAYS)
    cutouts, secret = None, secrets.token_bytes(_SECRET_BYTES)
    if settings.cutouts is not None:
        alone = scaled(ongoing=2 * most, target=most, few=1, many=1, cpus=0.05)
        keeping = alone(Cutouts, Scale())
        cutouts = keeping.bind(settings, settings.cutouts, secret)
    steps: tuple[Application, ...] = (
        cropping.bind(settings, sides),
        matting(None, settings.matting, few=few, many=many, cpus=0.2),
        compositing.bind(settings, expert_side_px, cutouts),
    )
    if settings.jobs is not None:
        one = scaled(ongoing=_STEP_TARGET, target=_STEP_TARGET, few=1, many=1, cpus=0.05)
        runner = one(Runner, Scale())
        steps = (*steps, runner.bind(settings, settings.jobs, *steps))
    models = {
        name: matting(name, model.scale, few=0, many=1, cpus=0.05)
        for name, model in settings.models.items()
    }
    more: dict[str, Any] = {"cutouts": cutouts, "secret": secret, "models": models}
    return gateway(Gateway, settings.gateway).bind(settings, *steps, **more)


def _nets(settings: Settings) -> dict[str | None, dict[str, str]]:
    """Names of nets by role, of the service's own and of each model."""
    return {None: settings.all_nets, **{k: dict(v.nets) for k, v in settings.models.items()}}


def _cluster(resource: str) -> float:
    resources: dict[str, float] = ray.cluster_resources()
    return resources.get(resource, 0)


def _batch_size(settings: Settings, device: KnownDevice) -> int:
    return settings.batch.max_size or (1 if device == "cpu" else _GPU_BATCH)


def _lanes(settings: Settings, device: KnownDevice) -> int:
    """Photos that a Matting replica works on at once: OpenVINO gives each its own thread."""
    is_shared = device == "cpu" and _has_openvino(settings)
    return _threads(settings, device) if is_shared else 1


def _threads(settings: Settings, device: KnownDevice) -> int:
    """Threads of a net on the CPU."""
    if settings.threads_per_replica is not None:
        return settings.threads_per_replica
    several = device == "cpu" and int(_cluster("CPU")) > 1
    return 2 if several and _has_openvino(settings) else 1


def _has_openvino(settings: Settings) -> bool:
    return settings.runtime != "onnxruntime" and find_spec("openvino") is not None


def _bounds(scale: Scale, few: int, many: int) -> tuple[int, int]:
    """The least and the most replicas, where the settings say nothing ``few`` and ``many``."""
    least = scale.min_replicas or few
    return least, max(least, scale.max_replicas or many)


def _scaled(
    settings: Settings,
    runtime_env: Mapping[str, Any],
    *,
    ongoing: int,
    target: float,
    few: int,
    many: int,
    cpus: float,
    **resources: float,
) -> Callable[[type[Any], Scale], Deployment]:
    """A way to deploy a class with bounded queues and autoscaling."""

    def deploy(cls: type[Any], scale: Scale) -> Deployment:
        least, most = _bounds(scale, few, many)
        # Not on a GPU: it may be full.
        room = scale.cpus_per_replica is None and "num_gpus" not in resources
        longest_s = settings.deadline_s
        if cls is Gateway:
            starts_s = [model.start_s for model in settings.models.values()]
            longest_s += settings.upload_s + max(starts_s, default=0)
        make: Callable[[type[Any]], Deployment] = serve.deployment(
            name=cls.__name__,
            max_ongoing_requests=ongoing,
            max_queued_requests=settings.max_photos_in_flight,
            backpressure_config=BackpressureConfig(status_code=429, retry_after_s=RETRY_AFTER_S),
            ray_actor_options={
                "num_cpus": cpus if scale.cpus_per_replica is None else scale.cpus_per_replica,
                "runtime_env": runtime_env,
                **resources,
            },
            health_check_period_s=_HEALTH_PERIOD_S,
            graceful_shutdown_timeout_s=longest_s + _SPARE_S,
            # New ones stand beside the old ones before these go. Without the room Ray would wait
            # for it for ever.
            max_surge_percent=100 if room else 0,
            autoscaling_config=AutoscalingConfig(
                min_replicas=least,
                max_replicas=most,
                target_ongoing_requests=scale.target_ongoing or target,
                upscale_delay_s=scale.upscale_delay_s,
                downscale_delay_s=scale.downscale_delay_s,
            ),
        )
        return make(cls)

    return deploy
