"""Writes EfficientNet-Lite0 as an ONNX model that tells of a picture's texture, from its weights as
PyTorch keeps them.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; Lite
is their variant without squeeze-and-excitation and with ReLU6.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from models.torch_file import tensors

_OPSET, _IR_VERSION = 17, 8
_EPSILON = 1e-3
"""Of the batch normalisation."""


class _Stage(NamedTuple):
    blocks: int
    kernel: int
    stride: int
    """Of the first block."""
    expands: bool


_STAGES = (
    _Stage(1, 3, 1, False),
    _Stage(2, 3, 2, True),
    _Stage(2, 5, 2, True),
    _Stage(3, 3, 2, True),
    _Stage(3, 5, 1, True),
    _Stage(4, 5, 2, True),
    _Stage(1, 3, 1, True),
)
# The first two stages see lines and colours, which photos have as well.
_FIRST_TOLD = 2


def to_onnx(data: bytes) -> ModelProto:
    """The net in the PyTorch file ``data`` as an ONNX model whose batch and picture size are free.

    Its input ``picture`` is float32 Nx3xHxW, each value v of the picture as (v - 127) / 128; its
    output ``features`` Nx4048: of the third to the seventh stage and of the head in turn the means
    of the channels over the picture, and then their standard deviations.
    Raises ValueError for other data.
    """
    try:
        return _Writer(tensors(data)).model()
    except KeyError as error:
        raise ValueError(f"the file has no tensor {error}") from error


class _Writer:
    """Writes the net node by node; batch normalisation is folded into the convolutions."""

    def __init__(self, weights: dict[str, npt.NDArray[np.float32]]) -> None:
        self._weights = weights
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._told: list[str] = []

    def model(self) -> ModelProto:
        self._constant("zero", np.array(0, np.float32))
        self._constant("six", np.array(6, np.float32))
        value = self._convolved("picture", "_conv_stem", "_bn0", stride=2, relu=True)
        block = 0
        for place, stage in enumerate(_STAGES):
            for first in (True, *[False] * (stage.blocks - 1)):
                value = self._block(value, block, stage, first)
                block += 1
            if place >= _FIRST_TOLD:
                self._tell(value)
        self._tell(self._convolved(value, "_conv_head", "_bn1", relu=True))
        self._node("Concat", self._told, "features", axis=1)
        shape = ["N", "features"]
        graph = helper.make_graph(
            self._nodes,
            "net",
            [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, "H", "W"])],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        return helper.make_model(graph, ir_version=_IR_VERSION, opset_imports=opsets)

    def _block(self, value: str, number: int, stage: _Stage, first: bool) -> str:
        """One inverted bottleneck, with its shortcut where it keeps the size."""
        name, inner = f"_blocks.{number}.", value
        if stage.expands:
            inner = self._convolved(inner, f"{name}_expand_conv", f"{name}_bn0", relu=True)
        inner = self._convolved(
            inner,
            f"{name}_depthwise_conv",
            f"{name}_bn1",
            stride=stage.stride if first else 1,
            relu=True,
            depthwise=True,
        )
        inner = self._convolved(inner, f"{name}_project_conv", f"{name}_bn2")
        return inner if first else self._node("Add", [value, inner], f"{name}sum")

    def _convolved(
        self,
        value: str,
        convolution: str,
        norm: str,
        *,
        stride: int = 1,
        relu: bool = False,
        depthwise: bool = False,
    ) -> str:
        kernels = self._weights[f"{convolution}.weight"]
        scale = self._weights[f"{norm}.weight"]
        scale = scale / np.sqrt(self._weights[f"{norm}.running_var"] + _EPSILON)
        bias = self._weights[f"{norm}.bias"] - self._weights[f"{norm}.running_mean"] * scale
        given = [
            value,
            self._constant(f"{convolution}.kernels", kernels * scale[:, None, None, None]),
            self._constant(f"{convolution}.bias", bias),
        ]
        convolved = self._node(
            "Conv",
            given,
            f"{convolution}.out",
            strides=[stride, stride],
            kernel_shape=list(kernels.shape[2:]),
            auto_pad="SAME_UPPER",
            group=len(kernels) if depthwise else 1,
        )
        if not relu:
            return convolved
        return self._node("Clip", [convolved, "zero", "six"], f"{convolution}.relu6")

    def _tell(self, value: str) -> None:
        """Means and standard deviations of the channels of ``value`` go into the output."""
        mean = self._node("GlobalAveragePool", [value], f"{value}.mean")
        off = self._node("Sub", [value, mean], f"{value}.off")
        square = self._node("Mul", [off, off], f"{value}.square")
        variance = self._node("GlobalAveragePool", [square], f"{value}.variance")
        deviation = self._node("Sqrt", [variance], f"{value}.deviation")
        self._told += [self._node("Flatten", [told], f"{told}.flat") for told in (mean, deviation)]

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        # Named as what it makes, for keep_float of the catalogue.
        self._nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def _constant(self, name: str, value: npt.NDArray[np.float32]) -> str:
        value = np.ascontiguousarray(value, np.float32)
        self._constants.append(numpy_helper.from_array(value, name))
        return name
