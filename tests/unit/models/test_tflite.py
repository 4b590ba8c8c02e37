"""The converted nets against what MediaPipe itself computes; tests/data/oracle/README.md."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from models import catalog, weights
from models.tflite import to_onnx
from pipeline.values import Rgb

Planes = npt.NDArray[np.float32]
NAMES = ("selfie", "facemesh", "blazeface")


def source(name: str) -> bytes:
    (path,) = weights.fetch(catalog.find(name)).values()
    return path.read_bytes()


@pytest.fixture(scope="module")
def models() -> dict[str, onnx.ModelProto]:
    return {name: to_onnx(source(name)) for name in NAMES}


@pytest.fixture(scope="module")
def oracle(data: Path) -> Mapping[str, Planes]:
    with np.load(data / "oracle" / "mediapipe.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def inputs(load_rgb: Callable[[str], Rgb]) -> dict[str, Planes]:
    """The pictures that the oracle saw, as each net wants them."""
    astronaut, hopper = load_rgb("astronaut.png"), load_rgb("grace-hopper.png")
    return {
        "selfie": planes(astronaut[::2, ::2], twice(hopper), gradient(256)),
        "facemesh": planes(
            astronaut[20:212, 130:322], twice(hopper[16:112, 16:112]), gradient(192)
        ),
        "blazeface": planes(astronaut[:256:2, 90:346:2], hopper, gradient(128)) * 2 - 1,
    }


def planes(*pictures: Rgb) -> Planes:
    batch: Planes = np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(batch)


def twice(rgb: Rgb) -> Rgb:
    return rgb.repeat(2, axis=0).repeat(2, axis=1)


def gradient(side: int) -> Rgb:
    y, x = np.mgrid[:side, :side]
    channels = x * 255 // (side - 1), y * 255 // (side - 1), (x + y) % 256
    return np.stack(channels, axis=2).astype(np.uint8)


def run(model: onnx.ModelProto, batch: Planes) -> list[Planes]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    outputs: list[Planes] = session.run(None, {session.get_inputs()[0].name: batch})
    return outputs


def shapes(values: object) -> list[list[str | int]]:
    return [
        [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in values  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize(
    ("name", "side", "outputs"),
    [
        ("selfie", 256, [["N", 1, 256, 256]]),
        ("facemesh", 192, [["N", 1404], ["N", 1]]),
        ("blazeface", 128, [["N", 896, 16], ["N", 896, 1]]),
    ],
)
def test_pictures_are_planes_and_the_batch_is_free(
    name: str, side: int, outputs: list[list[str | int]], models: dict[str, onnx.ModelProto]
) -> None:
    graph = models[name].graph
    assert shapes(graph.input) == [["N", 3, side, side]]
    assert shapes(graph.output) == outputs


@pytest.mark.parametrize(
    ("name", "place", "expected", "most"),
    [
        ("selfie", 0, "selfie", 2e-4),
        ("facemesh", 0, "facemesh_points", 1e-3),
        ("facemesh", 1, "facemesh_score", 1e-3),
        ("blazeface", 0, "blazeface_boxes", 1e-3),
        ("blazeface", 1, "blazeface_scores", 2e-3),
    ],
)
def test_it_computes_what_mediapipe_does(
    name: str,
    place: int,
    expected: str,
    most: float,
    models: dict[str, onnx.ModelProto],
    inputs: dict[str, Planes],
    oracle: Mapping[str, Planes],
) -> None:
    output = run(models[name], inputs[name])[place]
    if name == "selfie":
        output = output[:, 0, ::3, ::3]
    if name == "blazeface":
        output = output[:, ::7]
    assert output.shape == oracle[expected].shape
    assert np.abs(output - oracle[expected]).max() < most


def test_the_oracle_has_seen_people_and_a_picture_without_any(
    oracle: Mapping[str, Planes],
) -> None:
    shares = oracle["selfie"].mean(axis=(1, 2))
    assert shares[:2].min() > 0.3
    assert shares[2] < 0.01
    assert (oracle["facemesh_score"].ravel() > 0).tolist() == [True, True, False]


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_gives_what_its_pictures_give_alone(
    name: str, models: dict[str, onnx.ModelProto], inputs: dict[str, Planes]
) -> None:
    batch = np.stack([np.roll(inputs[name][i % 3], 5 * i, axis=2) for i in range(8)])
    alone = [run(models[name], picture[None]) for picture in batch]
    for together, apart in zip(run(models[name], batch), zip(*alone, strict=True), strict=True):
        np.testing.assert_array_equal(together, np.concatenate(apart))
        assert len({output.tobytes() for output in together}) == 8


@pytest.mark.parametrize("name", NAMES)
def test_the_same_file_gives_the_same_bytes(name: str, models: dict[str, onnx.ModelProto]) -> None:
    assert to_onnx(source(name)).SerializeToString() == models[name].SerializeToString()


def test_an_operator_that_is_not_known_is_named() -> None:
    other = source("selfie").replace(b"Convolution2DTransposeBias", b"Convolution3DTransposeBias")
    with pytest.raises(ValueError, match="operator Convolution3DTransposeBias cannot be converted"):
        to_onnx(other)


@pytest.mark.parametrize("data", [b"", b"not a net at all", b"\x08\x07\x12\x07pytorch"])
def test_another_kind_of_file_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a TensorFlow Lite file"):
        to_onnx(data)
