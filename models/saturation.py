"""Whether this CPU adds up products of 8-bit numbers exactly."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from models.runtimes import Runtime, open_run
from models.session import SessionOptions

_CHANNELS = 16
_SIDE_PX = 8
_KERNEL_PX = 3
_EXACT = 200


@cache
def saturates(runtime: Runtime = "onnxruntime") -> bool:
    """True where the runtime's int8 convolutions cut off large sums on this CPU.

    x86 CPUs without int8 dot products (AVX-512 VNNI, AVX-VNNI) add pairs of products in 16 bits:
    https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html and
    https://docs.openvino.ai/2023.3/pot_saturation_issue.html. So the greatest numbers are
    convolved, and the sum is looked at, which needs no list of CPUs.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "greatest_products.onnx"
        onnx.save(greatest_products(), path)
        run = open_run(path, runtime, SessionOptions(device="cpu"))
    picture = np.full((1, _CHANNELS, _SIDE_PX, _SIDE_PX), 255, np.float32)
    return bool((run(picture) != _EXACT).any())


def greatest_products() -> ModelProto:
    """A convolution, written as in the int8 nets, of uint8 by int8 weights of 127 that makes
    ``_EXACT`` of 255 everywhere.
    """
    products = _CHANNELS * _KERNEL_PX**2
    constants: dict[str, np.ndarray] = {
        "one": np.array(1, np.float32),
        "zero_uint8": np.array(0, np.uint8),
        "zero_int8": np.array(0, np.int8),
        "weights": np.full((_CHANNELS, _CHANNELS, _KERNEL_PX, _KERNEL_PX), 127, np.int8),
        "output_scale": np.array(255 * 127 * products / _EXACT, np.float32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["picture", "one", "zero_uint8"], ["picture_q"]),
        helper.make_node("DequantizeLinear", ["picture_q", "one", "zero_uint8"], ["picture_f"]),
        helper.make_node("DequantizeLinear", ["weights", "one", "zero_int8"], ["kernel"]),
        helper.make_node("Conv", ["picture_f", "kernel"], ["sums_f"]),
        helper.make_node("QuantizeLinear", ["sums_f", "output_scale", "zero_uint8"], ["sums_q"]),
        helper.make_node("DequantizeLinear", ["sums_q", "one", "zero_uint8"], ["sums"]),
    ]
    given: list[str | int | None] = ["N", _CHANNELS, _SIDE_PX, _SIDE_PX]
    side_px = _SIDE_PX - _KERNEL_PX + 1
    made: list[str | int | None] = ["N", _CHANNELS, side_px, side_px]
    graph = helper.make_graph(
        nodes,
        "greatest products",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, given)],
        [helper.make_tensor_value_info("sums", TensorProto.FLOAT, made)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13)]
    model: ModelProto = helper.make_model(graph, ir_version=8, opset_imports=opsets)
    onnx.checker.check_model(model, full_check=True)
    return model
