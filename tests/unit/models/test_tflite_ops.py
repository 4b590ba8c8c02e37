"""Single operators on numbers that can be checked by hand, above all what no net here needs."""

import struct
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from tflite import ActivationFunctionType, Padding

from models.tflite_ops import Lowering, Operator, Tensor

Array = npt.NDArray[Any]


def options(**values: object) -> SimpleNamespace:
    """Like a table of TFLite's schema, which has a method for each field."""
    values = {"FusedActivationFunction": ActivationFunctionType.NONE, **values}
    return SimpleNamespace(**{name: lambda value=value: value for name, value in values.items()})


def window(size: int, stride: int, padding: int) -> SimpleNamespace:
    """Options of a convolution or pooling."""
    return options(
        **{name: size for name in ("FilterHeight", "FilterWidth")},
        **{name: stride for name in ("StrideH", "StrideW")},
        **{name: 1 for name in ("DilationHFactor", "DilationWFactor")},
        Padding=padding,
    )


def floats(*shape: int) -> Array:
    """1, 2, 3 ... in this shape."""
    return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)


def f32(values: Sequence[float]) -> Array:
    return np.array(values, np.float32)


def given(array: Array, name: str = "x") -> Tensor:
    return Tensor(name, array.shape, None)


def fixed(array: Array) -> Tensor:
    return Tensor("fixed", array.shape, array)


def operator(
    code: str, *inputs: Tensor, to: tuple[int, ...] = (1, 1, 1, 1), having: Any = None
) -> Operator:
    return Operator(code, inputs, Tensor("y", to, None), having)


def run(step: Operator, *values: Array) -> Array:
    """The output of one operator; pictures are NHWC on both sides, as in TFLite."""
    lowered = Lowering(step)
    names = [tensor.name for tensor in step.inputs if tensor.value is None]
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        lowered.nodes,
        "one",
        [onnx.helper.make_tensor_value_info(name, kind, None) for name in names],
        [onnx.helper.make_tensor_value_info("y", kind, None)],
        lowered.constants,
    )
    model = onnx.helper.make_model(
        graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)]
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    feed = {
        name: np.ascontiguousarray(value.transpose(0, 3, 1, 2)) if value.ndim == 4 else value
        for name, value in zip(names, values, strict=True)
    }
    result: Array = session.run(None, feed)[0]
    result = result.transpose(0, 2, 3, 1) if result.ndim == 4 else result
    assert result.shape == step.output.shape
    return result


@pytest.mark.parametrize(
    ("code", "padding", "expected"),
    [
        # Windows of 2 on a side of 3: the odd pixel is added at the end.
        ("MAX_POOL_2D", Padding.SAME, [[5, 6], [8, 9]]),
        ("MAX_POOL_2D", Padding.VALID, [[5]]),
        # What was added takes no part in an average.
        ("AVERAGE_POOL_2D", Padding.SAME, [[3, 4.5], [7.5, 9]]),
    ],
)
def test_pooling(code: str, padding: int, expected: list[list[float]]) -> None:
    x, side = floats(1, 3, 3, 1), len(expected)
    step = operator(code, given(x), to=(1, side, side, 1), having=window(2, 2, padding))
    np.testing.assert_allclose(run(step, x)[0, ..., 0], expected)


@pytest.mark.parametrize("side", [4, 5, 6])
def test_a_convolution_with_same_padding_looks_one_pixel_further_at_the_end(side: int) -> None:
    x, kernel = floats(1, side, side, 2), floats(3, 3, 3, 2)
    out = -(-side // 2)
    step = operator(
        "CONV_2D",
        given(x),
        fixed(kernel),
        fixed(f32([1, 2, 3])),
        to=(1, out, out, 3),
        having=window(3, 2, Padding.SAME),
    )
    missing = (out - 1) * 2 + 3 - side
    before = missing // 2
    padded = np.pad(x[0], ((before, missing - before),) * 2 + ((0, 0),))
    expected = [
        [
            np.tensordot(kernel, padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3], 3)
            for column in range(out)
        ]
        for row in range(out)
    ]
    np.testing.assert_allclose(run(step, x)[0], np.array(expected) + f32([1, 2, 3]), rtol=1e-6)


def test_a_depthwise_convolution_may_make_several_channels_of_one() -> None:
    x, kernel = floats(1, 1, 1, 2), floats(1, 1, 1, 4)
    step = operator(
        "DEPTHWISE_CONV_2D",
        given(x),
        fixed(kernel),
        to=(1, 1, 1, 4),
        having=window(1, 1, Padding.VALID),
    )
    assert run(step, x).ravel().tolist() == [1 * 1, 1 * 2, 2 * 3, 2 * 4]


def test_a_transposed_convolution_paints_its_kernel_for_each_pixel() -> None:
    x, kernel = floats(1, 2, 1, 1), floats(1, 2, 2, 1)
    having = struct.pack("<3i", 1, 2, 2)
    bias = fixed(f32([0.5]))
    step = operator(
        "Convolution2DTransposeBias", given(x), fixed(kernel), bias, to=(1, 4, 2, 1), having=having
    )
    expected = np.array([[1, 2], [3, 4], [2, 4], [6, 8]]) + 0.5
    np.testing.assert_array_equal(run(step, x)[0, ..., 0], expected)


