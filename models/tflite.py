"""Reads the nets of MediaPipe, which are TensorFlow Lite files, and writes them as ONNX models.

Only what those nets are made of: float32 arithmetic on weights stored as float16 or float32, and
the operators of ``models.tflite_ops``. TensorFlow itself is not needed.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import tflite
from onnx import ModelProto, ValueInfoProto

from models.tflite_ops import Lowering, Operator, Tensor

# The oldest that have all the nodes; fixed, so that the same file gives the same bytes for ever.
_OPSET, _IR_VERSION = 17, 8

_DTYPES = {
    tflite.TensorType.FLOAT32: np.dtype("<f4"),
    tflite.TensorType.FLOAT16: np.dtype("<f2"),
    tflite.TensorType.INT32: np.dtype("<i4"),
}
_OPERATOR_NAMES = {
    code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)
}
_OPTIONS_NAMES = {
    code: name for name, code in vars(tflite.BuiltinOptions).items() if isinstance(code, int)
}


def to_onnx(data: bytes) -> ModelProto:
    """The net in the TFLite file ``data`` as an ONNX model whose batch axis is free.

    Pictures are NCHW: an input of the file's 1xHxWxC becomes NxCxHxW, and so does an output, unless
    it is a single pixel, which becomes NxC. Inputs and outputs keep their order and their type,
    float32, and the range of values is the net's own. The same ``data`` gives the same bytes.

    Raises ValueError for other data, and for a net with an operator that is not known here, which
    the text names.
    """
    if not tflite.Model.ModelBufferHasIdentifier(data, 0):
        raise ValueError("this is not a TensorFlow Lite file")
    model = tflite.Model.GetRootAs(data, 0)
    if model.SubgraphsLength() != 1:
        raise ValueError(f"the net has {model.SubgraphsLength()} graphs instead of one")
    graph = model.Subgraphs(0)
    tensors = [_tensor(model, graph.Tensors(index)) for index in range(graph.TensorsLength())]

    nodes, constants = [], []
    for index in range(graph.OperatorsLength()):
        operator = _operator(model, graph.Operators(index), tensors)
        if operator.code == "DEQUANTIZE":
            tensors[graph.Operators(index).Outputs(0)] = _dequantized(operator)
            continue
        lowered = Lowering(operator)
        nodes += lowered.nodes
        constants += lowered.constants

    inputs = [_planes(tensors[index]) for index in graph.InputsAsNumpy()]
    outputs = []
    for tensor in (tensors[index] for index in graph.OutputsAsNumpy()):
        outputs.append(_planes(tensor))
        if tensor.shape[1:-1] == (1, 1):
            pixel = f"{tensor.name}/flat"
            nodes.append(onnx.helper.make_node("Flatten", [tensor.name], [pixel]))
            outputs[-1] = _value(pixel, ["N", tensor.shape[-1]])

    converted = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "net", inputs, outputs, constants),
        ir_version=_IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
    )
    onnx.checker.check_model(converted, full_check=True)
    return converted


def _tensor(model: Any, tensor: Any) -> Tensor:
    shape = tuple(tensor.Shape(axis) for axis in range(tensor.ShapeLength()))
    return Tensor(tensor.Name().decode(), shape, _constant(model, tensor, shape))


def _constant(model: Any, tensor: Any, shape: tuple[int, ...]) -> npt.NDArray[Any] | None:
    """The value that the file holds for a tensor; None for what is computed from the picture."""
    buffer = model.Buffers(tensor.Buffer())
    if not buffer.DataLength():
        if tensor.Type() != tflite.TensorType.FLOAT32:
            raise ValueError(f"{tensor.Name().decode()} is not computed in float32")
        return None
    if tensor.Type() not in _DTYPES:
        raise ValueError(f"{tensor.Name().decode()} holds numbers of the type {tensor.Type()}")
    value: npt.NDArray[Any] = buffer.DataAsNumpy().view(_DTYPES[tensor.Type()])
    return value.reshape(shape)


def _operator(model: Any, operator: Any, tensors: list[Tensor]) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Files written before there were more than 127 operators have the older field alone.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    # -1 stands for an input that is left out.
    inputs = [tensors[index] for index in operator.InputsAsNumpy() if index >= 0]
    if number == tflite.BuiltinOperator.CUSTOM:
        name, options = code.CustomCode().decode(), operator.CustomOptionsAsNumpy().tobytes()
    else:
        name, options = _OPERATOR_NAMES[number], _options(operator)
    return Operator(name, tuple(inputs), tensors[operator.Outputs(0)], options)


def _options(operator: Any) -> Any:
    """The operator's table of options, as the class that the schema gives it; None without one."""
    table = operator.BuiltinOptions()
    if table is None:
        return None
    options = getattr(tflite, _OPTIONS_NAMES[operator.BuiltinOptionsType()])()
    options.Init(table.Bytes, table.Pos)
    return options


def _dequantized(operator: Operator) -> Tensor:
    """The output of DEQUANTIZE, whose float16 input is known: a constant too."""
    half = operator.constant(0)
    if half.dtype != np.float16:
        raise ValueError(f"{operator.output.name} is quantised to {half.dtype}")
    return Tensor(operator.output.name, operator.output.shape, half.astype(np.float32))


def _planes(tensor: Tensor) -> ValueInfoProto:
    """An input or output of the net, with a free batch."""
    _, *shape = tensor.shape
    return _value(tensor.name, ["N", shape[-1], *shape[:-1]] if len(shape) == 3 else ["N", *shape])


def _value(name: str, shape: list[str | int]) -> ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
