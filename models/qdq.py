"""Writes a net in int8: activations uint8, weights int8 with a scale for each output channel."""

from collections.abc import Container, Iterable

import numpy as np
import onnx
from onnx import ModelProto, numpy_helper

from models.ranges import Ranges

# What the CPU has int8 kernels for, or what passes int8 on; all else stays float.
OPERATORS = ("Conv", "Relu", "Clip", "MaxPool", "Add", "Concat", "Resize")
# The first version of the operators in which weights may have a scale for each channel.
_OPSET = 13
_LEVELS = 127


def quantized(model: ModelProto, ranges: Ranges, keep_float: Iterable[str]) -> ModelProto:
    """The model with QuantizeLinear and DequantizeLinear around the ``OPERATORS``; its input and
    outputs stay float32.

    ``keep_float`` names the nodes that stay as they are; ValueError if the model lacks one of them,
    or if a tensor has no range.
    """
    # Imported here alone: a machine that has its files does not need it.
    from onnxruntime.quantization import CalibrationMethod, QuantType
    from onnxruntime.quantization.calibrate import TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    kept = list(keep_float)
    if missing := set(kept) - {node.name for node in model.graph.node}:
        raise ValueError(f"the model has no node {', '.join(sorted(missing))}")
    if any(opset.version < _OPSET for opset in model.opset_import if opset.domain == ""):
        model = onnx.version_converter.convert_version(model, _OPSET)
    model = _corrected(model, ranges, kept)
    pairs = {
        name: (np.array([low], np.float32), np.array([high], np.float32))
        for name, (low, high) in ranges.tensors.items()
    }
    quantizer = QDQQuantizer(
        model,
        per_channel=True,
        # Full range: sums may saturate on CPUs without int8 dot products; there auto takes fp32.
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, pairs),
        nodes_to_quantize=[],
        nodes_to_exclude=kept,
        op_types_to_quantize=list(OPERATORS),
        extra_options={},
    )
    quantizer.quantize_model()
    written: ModelProto = quantizer.model.model
    return written


def _corrected(model: ModelProto, ranges: Ranges, kept: Container[str]) -> ModelProto:
    """The model with biases that make up for what rounding the weights takes from the mean output:
    bias + sum of (weight - rounded weight) x mean input (Nagel et al. 2019, "Data-Free
    Quantization Through Weight Equalization and Bias Correction", section 4.2).
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    constants = {tensor.name: tensor for tensor in copy.graph.initializer}
    for index, node in enumerate(copy.graph.node):
        means = ranges.channel_means.get(node.input[0]) if node.input else None
        if node.op_type != "Conv" or node.name in kept or means is None or len(node.input) < 3:
            continue
        weights, bias = (numpy_helper.to_array(constants[name]) for name in node.input[1:3])
        steps = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / _LEVELS
        steps = np.where(steps > 0, steps, 1)
        lost_weights = (weights - np.round(weights / steps) * steps).sum(axis=(2, 3))
        # Each group of outputs has seen its own share of the inputs.
        groups = len(means) // weights.shape[1]
        seen = np.repeat(np.reshape(means, (groups, -1)), len(weights) // groups, axis=0)
        lost = (lost_weights * seen).sum(axis=1)
        name = f"corrected_bias_{index}"
        tensor = numpy_helper.from_array((bias + lost).astype(np.float32), name)
        copy.graph.initializer.append(tensor)
        node.input[2] = name
    return copy
