"""The work of a net, counted by hand for one of two layers."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.roofline import Work, work

SIDE = 8


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """3x3 convolution with stride 2 from 3 to 4 channels, ReLU, and a depthwise 1x1."""
    weights = [
        numpy_helper.from_array(np.zeros((4, 3, 3, 3), np.float32), "first"),
        numpy_helper.from_array(np.zeros((4, 1, 1, 1), np.float32), "second"),
    ]
    nodes = [
        helper.make_node("Conv", ["in", "first"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["out"], group=4),
    ]
    given = helper.make_tensor_value_info("in", TensorProto.FLOAT, ["N", 3, "H", "W"])
    made = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", 4, None, None])
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "net", [given], [made], weights)), path)
    return path


def test_work_is_counted_from_the_shapes(model: Path) -> None:
    made = 4 * 4 * 4  # channels, height, width
    assert work(model, SIDE) == Work(
        flops=2 * made * 27 + 2 * made,
        activations=3 * SIDE * SIDE + made + made + made,
        weights=4 * 27 + 4,
    )


@pytest.mark.parametrize(
    ("flops_per_s", "bytes_per_s", "expected_s"),
    [(10, 1e9, 2 * 100 / 10), (1e9, 10, (2 * 30 + 5) * 4 / 10)],
)
def test_roof_is_the_slower_of_arithmetic_and_memory(
    flops_per_s: float, bytes_per_s: float, expected_s: float
) -> None:
    assert Work(100, 30, 5).roof_s(2, flops_per_s, bytes_per_s, 4) == pytest.approx(expected_s)
