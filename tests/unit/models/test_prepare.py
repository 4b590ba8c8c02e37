from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models import catalog, tflite, weights
from models.catalog import Net, Precision
from models.prepare import prepare
from models.session import SessionOptions, open_session

Planes = npt.NDArray[np.float32]

NET = catalog.find("u2netp")
ON_CPU = SessionOptions(device="cpu", threads=2)


@pytest.fixture(scope="module")
def source() -> Path:
    return weights.fetch(NET)["u2netp"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


def portraits(count: int, side: int) -> Planes:
    """Heads on shoulders, each elsewhere, normalised as u2netp wants them."""
    y, x = np.mgrid[:side, :side] / side
    pictures = []
    for index in range(count):
        middle = 0.4 + 0.03 * index
        head = (x - middle) ** 2 / 0.02 + (y - 0.4) ** 2 / 0.04 < 1
        shoulders = (y > 0.7) & (abs(x - middle) < 0.35)
        pictures.append(np.where(head | shoulders, 0.8, 0.2) + 0.05 * np.sin(40 * x + index))
    assert NET.interface is not None
    mean = np.array(NET.interface.mean).reshape(3, 1, 1)
    std = np.array(NET.interface.std).reshape(3, 1, 1)
    planes: Planes = ((np.stack(pictures)[:, None] - mean) / std).astype(np.float32)
    return planes


def run(model: Path, planes: Planes, output: str | None = None) -> Planes:
    session = open_session(model, ON_CPU)
    feed = {session.get_inputs()[0].name: planes}
    result: Planes = session.run(None if output is None else [output], feed)[0]
    return result


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_one_output_is_left_and_the_axes_are_free(
    precision: Precision, source: Path, folder: Path
) -> None:
    session = open_session(prepare(NET, source, folder, precision), ON_CPU)
    (given,), (taken,) = session.get_inputs(), session.get_outputs()
    assert (given.shape, given.type) == (["N", 3, "H", "W"], "tensor(float)")
    assert (taken.shape, taken.type) == (["N", 1, "H", "W"], "tensor(float)")


def test_the_matte_is_that_of_the_unedited_file(source: Path, folder: Path) -> None:
    picture = portraits(1, 320)
    edited = run(prepare(NET, source, folder, "fp32"), picture)
    assert edited.max() > 0.9
    assert np.abs(edited - run(source, picture, "1959")).max() < 1e-6


def test_half_precision_costs_little(source: Path, folder: Path) -> None:
    picture = portraits(1, 320)
    half = run(prepare(NET, source, folder, "fp16"), picture)
    single = run(prepare(NET, source, folder, "fp32"), picture)
    assert 0 < np.abs(half - single).mean() < 2e-3


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_batch_gives_what_its_pictures_give_alone(
    precision: Precision, source: Path, folder: Path
) -> None:
    session = open_session(prepare(NET, source, folder, precision), ON_CPU)
    name = session.get_inputs()[0].name
    pictures = portraits(8, 160)
    batch = session.run(None, {name: pictures})[0]
    alone = [session.run(None, {name: picture[None]})[0] for picture in pictures]
    np.testing.assert_array_equal(batch, np.concatenate(alone))
    assert len({matte.tobytes() for matte in batch}) == 8


def test_the_file_is_made_once_and_named_after_its_source(source: Path, tmp_path: Path) -> None:
    path = prepare(NET, source, tmp_path, "fp32")
    assert path.parent == tmp_path / "prepared"
    assert path.name.startswith("u2netp-309c8469258d-")
    assert path.name.endswith("-fp32.onnx")
    made_at = path.stat().st_mtime_ns
    assert prepare(NET, source, tmp_path, "fp32") == path
    assert path.stat().st_mtime_ns == made_at
    assert not list(path.parent.glob("*.part"))


def test_an_output_that_is_not_there_is_named(source: Path, tmp_path: Path) -> None:
    assert NET.interface is not None
    net = replace(NET, interface=replace(NET.interface, output="2001"))
    with pytest.raises(ValueError, match="no output '2001'"):
        prepare(net, source, tmp_path, "fp32")


def test_a_net_that_is_run_as_it_is_fetched_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mtcnn is run as it is fetched"):
        prepare(catalog.find("mtcnn"), source, tmp_path, "fp32")


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(
    ("name", "side", "outputs"),
    [("selfie", 256, [["N", 1, 256, 256]]), ("facemesh", 192, [["N", 1404], ["N", 1]])],
)
def test_a_tflite_file_is_converted_first(
    name: str, side: int, outputs: list[list[str | int]], precision: Precision, tmp_path: Path
) -> None:
    net = catalog.find(name)
    (tflite,) = weights.fetch(net).values()
    path = prepare(net, tflite, tmp_path, precision)
    assert path.name.startswith(f"{name}-{net.files[0].sha256[:12]}-")
    session = open_session(path, ON_CPU)
    (given,) = session.get_inputs()
    assert (given.shape, given.type) == (["N", 3, side, side], "tensor(float)")
    assert [taken.shape for taken in session.get_outputs()] == outputs
    assert {taken.type for taken in session.get_outputs()} == {"tensor(float)"}


def test_what_is_enlarged_is_convolved_first_and_the_same(tmp_path: Path) -> None:
    net = catalog.find("selfie")
    (source,) = weights.fetch(net).values()
    converted = tmp_path / "converted.onnx"
    onnx.save(tflite.to_onnx(source.read_bytes()), converted)
    prepared = prepare(net, source, tmp_path, "fp32")
    nodes = onnx.load(prepared).graph.node
    makers = {name: node.op_type for node in nodes for name in node.output}
    enlarged = [makers[node.input[0]] for node in nodes if node.op_type == "Resize"]
    assert enlarged == ["Conv"] * 3
    planes = np.clip(portraits(2, 256) / 4 + 0.5, 0, 1)
    wanted = run(converted, planes)
    assert wanted.max() > 0.9
    np.testing.assert_allclose(run(prepared, planes), wanted, atol=1e-4)


def test_half_precision_halves_a_converted_file_too(tmp_path: Path) -> None:
    net = catalog.find("selfie")
    (tflite,) = weights.fetch(net).values()
    full, half = (prepare(net, tflite, tmp_path, precision) for precision in ("fp32", "fp16"))
    assert half.stat().st_size < 0.6 * full.stat().st_size


def constant_size_model(path: Path, height: int | str = 8) -> Path:
    """A net like IS-Net: unsorted nodes, and a Resize to a constant size that names the batch."""
    planes = [1, 1, height, 8]
    graph = helper.make_graph(
        [
            helper.make_node("Relu", ["enlarged"], ["matte"]),
            helper.make_node("Resize", ["halves", "", "", "sizes"], ["enlarged"], mode="linear"),
            helper.make_node("Neg", ["picture"], ["side"]),
            helper.make_node(
                "MaxPool", ["picture"], ["halves"], kernel_shape=[2, 2], strides=[2, 2]
            ),
        ],
        "net",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, planes)],
        [
            helper.make_tensor_value_info("matte", TensorProto.FLOAT, planes),
            helper.make_tensor_value_info("side", TensorProto.FLOAT, planes),
        ],
        [numpy_helper.from_array(np.array([1, 1, 8, 8], np.int64), "sizes")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.example.unused", 1)]
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=opsets), path)
    return path


