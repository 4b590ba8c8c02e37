"""How much a net computes and moves, and how fast a device could do so at best.

The roofline model: S. Williams, A. Waterman, D. Patterson, Communications of the ACM 52 (2009) 65.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

_FLOPS_OPS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
# What a compiler does along with the node before it, without a way to memory and back.
_FUSED = (
    *("Relu", "Clip", "Sigmoid", "Add", "Mul", "Sub", "Div", "BatchNormalization", "HardSwish"),
    *("HardSigmoid", "PRelu", "Cast", "Reshape", "Identity", "Constant", "Unsqueeze", "Squeeze"),
)


@dataclass(frozen=True, slots=True)
class Work:
    """Of one photo; elements become bytes with the width of a number."""

    flops: float
    """Two for each multiplication with its addition; convolutions and matrix products only."""
    activations: float
    """Elements that its nodes read and write, those of fused ones aside."""
    weights: float
    """Elements that are read once for each batch."""

    def roof_s(self, batch: int, flops_per_s: float, bytes_per_s: float, item_bytes: int) -> float:
        """Seconds of a batch at the peaks of a device that fuses nodes as above and keeps nothing
        else in its caches.
        """
        moved = (batch * self.activations + self.weights) * item_bytes
        return max(batch * self.flops / flops_per_s, moved / bytes_per_s)


def work(model: Path, side_px: int) -> Work:
    """The work of an ONNX net that takes 1 x 3 x side x side."""
    net = onnx.load(model)
    shape = net.graph.input[0].type.tensor_type.shape
    for dim, size in zip(shape.dim, (1, 3, side_px, side_px), strict=True):
        dim.dim_value = size
    graph = onnx.shape_inference.infer_shapes(net, data_prop=True).graph
    values = (*graph.input, *graph.output, *graph.value_info)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    weights = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    flops = activations = 0.0
    for node in graph.node:
        if node.op_type in _FLOPS_OPS:
            flops += _flops(node, shapes, weights)
        if node.op_type not in _FUSED:
            names = (name for name in (*node.input, *node.output) if name not in weights)
            activations += sum(math.prod(shapes[name]) for name in names if shapes.get(name))
    return Work(flops, activations, float(sum(math.prod(dims) for dims in weights.values())))


def _flops(
    node: onnx.NodeProto, shapes: Mapping[str, list[int]], weights: Mapping[str, list[int]]
) -> float:
    given, made = shapes[node.input[0]], shapes[node.output[0]]
    if node.op_type == "Conv":  # weights: out, in / groups, height, width
        return 2.0 * math.prod(made) * math.prod(weights[node.input[1]][1:])
    if node.op_type == "ConvTranspose":  # weights: in, out / groups, height, width
        return 2.0 * math.prod(given) * math.prod(weights[node.input[1]][1:])
    return 2.0 * math.prod(made) * given[-1]
