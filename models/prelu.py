"""PRelu in operators that ONNX Runtime computes fast.

Its kernel for PRelu on the CPU is a plain loop, and keeps the convolutions around it out of the
blocked layout (NCHWc): two thirds of the time of the face mesh and of the iris net went there.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from models.session import SessionOptions, open_session


def replaced(model: ModelProto) -> ModelProto:
    """The same net without PRelu on planes; equal but for the rounding of float32.

    With a slope s for each channel PRelu(x) is s x + (1 - s) max(x, 0): a Relu, and two depthwise
    convolutions of one pixel that are added. Slopes of other shapes stay as they are.
    """
    slopes = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []
    for node in model.graph.node:
        slope = slopes.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is None or not _is_per_channel(slope):
            nodes.append(node)
            continue
        more, weights = _spread(node, numpy_helper.to_array(slope).reshape(-1, 1, 1, 1))
        nodes += more
        constants += weights
    read = {name for node in nodes for name in node.input}
    constants += [tensor for tensor in slopes.values() if tensor.name in read]
    graph = helper.make_graph(
        nodes, model.graph.name, model.graph.input, model.graph.output, constants
    )
    return helper.make_model(graph, ir_version=model.ir_version, opset_imports=model.opset_import)


def open_replaced(model: Path, options: SessionOptions) -> onnxruntime.InferenceSession:
    """A session of the net in the file ``model`` without PRelu.

    Raises ProviderUnavailable as ``open_session`` does.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / model.name
        onnx.save(replaced(onnx.load(model)), path)
        return open_session(path, options)


def _is_per_channel(slope: TensorProto) -> bool:
    """Cx1x1 or 1xCx1x1; a single slope says nothing of the number of channels."""
    dims = list(slope.dims)
    channels = max(dims, default=1)
    return channels > 1 and dims in ([channels, 1, 1], [1, channels, 1, 1])


def _spread(
    node: NodeProto, slope: np.ndarray
) -> tuple[tuple[NodeProto, ...], tuple[TensorProto, ...]]:
    given, result = node.input[0], node.output[0]
    positive, both, rest = (f"{result}/{part}" for part in ("positive", "both", "rest"))
    names = f"{result}/slope", f"{result}/rest_of_slope"

    def scaled(planes: str, weights: str, to: str) -> NodeProto:
        return helper.make_node(
            "Conv", [planes, weights], [to], kernel_shape=[1, 1], group=len(slope)
        )

    if (slope <= 1).all():
        # A Relu after a convolution is done in it.
        bent = scaled(given, names[1], positive), helper.make_node("Relu", [positive], [rest])
    else:
        bent = helper.make_node("Relu", [given], [positive]), scaled(positive, names[1], rest)
    nodes = (
        *bent,
        scaled(given, names[0], both),
        helper.make_node("Add", [both, rest], [result]),
    )
    values = slope, (1 - slope).astype(slope.dtype)
    weights = (numpy_helper.from_array(v, name) for v, name in zip(values, names, strict=True))
    return nodes, tuple(weights)