def test_a_transposed_convolution_that_overlaps_is_refused() -> None:
    having = struct.pack("<3i", 1, 1, 1)
    x = given(floats(1, 2, 2, 1))
    with pytest.raises(ValueError, match="overlaps"):
        Lowering(
            operator("Convolution2DTransposeBias", x, fixed(floats(1, 2, 2, 1)), having=having)
        )


@pytest.mark.parametrize(
    ("corners", "half_pixel", "expected"),
    [
        (False, True, [0, 0.25, 0.75, 1]),
        (True, False, [0, 1 / 3, 2 / 3, 1]),
        (False, False, [0, 0.5, 1, 1]),
    ],
)
def test_resizing_follows_the_flags(corners: bool, half_pixel: bool, expected: list[float]) -> None:
    x = f32([0, 1]).reshape(1, 1, 2, 1)
    having = options(AlignCorners=corners, HalfPixelCenters=half_pixel)
    size = fixed(np.array([1, 4], np.int32))
    step = operator("RESIZE_BILINEAR", given(x), size, to=(1, 1, 4, 1), having=having)
    np.testing.assert_allclose(run(step, x).ravel(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ActivationFunctionType.NONE, [-1, 5, 9]),
        (ActivationFunctionType.RELU, [0, 5, 9]),
        (ActivationFunctionType.RELU6, [0, 5, 6]),
    ],
)
def test_an_operator_may_end_with_an_activation(kind: int, expected: list[float]) -> None:
    x = f32([-2, 4, 8]).reshape(1, 1, 1, 3)
    having = options(FusedActivationFunction=kind)
    step = operator("ADD", given(x), fixed(f32([1])), to=(1, 1, 1, 3), having=having)
    assert run(step, x).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("RELU", [0, 2, 9]),
        ("RELU6", [0, 2, 6]),
        ("HARD_SWISH", [-1 * 2 / 6, 2 * 5 / 6, 9]),
        ("LOGISTIC", [1 / (1 + np.exp(1)), 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-9))]),
    ],
)
def test_activations(code: str, expected: list[float]) -> None:
    x = f32([-1, 2, 9]).reshape(1, 1, 1, 3)
    y = run(operator(code, given(x), to=x.shape), x)
    np.testing.assert_allclose(y.ravel(), expected, rtol=1e-6)


@pytest.mark.parametrize("code", ["ADD", "MUL", "PRELU"])
def test_a_constant_for_each_channel_is_broadcast(code: str) -> None:
    x, each = floats(1, 2, 2, 3) - 6, f32([2, 3, 4])
    having = None if code == "PRELU" else options()
    step = operator(code, given(x), fixed(each), to=x.shape, having=having)
    expected = {"ADD": x + each, "MUL": x * each, "PRELU": np.where(x < 0, x * each, x)}[code]
    np.testing.assert_array_equal(run(step, x), expected)


def test_one_value_for_each_channel_scales_a_picture() -> None:
    x, each = floats(1, 2, 2, 3), floats(1, 1, 1, 3)
    step = operator("MUL", given(x), given(each, "each"), to=x.shape, having=options())
    np.testing.assert_array_equal(run(step, x, each), x * each)


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_joining_pictures_keeps_the_axis(axis: int) -> None:
    x, other = floats(1, 2, 2, 2), -floats(1, 2, 2, 2)
    expected = np.concatenate([x, other], axis)
    step = operator(
        "CONCATENATION",
        given(x),
        given(other, "other"),
        to=expected.shape,
        having=options(Axis=axis),
    )
    np.testing.assert_array_equal(run(step, x, other), expected)


def test_padding_keeps_the_axes() -> None:
    x = floats(1, 2, 2, 2)
    pads = np.array([[0, 0], [1, 0], [0, 2], [0, 3]], np.int32)
    expected = np.pad(x, pads)
    step = operator("PAD", given(x), fixed(pads), to=expected.shape)
    np.testing.assert_array_equal(run(step, x), expected)


@pytest.mark.parametrize(
    ("before", "after"),
    [((1, 2, 3, 4), (1, 24)), ((1, 24), (1, 2, 3, 4)), ((1, 2, 3, 4), (1, 4, 2, 3))],
)
def test_reshaping_keeps_the_order_of_the_values(
    before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    x = floats(*before)
    np.testing.assert_array_equal(run(operator("RESHAPE", given(x), to=after), x), x.reshape(after))


X = given(floats(1, 2, 2, 1))


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (operator("FLOOR_MOD", X), "the operator FLOOR_MOD cannot be converted"),
        (
            operator("ADD", X, X, having=options(FusedActivationFunction=4)),
            "the activation 4 of ADD cannot be converted",
        ),
        (operator("PAD", X, X), "input 1 of PAD is not a constant"),
        (operator("RESHAPE", X, to=(4, 1)), "RESHAPE mixes the pictures of a batch"),
        (operator("PRELU", X, given(floats(2))), r"PRELU broadcasts \(2,\)"),
        (
            operator(
                "RESIZE_BILINEAR",
                given(floats(1, 41, 1, 1)),
                to=(1, 1, 1, 1),
                having=options(AlignCorners=False, HalfPixelCenters=True),
            ),
            "no scale takes",
        ),
    ],
)
def test_what_cannot_be_converted_is_said(step: Operator, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Lowering(step)
