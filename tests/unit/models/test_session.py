import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models import session
from models.session import (
    Device,
    KnownDevice,
    ProviderUnavailable,
    SessionOptions,
    open_session,
    resolve_device,
)

WITHOUT_GPU = pytest.mark.skipif(resolve_device("auto") != "cpu", reason="this machine has a GPU")
WITH_GPU = pytest.mark.skipif(resolve_device("auto") != "cuda", reason="this machine has no GPU")


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A model that doubles a vector."""
    vector = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in "xy"]
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    graph = helper.make_graph(nodes, "doubling", vector[:1], vector[1:])
    path = tmp_path / "doubling.onnx"
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=opsets), path)
    return path


@pytest.mark.parametrize(
    "device", ["cpu", pytest.param("auto", marks=WITHOUT_GPU), pytest.param("cuda", marks=WITH_GPU)]
)
def test_a_session_runs_on_the_device_that_was_asked_for(device: Device, doubling: Path) -> None:
    opened = open_session(doubling, SessionOptions(device=device))
    name = {"cpu": "CPU", "auto": "CPU", "cuda": "CUDA"}[device]
    assert opened.get_providers()[0] == f"{name}ExecutionProvider"
    np.testing.assert_array_equal(opened.run(None, {"x": np.array([1, 2], np.float32)})[0], [2, 4])


def test_threads_are_set(doubling: Path) -> None:
    settings = open_session(doubling, SessionOptions("cpu", threads=3)).get_session_options()
    assert settings.intra_op_num_threads == 3
    assert settings.inter_op_num_threads == 1


@WITHOUT_GPU
@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_a_gpu_that_is_not_there_is_an_error_and_never_the_cpu(
    device: Device, doubling: Path
) -> None:
    with pytest.raises(ProviderUnavailable, match=r"was asked for and cannot be used: .*NVIDIA"):
        open_session(doubling, SessionOptions(device))


@WITHOUT_GPU
@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_a_silent_fall_back_of_onnx_runtime_is_noticed(
    device: Device, doubling: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_why_no_gpu", lambda device: None)
    with pytest.raises(ProviderUnavailable, match=r"cannot be used: lib\w+\.so"):
        open_session(doubling, SessionOptions(device))


def test_a_build_without_the_provider_is_named(
    doubling: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_cpu = ["CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: only_cpu)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(ProviderUnavailable, match="was built without it"):
        open_session(doubling, SessionOptions("cuda"))


def test_auto_takes_the_gpu_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_why_no_gpu", lambda device: None)
    assert resolve_device("auto") == "cuda"


@pytest.mark.parametrize("device", ["cpu", "cuda", "tensorrt"])
def test_a_named_device_is_left_as_it_is(device: KnownDevice) -> None:
    assert resolve_device(device) == device


def test_a_model_that_is_broken_is_not_called_a_missing_device(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(Exception, match="INVALID_PROTOBUF") as caught:
        open_session(path, SessionOptions("cpu"))
    assert not isinstance(caught.value, ProviderUnavailable)


def test_the_share_of_the_memory_is_given_to_cuda_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.gpu.total_memory_bytes", lambda: 8 * 2**30)
    (name, chosen), _ = session._providers("cuda", SessionOptions(gpu_memory_share=0.25))
    assert name == "CUDAExecutionProvider"
    assert chosen["gpu_mem_limit"] == "2147483648"
    assert "gpu_mem_limit" not in session._cuda_options(SessionOptions())


def test_tensorrt_comes_before_cuda_and_keeps_its_engines(tmp_path: Path) -> None:
    options = SessionOptions(tensorrt_cache=tmp_path / "engines", precision="fp16")
    (first, chosen), (second, _), (third, _) = session._providers("tensorrt", options)
    assert [first, second, third] == [
        "TensorrtExecutionProvider",
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    ]
    assert chosen["trt_fp16_enable"] == "True"
    assert Path(chosen["trt_engine_cache_path"]).is_relative_to(tmp_path / "engines")
    assert Path(chosen["trt_engine_cache_path"]).is_dir()


def test_tensorrt_keeps_an_engine_for_each_shape_and_their_timings_together(tmp_path: Path) -> None:
    engines, timings = set(), set()
    for axes in ({}, {"N": 1, "H": 8}, {"N": 2, "H": 8}, {"N": 2, "H": 16}):
        options = SessionOptions(tensorrt_cache=tmp_path, fixed_axes=axes)
        chosen = session._tensorrt_options(options)
        engines.add(chosen["trt_engine_cache_path"])
        timings.add(chosen["trt_timing_cache_path"])
    assert (len(engines), len(timings)) == (4, 1)
    assert "trt_engine_cache_enable" not in session._tensorrt_options(SessionOptions())


@pytest.mark.parametrize(
    ("device", "graphs", "on_cuda", "on_tensorrt"),
    [
        ("cuda", False, "0", None),
        ("cuda", True, "1", None),
        ("tensorrt", False, None, "False"),
        # CUDA is there for what TensorRT cannot run, and then there is no graph.
        ("tensorrt", True, None, "True"),
    ],
)
def test_graphs_are_asked_of_the_device_that_runs_the_net(
    device: KnownDevice, graphs: bool, on_cuda: str | None, on_tensorrt: str | None
) -> None:
    chosen = dict(session._providers(device, SessionOptions(cuda_graphs=graphs)))
    assert chosen["CUDAExecutionProvider"].get("enable_cuda_graph") == on_cuda
    tensorrt = chosen.get("TensorrtExecutionProvider", {})
    assert tensorrt.get("trt_cuda_graph_enable") == on_tensorrt


@pytest.mark.parametrize(("tf32", "said"), [(True, "1"), (False, "0")])
def test_tf32_is_told_to_cuda(tf32: bool, said: str) -> None:
    assert session._cuda_options(SessionOptions(tf32=tf32))["use_tf32"] == said


def test_graphs_and_tf32_say_nothing_to_the_cpu() -> None:
    assert session._providers("cpu", SessionOptions(cuda_graphs=True)) == [
        ("CPUExecutionProvider", {})
    ]


@pytest.mark.parametrize(
    ("axes", "shape"), [({}, ["N"]), ({"N": 3}, [3]), ({"N": 3, "other": 5}, [3])]
)
def test_axes_are_fixed_by_name(doubling: Path, axes: dict[str, int], shape: list[object]) -> None:
    opened = open_session(doubling, SessionOptions("cpu", fixed_axes=axes))
    assert opened.get_inputs()[0].shape == shape


def test_onnx_runtime_does_not_report_to_its_maker(doubling: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from models.session import *;"
        "open_session(Path(sys.argv[1]), SessionOptions('cpu'))"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    environment["PYTHONPATH"] = str(Path(session.__file__).parents[1])
    command = [sys.executable, "-c", script, str(doubling)]
    subprocess.run(command, env=environment, check=True)
    assert not list(home.rglob("onnxruntime.db"))