def isnet_like() -> Net:
    assert NET.interface is not None
    return replace(NET, name="tiny", family="isnet", interface=replace(NET.interface, output=0))


def test_constant_sizes_become_scales_so_that_batches_pass(tmp_path: Path) -> None:
    source = constant_size_model(tmp_path / "tiny.onnx")
    path = prepare(isnet_like(), source, tmp_path, "fp32")

    model = onnx.load(path)
    assert [node.op_type for node in model.graph.node] == ["MaxPool", "Resize", "Relu"]
    assert [tensor.name for tensor in model.graph.initializer] == ["resize_1_scales"]
    assert [opset.domain for opset in model.opset_import] == [""]

    assert open_session(path, ON_CPU).get_inputs()[0].shape == ["N", 1, 8, 8]
    pictures = np.random.default_rng(7).normal(size=(3, 1, 8, 8)).astype(np.float32)
    alone = [run(source, picture[None], "matte") for picture in pictures]
    np.testing.assert_array_equal(run(path, pictures), np.concatenate(alone))


def test_the_batch_stays_fixed_where_the_scale_is_not_known(tmp_path: Path) -> None:
    source = constant_size_model(tmp_path / "tiny.onnx", "H")
    path = prepare(isnet_like(), source, tmp_path, "fp32")
    assert open_session(path, ON_CPU).get_inputs()[0].shape == [1, 1, "H", 8]


def half_inside_model(path: Path) -> Path:
    """A net between float32 ends whose weights and values are float16; unsorted, and with a side
    output.
    """
    picture = [1, 3, 8, 8]
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["soft"], ["matte"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["deep"], ["side"], to=TensorProto.FLOAT),
            helper.make_node("Sigmoid", ["deep"], ["soft"]),
            helper.make_node("Conv", ["half", "weight"], ["deep"], kernel_shape=[1, 1]),
            helper.make_node("Cast", ["picture"], ["half"], to=TensorProto.FLOAT16),
        ],
        "net",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, picture)],
        [
            helper.make_tensor_value_info("side", TensorProto.FLOAT, [1, 1, 8, 8]),
            helper.make_tensor_value_info("matte", TensorProto.FLOAT, [1, 1, 8, 8]),
        ],
        [
            numpy_helper.from_array(
                np.array([[0.5, -1, 2]], np.float16).reshape(1, 3, 1, 1), "weight"
            )
        ],
    )
    onnx.save(
        helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 15)]), path
    )
    return path


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_net_that_is_in_half_precision_inside_is_served_as_any_other(
    precision: Precision, tmp_path: Path
) -> None:
    source = half_inside_model(tmp_path / "tiny.onnx")
    net = isnet_like()
    assert net.interface is not None
    net = replace(net, interface=replace(net.interface, output="matte"))
    path = prepare(net, source, tmp_path, precision)
    session = open_session(path, ON_CPU)
    (given,), (taken,) = session.get_inputs(), session.get_outputs()
    assert (given.shape, given.type) == (["N", 3, 8, 8], "tensor(float)")
    assert (taken.name, taken.shape, taken.type) == ("matte", ["N", 1, 8, 8], "tensor(float)")
    pictures = np.random.default_rng(7).normal(size=(3, 3, 8, 8)).astype(np.float32)
    red, green, blue = np.moveaxis(pictures, 1, 0)
    true = 1 / (1 + np.exp(-(0.5 * red - green + 2 * blue)))
    assert np.abs(run(path, pictures)[:, 0] - true).max() < 5e-3
