"""TensorFlow Lite operators as ONNX nodes, one function for each.

TFLite keeps pictures as NHWC and ONNX as NCHW. Every tensor of four axes is carried as NCHW here;
those of fewer axes stay as they are. Shapes of ``Tensor`` are the file's own, with a batch of 1.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import tflite
from onnx import NodeProto, TensorProto

_Array = npt.NDArray[Any]

_NHWC_TO_NCHW = (0, 3, 1, 2)
_NCHW_TO_NHWC = (0, 2, 3, 1)
# Where an axis of NHWC lies in NCHW.
_PLANES_AXIS = (0, 2, 3, 1)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value that flows between operators, or a constant."""

    name: str
    shape: tuple[int, ...]
    value: _Array | None
    """None unless the tensor is a constant."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of a TFLite graph; every operator known here has a single output."""

    code: str
    """Name in TFLite's schema, or the custom operator's own."""
    inputs: tuple[Tensor, ...]
    output: Tensor
    options: Any
    """Table of the schema that belongs to ``code``, bytes for a custom operator, or None."""

    def constant(self, place: int) -> _Array:
        """The value of the input at ``place``, which must not depend on the picture."""
        value = self.inputs[place].value
        if value is None:
            raise ValueError(f"input {place} of {self.code} is not a constant")
        return value


class Lowering:
    """The ONNX nodes and constants that one operator becomes; the last node makes its output."""

    def __init__(self, operator: Operator) -> None:
        """Raises ValueError, naming the operator, for one that cannot be converted."""
        if operator.code not in _LOWER:
            raise ValueError(f"the operator {operator.code} cannot be converted")
        self._prefix = operator.output.name
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        _LOWER[operator.code](operator, self)
        self.nodes[-1].output[0] = operator.output.name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Appends a node and returns the name of what it makes."""
        name = f"{self._prefix}/{kind}"
        self.nodes.append(onnx.helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, role: str, value: _Array) -> str:
        """Appends a constant and returns its name."""
        name = f"{self._prefix}/{role}"
        tensor = onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
        self.constants.append(tensor)
        return name


def _convolution(operator: Operator, to: Lowering) -> None:
    _convolve(operator, to, operator.constant(1).transpose(_NHWC_TO_NCHW))  # OHWI -> OIHW


def _depthwise_convolution(operator: Operator, to: Lowering) -> None:
    _convolve(operator, to, operator.constant(1).transpose(3, 0, 1, 2))  # 1HWC -> C1HW


def _convolve(operator: Operator, to: Lowering, weights: _Array) -> None:
    options = operator.options
    strides = options.StrideH(), options.StrideW()
    dilations = options.DilationHFactor(), options.DilationWFactor()
    result = to.node(
        "Conv",
        operator.inputs[0].name,
        to.constant("weights", weights),
        *_bias(operator, to),
        strides=strides,
        dilations=dilations,
        group=operator.inputs[0].shape[3] // weights.shape[1],
        pads=_pads(operator, weights.shape[2:], strides, dilations),
    )
    _activate(operator, to, result)


def _transposed_convolution(operator: Operator, to: Lowering) -> None:
    """MediaPipe's own operator, where the kernel is as large as the stride: nothing overlaps."""
    _, *strides = struct.unpack("<3i", operator.options)  # padding, width, height
    strides.reverse()
    weights = operator.constant(1).transpose(3, 0, 1, 2)  # OHWI -> IOHW
    if list(weights.shape[2:]) != strides:
        raise ValueError(f"{operator.code} overlaps: kernel {weights.shape[2:]}, stride {strides}")
    picture, kernel = operator.inputs[0].name, to.constant("weights", weights)
    to.node("ConvTranspose", picture, kernel, *_bias(operator, to), strides=strides)


def _bias(operator: Operator, to: Lowering) -> list[str]:
    """The name of the third input, if there is one."""
    return [to.constant("bias", operator.constant(2))] if len(operator.inputs) > 2 else []


def _pooling(kind: str) -> Callable[[Operator, Lowering], None]:
    def lower(operator: Operator, to: Lowering) -> None:
        options = operator.options
        window = options.FilterHeight(), options.FilterWidth()
        strides = options.StrideH(), options.StrideW()
        # In either format padding takes no part in an average.
        pads = _pads(operator, window, strides)
        result = to.node(
            kind, operator.inputs[0].name, kernel_shape=window, strides=strides, pads=pads
        )
        _activate(operator, to, result)

    return lower


