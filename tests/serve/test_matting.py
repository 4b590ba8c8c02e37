"""How Matting batches, shares GPUs and takes new settings, with a slow net for the real one."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from ray import serve
from ray.serve.context import _get_global_client
from ray.serve.schema import ServeDeploySchema

from deployments.app import DeviceMissing, build, choose_device
from deployments.settings import Settings
from pipeline.errors import DeadlinePassed
from tests.serve import slow

FRAME = np.zeros((320, 320, 3), np.uint8)
FRAMES = {role: (FRAME,) for role in ("size", "abreast", "gpu", "replica")}


@pytest.fixture
def log(address: str, tmp_path: Path) -> Iterator[Path]:
    """Where the slow application notes each loading of its nets; it is gone after the test."""
    yield tmp_path / "log"
    serve.delete(slow.NAME)


def matting(log: Path, **args: Any) -> Any:
    """A handle of the slow application's Matting."""
    app = slow.build({"seconds": 0.3, "batch": 8, "log": log, **args})
    serve.run(app, name=slow.NAME, route_prefix="/slow")
    return serve.get_deployment_handle("Matting", slow.NAME)


def ask(handle: Any, within_s: float = 60) -> Any:
    return handle.remote(FRAMES, time.time() + within_s)


def told(response: Any, role: str = "size") -> int:
    return int(response.result(timeout_s=60)[role][0][0, 0])


def test_a_steady_trickle_is_batched(log: Path) -> None:
    handle = matting(log)
    responses = []
    for _ in range(24):
        responses.append(ask(handle))
        time.sleep(0.06)
    sizes = [told(response) for response in responses]
    assert max(sizes) > 2
    assert sum(size > 1 for size in sizes) > 12


def test_each_net_answers_for_the_frames_that_it_is_asked_about(log: Path) -> None:
    handle = matting(log, seconds=0.05)
    wishes: list[dict[str, tuple[Any, ...]]] = [
        {"size": (FRAME,)},
        {"gpu": (FRAME, FRAME), "replica": (FRAME,)},
        {"size": (FRAME,), "gpu": ()},
    ]
    responses = [handle.remote(wish, time.time() + 60) for wish in wishes]
    for wish, response in zip(wishes, responses, strict=True):
        answer = response.result(timeout_s=60)
        counts = {role: len(alphas) for role, alphas in answer.items()}
        assert counts == {role: len(frames) for role, frames in wish.items()}


def test_late_photos_are_dropped_and_the_others_are_not(log: Path) -> None:
    handle = matting(log)
    first = ask(handle)
    late = [ask(handle, within_s=0.01) for _ in range(10)]
    in_time = [ask(handle) for _ in range(3)]
    assert told(first) >= 1
    assert any(isinstance(response.result(), DeadlinePassed) for response in late)
    assert all(told(response) >= 1 for response in in_time)


def test_photos_whose_client_left_do_not_block_the_gate(log: Path) -> None:
    handle = matting(log, batch=1)
    for response in [ask(handle) for _ in range(3)]:
        response.cancel()
    assert told(ask(handle)) == 1


@pytest.mark.parametrize(("batch", "threads", "most"), [(1, 1, 1), (1, 2, 2), (4, 2, 1)])
def test_each_thread_works_on_a_photo_unless_they_are_collected(
    log: Path, batch: int, threads: int, most: int
) -> None:
    handle = matting(log, batch=batch, threads=threads)
    responses = [ask(handle) for _ in range(8)]
    assert max(told(response, "abreast") for response in responses) == most


def test_user_config_changes_the_batch_without_a_restart(log: Path) -> None:
    def deploy(max_size: int) -> None:
        application = {
            "name": slow.NAME,
            "route_prefix": "/slow",
            "import_path": "tests.serve.slow:build",
            "args": {"seconds": 0.1, "batch": 1, "log": str(log)},
            "deployments": [
                {"name": "Matting", "user_config": {"max_size": max_size, "wait_ms": 0}}
            ],
        }
        config = ServeDeploySchema.model_validate({"applications": [application]})
        _get_global_client().deploy_apps(config, _blocking=True)

    def sizes() -> set[int]:
        handle = serve.get_deployment_handle("Matting", slow.NAME)
        return {told(response) for response in [ask(handle) for _ in range(6)]}

    deploy(max_size=1)
    assert sizes() == {1}
    deploy(max_size=4)
    assert max(sizes()) > 1
    assert log.read_text() == "loaded\n"


def test_replicas_share_the_first_gpu(log: Path) -> None:
    before = ray.available_resources()["GPU"]
    handle = matting(log, device="cuda", replicas=2, batch=1)
    assert ray.available_resources()["GPU"] == pytest.approx(before - 2 * 0.25)
    responses = [ask(handle) for _ in range(8)]
    assert len({told(response, "replica") for response in responses}) == 2
    assert {told(response, "gpu") for response in responses} == {0}


@pytest.mark.parametrize(
    ("device", "gpus", "chosen"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda"),
        ("cpu", 2, "cpu"),
        ("cuda", 1, "cuda"),
        ("tensorrt", 1, "tensorrt"),
    ],
)
def test_the_device_follows_the_settings_and_the_cluster(
    device: Any, gpus: int, chosen: str
) -> None:
    assert choose_device(Settings(device=device), gpus) == chosen


def test_a_gpu_that_the_cluster_lacks_is_refused_with_a_reason() -> None:
    with pytest.raises(DeviceMissing, match="device is cuda, but the Ray cluster has no GPU"):
        choose_device(Settings(device="cuda"), gpus=0)
    assert choose_device(Settings(device="cuda", gpu_nodes_on_demand=True), gpus=0) == "cuda"


def test_a_gpu_that_the_machine_lacks_fails_the_start_with_a_reason(log: Path) -> None:
    # Ray was told of GPUs that do not exist.
    with pytest.raises(RuntimeError):
        serve.run(build(Settings(device="cuda")), name=slow.NAME, route_prefix="/slow")
    message = serve.status().applications[slow.NAME].deployments["Matting"].message
    assert "CUDAExecutionProvider was asked for and cannot be used: no NVIDIA driver" in message
