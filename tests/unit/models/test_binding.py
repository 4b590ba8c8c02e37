"""What needs no GPU: ONNX Runtime binds on the CPU as well, and stand-ins fail as a GPU would."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import get_ident
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper
from onnxruntime import InferenceSession

from models import binding, catalog, weights
from models.binding import BoundNet, Slot, bind
from models.matting import Loader, MattingNet
from models.prepare import prepare
from models.session import ProviderUnavailable, SessionOptions, open_session
from pipeline.values import Rgb

ON_CPU = SessionOptions(device="cpu")
SIDE = 4
LOG = logging.getLogger("binding")

Planes = npt.NDArray[np.float32]


def model(folder: Path, batch: str | int = "N") -> Path:
    """A net whose matte is the sum of the three planes."""
    given = helper.make_tensor_value_info("in", TensorProto.FLOAT, [batch, 3, SIDE, SIDE])
    made = helper.make_tensor_value_info("out", TensorProto.FLOAT, [batch, 1, SIDE, SIDE])
    node = helper.make_node("ReduceSum", ["in", "axes"], ["out"], keepdims=1)
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    path = folder / "sum.onnx"
    graph = helper.make_graph([node], "sum", [given], [made], [axes])
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=opsets), path)
    return path


def photos(count: int) -> Planes:
    return np.random.default_rng(count).random((count, 3, SIDE, SIDE), np.float32)


def sums(planes: Planes) -> Planes:
    return np.asarray(planes.sum(axis=1, keepdims=True))


class Recorder:
    """Stands for a session: runs the real one on the CPU, notes the graph's number, and fails on
    request.
    """

    def __init__(self, session: InferenceSession, fails: Mapping[tuple[int, bool], str]) -> None:
        self.session, self.fails = session, fails
        self.runs: list[tuple[int, str]] = []
        self.threads: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def run_with_iobinding(self, bound: Any, options: Any) -> None:
        graph_id = options.get_run_config_entry("gpu_graph_id")
        size = bound.get_outputs()[0].shape()[0]
        self.runs.append((size, graph_id))
        self.threads.add(get_ident())
        if message := self.fails.get((size, graph_id != "-1")):
            raise Exception(message)
        self.session.run_with_iobinding(bound, options)


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[SessionOptions, Recorder]]]:
    """Makes sessions of this module fail at these sizes, with or without a graph; what is returned
    fills with the sessions that are opened and their options.
    """

    def start(
        fails: Mapping[tuple[int, bool], str] | None = None,
    ) -> list[tuple[SessionOptions, Recorder]]:
        opened: list[tuple[SessionOptions, Recorder]] = []

        def spy(path: Path, options: SessionOptions) -> InferenceSession:
            session = open_session(path, replace(options, device="cpu"))
            # A session without graphs takes no heed of their numbers.
            found = {} if fails is None else {**fails}
            if not options.cuda_graphs:
                found = {at: said for at, said in found.items() if not at[1]}
            opened.append((options, Recorder(session, found)))
            return cast(InferenceSession, opened[-1][1])

        monkeypatch.setattr(binding, "open_session", spy)
        return opened

    return start


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize("sizes", [(1, 2, 4, 8), (8,), (1,), (3,)])
def test_any_number_of_photos_runs_in_the_given_sizes(
    tmp_path: Path, count: int, sizes: tuple[int, ...]
) -> None:
    net = bind(model(tmp_path), ON_CPU, SIDE, sizes, LOG)
    given = photos(count)
    first, second = net(given), net(given[::-1].copy())
    np.testing.assert_allclose(first, sums(given), rtol=1e-6)
    np.testing.assert_array_equal(second, first[::-1])
    assert first.shape == (count, 1, SIDE, SIDE)
    assert first.dtype == np.float32
    assert set(net.seconds) == set(sizes)


def test_input_is_left_alone_and_may_be_read_only(tmp_path: Path) -> None:
    net = bind(model(tmp_path), ON_CPU, SIDE, (1, 4), LOG)
    given = photos(3)
    before = given.copy()
    given.setflags(write=False)
    net(given)
    np.testing.assert_array_equal(given, before)


def test_the_input_of_the_photos_before_does_not_show_through(tmp_path: Path) -> None:
    slot = Slot(open_session(model(tmp_path), ON_CPU), 4, SIDE, "cpu")
    slot.run(photos(4))
    np.testing.assert_allclose(slot.run(photos(2)), sums(photos(2)), rtol=1e-6)


def test_a_net_with_a_fixed_batch_runs_in_that_size_alone(tmp_path: Path) -> None:
    net = bind(model(tmp_path, batch=2), ON_CPU, SIDE, (1, 2, 4), LOG)
    assert set(net.seconds) == {2}
    np.testing.assert_allclose(net(photos(5)), sums(photos(5)), rtol=1e-6)


def test_each_size_runs_plainly_before_its_graph_and_the_largest_first(
    tmp_path: Path, record: Callable[..., Any]
) -> None:
    opened = record()
    bind(model(tmp_path), replace(ON_CPU, cuda_graphs=True), SIDE, (1, 2, 4), LOG)
    ((options, session),) = opened
    assert options.cuda_graphs
    first = [run for at, run in enumerate(session.runs) if run not in session.runs[:at]]
    assert first == [(4, "-1"), (4, "4"), (2, "-1"), (2, "2"), (1, "-1"), (1, "1")]


def test_all_runs_of_a_net_are_in_one_thread_of_its_own(
    tmp_path: Path, record: Callable[..., Any]
) -> None:
    opened = record()
    net = bind(model(tmp_path), ON_CPU, SIDE, (1, 2), LOG)
    net(photos(3))
    ((_, session),) = opened
    assert len(session.threads) == 1
    assert get_ident() not in session.threads


def test_a_net_that_cannot_be_recorded_runs_without_graphs_and_says_so(
    tmp_path: Path, record: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    opened = record({(2, True): "CUDA failure 900: operation not permitted"})
    net = bind(model(tmp_path), replace(ON_CPU, cuda_graphs=True), SIDE, (1, 2), LOG)
    assert [options.cuda_graphs for options, _ in opened] == [True, False]
    assert caplog.messages == [
        "sum runs without CUDA graphs: CUDA failure 900: operation not permitted"
    ]
    np.testing.assert_allclose(net(photos(3)), sums(photos(3)), rtol=1e-6)


def test_a_net_that_does_not_run_at_all_stops_the_start(
    tmp_path: Path, record: Callable[..., Any]
) -> None:
    record({(2, False): "CUDA failure 700: an illegal memory access was encountered"})
    with pytest.raises(Exception, match="CUDA failure 700"):
        bind(model(tmp_path), replace(ON_CPU, cuda_graphs=True), SIDE, (1, 2), LOG)


def test_a_device_that_cannot_be_used_is_not_tried_without_graphs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(path: Path, options: SessionOptions) -> InferenceSession:
        tried.append(options)
        raise ProviderUnavailable("no NVIDIA driver was found")

    monkeypatch.setattr(binding, "open_session", refuse)
    with pytest.raises(ProviderUnavailable):
        bind(model(tmp_path), SessionOptions("cuda", cuda_graphs=True), SIDE, (1, 2), LOG)
    assert len(tried) == 1


def test_a_size_that_does_not_fit_the_memory_is_left_out_with_a_warning(
    tmp_path: Path, record: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    record({(8, False): "Failed to allocate memory for requested buffer of size 1"})
    net = bind(model(tmp_path), ON_CPU, SIDE, (1, 2, 4, 8), LOG)
    assert set(net.seconds) == {1, 2, 4}
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("batches of 8 do not fit the GPU's memory: Failed")
    np.testing.assert_allclose(net(photos(8)), sums(photos(8)), rtol=1e-6)


def test_a_memory_that_holds_no_photo_stops_the_start(
    tmp_path: Path, record: Callable[..., Any]
) -> None:
    record({(size, False): "CUDA failure 2: out of memory" for size in (1, 2)})
    with pytest.raises(Exception, match="out of memory"):
        bind(model(tmp_path), ON_CPU, SIDE, (1, 2), LOG)


def test_a_memory_that_fills_up_later_halves_the_batch(
    tmp_path: Path, record: Callable[..., Any]
) -> None:
    opened = record()
    row = catalog.find("selfie")
    assert row.interface is not None
    row = replace(row, interface=replace(row.interface, size_px=SIDE, mean=(0, 0, 0)))
    matting = MattingNet(row, bind(model(tmp_path), ON_CPU, SIDE, (1, 2, 4), LOG))
    ((_, session),) = opened
    session.fails = {(4, True): "CUDA failure 2: out of memory"}
    session.runs.clear()
    frames: list[Rgb] = [np.full((SIDE, SIDE, 3), level, np.uint8) for level in (9, 20, 31, 42)]
    # However the times fell, 4 photos that ran one by one have not met the full memory.
    matting._run.seconds.update({1: 10.0, 2: 2.0, 4: 3.0})  # type: ignore[attr-defined]
    assert [int(alpha[0, 0]) for alpha in matting.matte(frames)] == [27, 60, 93, 126]
    assert matting.halved_batches == 1
    assert [size for size, _ in session.runs] == [4, 2, 2]


def test_on_tensorrt_each_size_has_a_session_of_its_own_shape(
    tmp_path: Path, record: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = record()
    monkeypatch.setattr(
        binding, "Slot", lambda session, size, side, place: Slot(session, size, side, "cpu")
    )
    options = SessionOptions("tensorrt", cuda_graphs=True)
    net = bind(model(tmp_path), options, SIDE, (1, 2, 4), LOG)
    shapes = [dict(options.fixed_axes) for options, _ in opened]
    assert shapes == [{"N": size, "H": SIDE, "W": SIDE} for size in (1, 2, 4)]
    for size, (_, session) in zip((1, 2, 4), opened, strict=True):
        assert session.get_inputs()[0].shape == [size, 3, SIDE, SIDE]
        assert {ran for ran, _ in session.runs} == {size}
    np.testing.assert_allclose(net(photos(7)), sums(photos(7)), rtol=1e-6)


@pytest.mark.parametrize(("batch", "sessions"), [(1, 2), (2, 1)])
def test_on_tensorrt_a_fixed_batch_is_not_opened_for_every_size(
    tmp_path: Path,
    record: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    sessions: int,
) -> None:
    opened = record()
    monkeypatch.setattr(
        binding, "Slot", lambda session, size, side, place: Slot(session, size, side, "cpu")
    )
    net = bind(model(tmp_path, batch), SessionOptions("tensorrt"), SIDE, (1, 2, 4, 8), LOG)
    assert len(opened) == sessions
    assert set(net.seconds) == {batch}


@pytest.mark.parametrize("name", ["selfie", "u2netp"])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_real_nets_give_bound_what_they_give_plainly(name: str, precision: Any) -> None:
    net = catalog.find(name)
    assert net.interface is not None
    side = net.interface.size_px
    folder = weights.default_folder()
    (source,) = weights.fetch(net, folder).values()
    path = prepare(net, source, folder, precision)
    given = np.random.default_rng(1).normal(size=(3, 3, side, side)).astype(np.float32)
    session = open_session(path, ON_CPU)
    (plain,) = session.run(None, {session.get_inputs()[0].name: given})
    bound = bind(path, ON_CPU, side, (2,), LOG)(given)
    np.testing.assert_allclose(bound, plain, atol=1e-5)


def test_the_loader_binds_on_a_gpu_in_the_sizes_that_it_warms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def spy(path: Path, options: SessionOptions, *rest: Any) -> BoundNet:
        asked.append((path.name.rpartition("-")[2], options, *rest))
        return bind(path, replace(options, device="cpu"), *rest)

    monkeypatch.setattr("models.matting.bind", spy)
    options = SessionOptions("cuda", cuda_graphs=True)
    loader = Loader(
        {"person": "selfie"}, options, weights.default_folder(), (1, 2), precision="auto", log=LOG
    )
    nets = loader()
    assert asked == [("fp16.onnx", replace(options, precision="fp16"), 256, (1, 2), LOG)]
    (alpha,) = nets["person"].matte([np.zeros((256, 256, 3), np.uint8)])
    assert alpha.shape == (256, 256)
