from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from models import weights
from models.prelu import open_replaced, replaced
from models.session import SessionOptions

Planes = npt.NDArray[np.float32]
SLOPES = np.array([0.25, -0.5, 1.0, 0.0, 3.0], np.float32)


def net(slopes: Planes) -> ModelProto:
    """Five planes through a PRelu, whose slopes have any shape, and on."""
    shape: list[str | int | None] = ["N", 5, "H", "W"]
    graph = helper.make_graph(
        [
            helper.make_node("PRelu", ["x", "slopes"], ["bent"]),
            helper.make_node("Neg", ["bent"], ["y"]),
        ],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(slopes, "slopes")],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def run(model: ModelProto, planes: Planes) -> list[Planes]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    outputs: list[Planes] = session.run(None, {session.get_inputs()[0].name: planes})
    return outputs


def kinds(model: ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


@pytest.fixture
def planes() -> Planes:
    return np.random.default_rng(3).normal(size=(2, 5, 7, 9)).astype(np.float32)


@pytest.mark.parametrize("most", [1.0, 3.0])
@pytest.mark.parametrize("shape", [(5, 1, 1), (1, 5, 1, 1)])
def test_slopes_of_channels_are_replaced_and_compute_the_same(
    shape: tuple[int, ...], most: float, planes: Planes
) -> None:
    bounded = np.minimum(SLOPES, np.float32(most))
    model = replaced(net(bounded.reshape(shape)))
    assert "PRelu" not in kinds(model)
    onnx.checker.check_model(model, full_check=True)
    slopes = bounded[:, None, None]
    expected = -np.where(planes > 0, planes, slopes * planes)
    np.testing.assert_allclose(run(model, planes)[0], expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1,), (5, 1, 9), (1, 7, 1)])
def test_other_slopes_stay(shape: tuple[int, ...], planes: Planes) -> None:
    slopes = np.full(shape, 0.25, np.float32)
    model = replaced(net(slopes))
    assert "PRelu" in kinds(model)
    expected = -np.where(planes > 0, planes, 0.25 * planes)
    np.testing.assert_allclose(run(model, planes)[0], expected, atol=1e-6)


def test_slopes_that_are_computed_stay(planes: Planes) -> None:
    model = net(SLOPES.reshape(5, 1, 1))
    model.graph.node[0].input[1] = "negated"
    model.graph.node.insert(0, helper.make_node("Neg", ["slopes"], ["negated"]))
    assert "PRelu" in kinds(replaced(model))
    np.testing.assert_array_equal(run(replaced(model), planes)[0], run(model, planes)[0])


@pytest.mark.parametrize(
    ("name", "count", "side"), [("pnet", 1, 40), ("rnet", 3, 24), ("onet", 3, 48)]
)
def test_mtcnn_is_the_same_without(name: str, count: int, side: int) -> None:
    path = weights.fetch("mtcnn")[name]
    planes = np.random.default_rng(4).uniform(-1, 1, (count, 3, side, side)).astype(np.float32)
    before = run(onnx.load(path), planes)
    session = open_replaced(path, SessionOptions(device="cpu", threads=1))
    for one, other in zip(before, session.run(None, {"input": planes}), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def test_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(net(SLOPES.reshape(5, 1, 1)), path)
    before = path.read_bytes()
    open_replaced(path, SessionOptions(device="cpu", threads=1))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]