def _pads(
    operator: Operator,
    window: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int] = (1, 1),
) -> list[int]:
    """Rows and columns to add: top, left, bottom, right. The odd one goes to the end."""
    if operator.options.Padding() == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    before, after = [], []
    sides = operator.inputs[0].shape[1:3]
    for side, size, stride, dilation in zip(sides, window, strides, dilations, strict=True):
        reach = (-(-side // stride) - 1) * stride + (size - 1) * dilation + 1
        missing = max(reach - side, 0)
        before.append(missing // 2)
        after.append(missing - missing // 2)
    return before + after


def _elementwise(kind: str) -> Callable[[Operator, Lowering], None]:
    """Of one input, or of two that may be broadcast or constant."""

    def lower(operator: Operator, to: Lowering) -> None:
        names = [_operand(operator, to, place) for place in range(len(operator.inputs))]
        result = to.node(kind, *names)
        if operator.options is not None:
            _activate(operator, to, result)

    return lower


def _operand(operator: Operator, to: Lowering, place: int) -> str:
    tensor, rank = operator.inputs[place], len(operator.output.shape)
    if tensor.value is not None:
        return to.constant(f"operand{place}", _planes(tensor.value, rank))
    if len(tensor.shape) != rank:
        raise ValueError(f"{operator.code} broadcasts {tensor.shape} to {operator.output.shape}")
    return tensor.name


def _planes(value: _Array, rank: int) -> _Array:
    """A constant with ``rank`` axes, in the order in which a tensor of that rank is carried."""
    value = value.reshape((1,) * (rank - value.ndim) + value.shape)
    return value.transpose(_NHWC_TO_NCHW) if rank == 4 else value


def _clip_to_6(operator: Operator, to: Lowering) -> None:
    _relu6(to, operator.inputs[0].name)


def _relu6(to: Lowering, name: str) -> str:
    least, most = (to.constant(str(limit), np.array(limit, np.float32)) for limit in (0, 6))
    return to.node("Clip", name, least, most)


def _activate(operator: Operator, to: Lowering, name: str) -> None:
    """Appends the activation that the operator ends with, if any."""
    kind = operator.options.FusedActivationFunction()
    if kind == tflite.ActivationFunctionType.RELU:
        to.node("Relu", name)
    elif kind == tflite.ActivationFunctionType.RELU6:
        _relu6(to, name)
    elif kind != tflite.ActivationFunctionType.NONE:
        raise ValueError(f"the activation {kind} of {operator.code} cannot be converted")


def _pad(operator: Operator, to: Lowering) -> None:
    pads = operator.constant(1).astype(np.int64)
    if len(pads) == 4:
        pads = pads[list(_NHWC_TO_NCHW)]
    to.node("Pad", operator.inputs[0].name, to.constant("pads", pads.T.ravel()))


def _resize(operator: Operator, to: Lowering) -> None:
    options = operator.options
    mode = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
    # Scales, because sizes would fix the batch.
    before = np.array(operator.inputs[0].shape, np.float32)
    scales = np.array(operator.output.shape, np.float32) / before
    if not np.array_equal(np.floor(before * scales), operator.output.shape):
        raise ValueError(f"no scale takes {operator.inputs[0].shape} to {operator.output.shape}")
    to.node(
        "Resize",
        operator.inputs[0].name,
        "",
        to.constant("scales", scales[list(_NHWC_TO_NCHW)]),
        mode="linear",
        coordinate_transformation_mode="align_corners" if options.AlignCorners() else mode,
    )


def _reshape(operator: Operator, to: Lowering) -> None:
    name, shape = operator.inputs[0].name, operator.output.shape
    if shape[0] != 1:
        raise ValueError(f"{operator.code} mixes the pictures of a batch: {shape}")
    if len(operator.inputs[0].shape) == 4:
        name = to.node("Transpose", name, perm=_NCHW_TO_NHWC)
    # A zero keeps the axis as it is, which frees the batch.
    result = to.node("Reshape", name, to.constant("shape", np.array([0, *shape[1:]], np.int64)))
    if len(shape) == 4:
        to.node("Transpose", result, perm=_NHWC_TO_NCHW)


def _concatenation(operator: Operator, to: Lowering) -> None:
    rank = len(operator.output.shape)
    axis = operator.options.Axis() % rank
    names = [_operand(operator, to, place) for place in range(len(operator.inputs))]
    result = to.node("Concat", *names, axis=_PLANES_AXIS[axis] if rank == 4 else axis)
    _activate(operator, to, result)


_LOWER: dict[str, Callable[[Operator, Lowering], None]] = {
    "ADD": _elementwise("Add"),
    "AVERAGE_POOL_2D": _pooling("AveragePool"),
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "Convolution2DTransposeBias": _transposed_convolution,
    "DEPTHWISE_CONV_2D": _depthwise_convolution,
    "HARD_SWISH": _elementwise("HardSwish"),
    "LOGISTIC": _elementwise("Sigmoid"),
    "MAX_POOL_2D": _pooling("MaxPool"),
    "MUL": _elementwise("Mul"),
    "PAD": _pad,
    "PRELU": _elementwise("PRelu"),
    "RELU": _elementwise("Relu"),
    "RELU6": _clip_to_6,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
}
