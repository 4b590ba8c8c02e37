"""The int8 file, its ranges, and who may run it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from models import catalog, qdq, quantize, ranges, saturation, weights
from models.matting import interface, normalise
from models.prepare import prepare
from models.ranges import Ranges
from models.session import SessionOptions, open_session
from pipeline.values import Rgb

Planes = npt.NDArray[np.float32]

NET = catalog.find("u2netp")
ON_CPU = SessionOptions(device="cpu", threads=2)
EXACT = pytest.mark.skipif(saturation.saturates(), reason="this CPU has no exact int8 products")


@pytest.fixture(scope="module")
def source() -> Path:
    return weights.fetch(NET)["u2netp"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def int8(source: Path, folder: Path) -> Path:
    return prepare(NET, source, folder, "int8")


@pytest.fixture(scope="module")
def shipped() -> Ranges:
    found = ranges.load("u2netp")
    assert found is not None
    return found


def pictures(data: Path) -> list[Path]:
    return sorted(path for path in data.iterdir() if path.suffix in {".jpg", ".png"})


def mattes(model: Path, planes: Planes) -> Planes:
    session = open_session(model, ON_CPU)
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: each[None]})[0] for each in planes])


# --- The gate ------------------------------------------------------------------------------------


@EXACT
def test_int8_costs_the_mattes_little(
    int8: Path, source: Path, folder: Path, data: Path, load_rgb: Callable[[str], Rgb]
) -> None:
    frames = [load_rgb(path.name) for path in pictures(data)]
    assert len(frames) == 15
    planes = normalise(frames, interface(NET))
    full = mattes(prepare(NET, source, folder, "fp32"), planes)
    apart = np.abs(mattes(int8, planes) - full).mean(axis=(1, 2, 3))
    # Measured 2026-11-21 with AVX-512 VNNI: mean 0.0040, median 0.0027, worst 0.0210 (the profile).
    assert 0 < apart.mean() < 0.005
    assert np.median(apart) < 0.005
    assert apart.max() < 0.03


def test_no_photo_of_the_gate_was_calibrated_on(shipped: Ranges, data: Path) -> None:
    assert len(shipped.photos) >= 30
    assert not set(shipped.photos) & {path.stem for path in pictures(data)}
    assert not [name for name in shipped.photos if name.startswith("gt-")]


# --- The file ------------------------------------------------------------------------------------


def test_a_batch_of_eight_gives_what_its_pictures_give_alone(
    int8: Path, data: Path, load_rgb: Callable[[str], Rgb]
) -> None:
    frames = [load_rgb(path.name) for path in pictures(data)[:8]]
    planes = normalise(frames, replace(interface(NET), size_px=160))
    session = open_session(int8, ON_CPU)
    batch = session.run(None, {session.get_inputs()[0].name: planes})[0]
    np.testing.assert_array_equal(batch, mattes(int8, planes))
    assert len({matte.tobytes() for matte in batch}) == 8


def test_the_file_is_small_and_takes_and_gives_floats(int8: Path, source: Path) -> None:
    session = open_session(int8, ON_CPU)
    (given,), (taken,) = session.get_inputs(), session.get_outputs()
    assert (given.shape, given.type) == (["N", 3, "H", "W"], "tensor(float)")
    assert (taken.shape, taken.type) == (["N", 1, "H", "W"], "tensor(float)")
    assert int8.stat().st_size < 0.4 * source.stat().st_size


def test_the_nodes_of_the_catalogue_stay_float_and_no_other_convolution(int8: Path) -> None:
    graph = onnx.load(int8).graph
    floats = {tensor.name for tensor in graph.initializer if tensor.data_type == 1}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    kept = {node.name for node in convolutions if node.input[1] in floats}
    assert kept == {name for name in NET.keep_float if name.startswith("Conv")}
    assert len(convolutions) == 119


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_biases_make_up_for_what_rounding_the_weights_takes(groups: int, tmp_path: Path) -> None:
    """A net of one convolution, with mean inputs that the rounded weights would be off at."""
    random = np.random.default_rng(3)
    weights_ = random.normal(size=(8, 8 // groups, 3, 3)).astype(np.float32)
    # One great weight makes the steps coarse.
    weights_[:, 0, 0, 0] = 30
    planes = random.uniform(1, 3, (1, 8, 16, 16)).astype(np.float32)
    planes *= np.linspace(0.2, 1, 8, dtype=np.float32)[:, None, None]
    outputs = convolved(tmp_path / "float.onnx", weights_, planes)
    plain = Ranges(
        weights_sha256="",
        photos=(),
        tensors={"x": (0, 3), "y": (float(outputs.min()), float(outputs.max()))},
        channel_means={},
    )
    means = tuple(float(mean) for mean in planes.mean(axis=(0, 2, 3)))
    errors = {}
    for name, found in (
        ("plain", plain),
        ("corrected", replace(plain, channel_means={"x": means})),
    ):
        path = tmp_path / f"{name}.onnx"
        onnx.save(qdq.quantized(onnx.load(tmp_path / "float.onnx"), found, ()), path)
        apart = (mattes(path, planes) - outputs)[..., 1:-1, 1:-1].mean(axis=(0, 2, 3))
        errors[name] = float(np.abs(apart).max())
    assert errors["corrected"] < 0.3 * errors["plain"]


def convolved(path: Path, kernel: Planes, planes: Planes) -> Planes:
    """Writes a net of one convolution, and gives what it makes of ``planes``."""
    groups = planes.shape[1] // kernel.shape[1]
    pads = [1, 1, 1, 1]
    node = onnx.helper.make_node("Conv", ["x", "w", "b"], ["y"], "only", pads=pads, group=groups)
    graph = onnx.helper.make_graph(
        [node],
        "net",
        [onnx.helper.make_tensor_value_info("x", 1, ["N", 8, 16, 16])],
        [onnx.helper.make_tensor_value_info("y", 1, ["N", 8, 16, 16])],
        [
            onnx.numpy_helper.from_array(kernel, "w"),
            onnx.numpy_helper.from_array(np.zeros(len(kernel), np.float32), "b"),
        ],
    )
    opsets = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=opsets), path)
    return mattes(path, planes)


# --- What is refused -----------------------------------------------------------------------------


def test_ranges_belong_to_the_weights_of_the_catalogue(shipped: Ranges) -> None:
    assert shipped.weights_sha256 == NET.files[0].sha256
    assert all(low <= high for low, high in shipped.tensors.values())


def test_other_weights_are_refused(source: Path, tmp_path: Path) -> None:
    model = onnx.load(source)
    model.doc_string = "other"
    other = tmp_path / "other.onnx"
    onnx.save(model, other)
    with pytest.raises(ValueError, match="u2netp were computed with other weights"):
        prepare(NET, other, tmp_path, "int8")
    assert not list((tmp_path / "prepared").glob("*.onnx"))


def test_a_net_without_ranges_is_refused(tmp_path: Path) -> None:
    net = catalog.find("selfie")
    (tflite,) = weights.fetch(net).values()
    with pytest.raises(ValueError, match="selfie has no ranges for int8"):
        prepare(net, tflite, tmp_path, "int8")


def test_a_node_that_is_not_there_is_named(source: Path, shipped: Ranges) -> None:
    with pytest.raises(ValueError, match="no node Conv_9999"):
        qdq.quantized(onnx.load(source), shipped, ["Conv_0", "Conv_9999"])


# --- Calibration ---------------------------------------------------------------------------------


def test_ranges_are_those_of_the_photo_and_its_mirror_image(
    source: Path, data: Path, tmp_path: Path, shipped: Ranges, load_rgb: Callable[[str], Rgb]
) -> None:
    found = quantize.calibrate(NET, [data / "grace-hopper.png"], weights.default_folder())
    assert (found.photos, found.weights_sha256) == (("grace-hopper",), NET.files[0].sha256)
    assert found.tensors.keys() == shipped.tensors.keys()
    frame = load_rgb("grace-hopper.png")
    both = normalise([frame, np.ascontiguousarray(frame[:, ::-1])], interface(NET))
    model = onnx.load(source)
    given = model.graph.input[0].name
    np.testing.assert_allclose(found.tensors[given], (both.min(), both.max()), rtol=1e-4)
    channels = both.mean(axis=(0, 2, 3))
    np.testing.assert_allclose(found.channel_means[given], channels, atol=1e-4)
    # A value that differs between a picture and its mirror image.
    inner = next(node.output[0] for node in model.graph.node if node.name == "Relu_12")
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info(inner, 1, None))
    onnx.save(model, tmp_path / "inner.onnx")
    greatest = [values.max() for values in mattes(tmp_path / "inner.onnx", both)]
    assert abs(greatest[0] - greatest[1]) > 1e-3
    np.testing.assert_allclose(found.tensors[inner][1], max(greatest), rtol=1e-4)


def test_ranges_survive_their_file(
    shipped: Ranges, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ranges_u2netp.json").write_text(ranges.as_json(shipped), "utf-8")
    monkeypatch.setattr("models.ranges.resources.files", lambda package: tmp_path)
    assert ranges.load("u2netp") == shipped
    assert ranges.load("u3netp") is None


def test_photos_of_the_folders_left_out_are_not_chosen(tmp_path: Path) -> None:
    photos, gate = tmp_path / "photos", tmp_path / "gate"
    for path in (photos / "b.jpg", photos / "a.PNG", photos / "c.png", photos / "list.csv"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    gate.mkdir()
    (gate / "c.jpg").touch()
    assert quantize.chosen(photos, [gate]) == [photos / "a.PNG", photos / "b.jpg"]


@pytest.mark.parametrize(
    ("names", "message"), [([], "no photos"), (["bad.jpg"], r"bad\.jpg cannot be read")]
)
def test_calibration_says_what_is_wrong_with_its_photos(
    names: list[str], message: str, tmp_path: Path
) -> None:
    photos = [tmp_path / name for name in names]
    for photo in photos:
        photo.write_bytes(b"not a picture")
    with pytest.raises(ValueError, match=message):
        quantize.calibrate(NET, photos, weights.default_folder())
