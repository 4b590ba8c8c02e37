"""Rewrites a net for serving: only the outputs that are read, any batch size, half precision or
int8 on request.
"""

import os
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto

from models import efficientnet, qdq, ranges, tflite
from models.catalog import Family, Net, Precision
from models.weights import locked, sha256

# Part of the prepared file's name. Raise it with every change to what this module, the converters
# of TFLite and PyTorch files or models/qdq.py write, and with new ranges.
_RECIPE = 3

# The axes that may vary. IS-Net's sizes are constants, and so is the batch in BiRefNet's windows.
_FREE_AXES: dict[Family, dict[int, str]] = {
    "u2net": {0: "N", 2: "H", 3: "W"},
    "modnet": {0: "N", 2: "H", 3: "W"},
    "isnet": {0: "N"},
    "birefnet": {},
    # Their models are written here, with a free batch.
    "mediapipe": {},
    "efficientnet": {},
}


def prepare(net: Net, source: Path, folder: Path, precision: Precision) -> Path:
    """The net's file ``source`` made ready for serving, in ``folder``/prepared; kept once made.

    Its one input and its outputs are float32 in every precision. A matting net has one output; a
    net without an interface keeps its own. The batch axis is named "N" where it is free; where the
    net does not allow that, the input's shape still says 1.
    Raises ValueError for a net of a family that is run as it is fetched, one that lacks the output
    of the catalogue, and in int8 for one without ranges or with other weights than theirs.
    """
    if net.family not in _FREE_AXES:
        raise ValueError(f"{net.name} is run as it is fetched")
    name = f"{net.name}-{sha256(source)[:12]}-{_RECIPE}-{precision}.onnx"
    path = folder / "prepared" / name
    if not path.exists():
        with locked(path):
            if not path.exists():
                model = _rewrite(_load(net, source), net, precision)
                if precision == "int8":
                    model = _in_int8(model, net, source)
                part = path.with_suffix(".part")
                part.write_bytes(model.SerializeToString())
                os.replace(part, path)
    return path


def _load(net: Net, source: Path) -> ModelProto:
    if net.family == "mediapipe":
        return tflite.to_onnx(source.read_bytes())
    if net.family == "efficientnet":
        return efficientnet.to_onnx(source.read_bytes())
    return onnx.load(source)


def _rewrite(model: ModelProto, net: Net, precision: Precision) -> ModelProto:
    if net.interface is not None:
        model = _pruned(model, [_output(model.graph, net.interface.output)])
    axes = _FREE_AXES[net.family]
    if axes and _free_resizes(model):
        for value in (*model.graph.input, *model.graph.output):
            for axis, name in axes.items():
                value.type.tensor_type.shape.dim[axis].dim_param = name
    if precision == "fp16":
        model = _halved(model)
    # Drops the sizes that are not read any more, and moves the converter's casts from the end.
    model = _pruned(model, model.graph.output)
    onnx.checker.check_model(model, full_check=True)
    return model


def _output(graph: GraphProto, output: str | int) -> ValueInfoProto:
    """The output of that name or place."""
    named = {value.name: value for value in graph.output}
    try:
        found: ValueInfoProto = graph.output[output] if isinstance(output, int) else named[output]
    except LookupError:
        raise ValueError(f"the model has no output {output!r}") from None
    return found


def _pruned(model: ModelProto, outputs: Sequence[ValueInfoProto]) -> ModelProto:
    """The part of the model that the outputs depend on, with its nodes in running order."""
    graph = model.graph
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output}
    needs: dict[int, list[int]] = {}
    waiting = [makers[output.name] for output in outputs]
    while waiting:
        index = waiting.pop()
        if index not in needs:
            needs[index] = [makers[name] for name in _reads(graph.node[index]) if name in makers]
            waiting += needs[index]
    nodes = [graph.node[index] for index in TopologicalSorter(needs).static_order()]

    read = {name for node in nodes for name in _reads(node)}
    constants = [tensor for tensor in graph.initializer if tensor.name in read]
    given = {tensor.name for tensor in constants}
    inputs = [value for value in graph.input if value.name in read - given]
    domains = {node.domain for node in nodes}
    return onnx.helper.make_model(
        onnx.helper.make_graph(nodes, graph.name, inputs, outputs, constants),
        ir_version=model.ir_version,
        opset_imports=[opset for opset in model.opset_import if opset.domain in domains],
    )


def _reads(node: NodeProto) -> Iterator[str]:
    """The values that a node reads, those of its subgraphs included; "" stands for none."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            for inner in attribute.g.node:
                yield from _reads(inner)


def _free_resizes(model: ModelProto) -> bool:
    """Writes scales in place of the constant sizes, batch included, that Resize nodes may hold.

    False if a size is not reached exactly by a scale, or the shape it starts from is not known.
    """
    constants = _constants(model.graph)
    typed = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*typed.input, *typed.value_info)
    }
    for index, node in enumerate(model.graph.node):
        if node.op_type != "Resize" or len(node.input) < 4 or node.input[3] not in constants:
            continue
        sizes = constants[node.input[3]]
        shape = np.array(shapes.get(node.input[0], []), np.float32)
        if shape.shape != sizes.shape or not shape.all():
            return False
        scales = sizes.astype(np.float32) / shape
        if not np.array_equal(np.floor(shape * scales), sizes):
            return False
        name = f"resize_{index}_scales"
        model.graph.initializer.append(onnx.numpy_helper.from_array(scales, name))
        del node.input[3]
        node.input[2] = name
    return True


def _constants(graph: GraphProto) -> dict[str, np.ndarray]:
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    return {name: onnx.numpy_helper.to_array(tensor) for name, tensor in tensors.items()}


def _in_int8(model: ModelProto, net: Net, source: Path) -> ModelProto:
    found = ranges.load(net.name)
    if found is None:
        raise ValueError(f"{net.name} has no ranges for int8; see models/quantize.py")
    if found.weights_sha256 != sha256(source):
        raise ValueError(f"the ranges of {net.name} were computed with other weights than {source}")
    model = qdq.quantized(model, found, net.keep_float)
    # Drops the float weights.
    model = _pruned(model, model.graph.output)
    onnx.checker.check_model(model, full_check=True)
    return model


def _halved(model: ModelProto) -> ModelProto:
    """The model in float16 between its float32 ends."""
    # Imported here alone: it appends a folder of modules with everyday names to sys.path.
    from onnxruntime.transformers.float16 import (
        DEFAULT_OP_BLOCK_LIST,
        convert_float_to_float16,
    )

    # Resize stays float32: not every provider has a kernel for it in float16.
    blocked = [*DEFAULT_OP_BLOCK_LIST, "Resize"]
    converted: ModelProto = convert_float_to_float16(
        model, keep_io_types=True, op_block_list=blocked
    )
    return converted
