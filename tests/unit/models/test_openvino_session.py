"""OpenVINO runs the nets' files as ONNX Runtime does. It is installed for development, so that
these tests run everywhere.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from models import catalog, openvino_session, weights
from models.catalog import Precision
from models.matting import Loader, interface, normalise
from models.openvino_session import compile_net, why_not
from models.prepare import prepare
from models.runtimes import Runtime, open_run
from models.saturation import greatest_products, saturates
from models.session import ProviderUnavailable, SessionOptions
from pipeline.values import Rgb

Planes = npt.NDArray[np.float32]
ON_CPU = SessionOptions(device="cpu")
NAMES = ["astronaut", "cat", "coffee-cup", "grace-hopper", "gt-curly-mono", "gt-denim", "gt-lace"]
FLOAT_ROUNDING = 1e-4


def opened(
    name: str, runtime: Runtime, precision: Precision, threads: int = 1
) -> Callable[[Planes], Planes]:
    net, folder = catalog.find(name), weights.default_folder()
    (source,) = weights.fetch(net, folder).values()
    options = SessionOptions(device="cpu", threads=threads)
    return open_run(prepare(net, source, folder, precision), runtime, options)


def planes(name: str, frames: list[Rgb]) -> Planes:
    return normalise(frames, interface(catalog.find(name)))


@pytest.fixture
def frames(load_rgb: Callable[[str], Rgb]) -> list[Rgb]:
    return [load_rgb(f"{name}.png") for name in NAMES]


# --- The same mattes -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["u2netp", "selfie"])
def test_in_fp32_it_answers_as_onnx_runtime_does(name: str, frames: list[Rgb]) -> None:
    given = planes(name, frames[:3])
    here, there = (opened(name, runtime, "fp32")(given) for runtime in ("onnxruntime", "openvino"))
    assert there.shape == here.shape
    assert there.dtype == np.float32
    assert here.std() > 0.1
    np.testing.assert_allclose(there, here, atol=FLOAT_ROUNDING)


@pytest.mark.skipif(saturates("openvino"), reason="this CPU has no exact int8 products")
def test_in_int8_the_mattes_are_close_to_fp32_of_onnx_runtime(frames: list[Rgb]) -> None:
    """The gate that holds for int8 in ONNX Runtime."""
    given = planes("u2netp", frames)
    exact = opened("u2netp", "onnxruntime", "fp32")(given)
    errors = np.abs(opened("u2netp", "openvino", "int8")(given) - exact).mean(axis=(1, 2, 3))
    assert errors.mean() < 0.005
    assert errors.max() > 10 * FLOAT_ROUNDING  # it does run in int8


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_batch_gives_what_its_frames_give_alone(precision: Precision, frames: list[Rgb]) -> None:
    run = opened("u2netp", "openvino", precision)
    given = planes("u2netp", frames[:4])
    together = run(given)
    alone = [run(given[at : at + 1]) for at in range(4)]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    assert len({alpha.tobytes() for alpha in together}) == 4


@pytest.mark.parametrize(("callers", "threads"), [(2, 1), (2, 2), (5, 2)])
def test_callers_at_once_get_their_own_answers(
    callers: int, threads: int, frames: list[Rgb]
) -> None:
    """Also more of them than the net has threads."""
    given = [planes("u2netp", [frame]) for frame in frames]
    expected = [opened("u2netp", "openvino", "fp32")(each) for each in given]
    run = opened("u2netp", "openvino", "fp32", threads)
    with ThreadPoolExecutor(callers) as pool:
        answers = list(pool.map(run, given * 2))
    for answer, alone in zip(answers, expected * 2, strict=True):
        np.testing.assert_allclose(answer, alone, atol=FLOAT_ROUNDING)


def test_wrong_frames_spoil_nothing_for_later_ones(frames: list[Rgb]) -> None:
    run = opened("selfie", "openvino", "fp32", threads=2)
    given = planes("selfie", frames[:1])
    expected = run(given)

    def wrong(_: int) -> None:
        with pytest.raises(RuntimeError, match="shape"):
            run(np.zeros((1, 3, 64, 64), np.float32))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(wrong, range(8)))
        answers = list(pool.map(run, [given] * 4))
    for answer in answers:
        np.testing.assert_allclose(answer, expected, atol=FLOAT_ROUNDING)


def test_an_answer_stays_what_it_was_and_its_input_too(frames: list[Rgb]) -> None:
    run = opened("selfie", "openvino", "fp32")
    given = planes("selfie", frames[:2])
    given.setflags(write=False)
    before = given.copy()
    first = run(given[:1])
    kept = first.copy()
    run(given[1:])
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(given, before)


def test_the_loader_answers_in_alphas(frames: list[Rgb]) -> None:
    nets, folder = {"person": "selfie", "saliency": "u2netp"}, weights.default_folder()
    plain = Loader(nets, ON_CPU, folder)()
    other = Loader(nets, ON_CPU, folder, warm_batches=(1, 2), runtime="openvino")()
    for role in nets:
        mattes = (loaded[role].matte(frames[:2]) for loaded in (plain, other))
        for here, there in zip(*mattes, strict=True):
            assert there.dtype == np.uint8
            assert np.abs(here.astype(int) - there).max() <= 1


def test_a_frame_of_another_size_is_an_error() -> None:
    run = opened("selfie", "openvino", "fp32")
    with pytest.raises(RuntimeError, match="shape"):
        run(np.zeros((1, 3, 64, 64), np.float32))


# --- How it runs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 1), (2, 2)])
def test_threads_precision_and_pinning_are_set(threads: int, streams: int) -> None:
    net, folder = catalog.find("selfie"), weights.default_folder()
    (source,) = weights.fetch(net, folder).values()
    model = prepare(net, source, folder, "fp32")
    options = SessionOptions("cpu", threads=threads)
    compiled = openvino_session.compiled(model, options, streams)
    assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
    assert compiled.get_property("NUM_STREAMS") == streams
    assert compiled.get_property("ENABLE_CPU_PINNING") is False
    assert compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


def test_the_check_for_saturation_convolves_in_int8(tmp_path: Path) -> None:
    """In float every CPU would be found exact."""
    path = tmp_path / "greatest_products.onnx"
    onnx.save(greatest_products(), path)
    steps = openvino_session.compiled(path, ON_CPU).get_runtime_model().get_ordered_ops()
    found = [dict(step.get_rt_info().items()) for step in steps]
    (convolution,) = [about for about in found if about["layerType"].astype(str) == "Convolution"]
    assert convolution["runtimePrecision"].astype(str) == "u8"


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    openvino_session._module.cache_clear()


@pytest.mark.usefixtures("without_openvino")
def test_where_it_is_not_installed_that_is_said_in_a_sentence(tmp_path: Path) -> None:
    assert "openvino" in str(why_not())
    with pytest.raises(ProviderUnavailable, match=r"asked for and cannot be used: .*openvino\]\.$"):
        compile_net(tmp_path / "any.onnx", ON_CPU)


def test_a_model_that_is_broken_is_not_called_a_missing_runtime(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(RuntimeError) as caught:
        compile_net(path, ON_CPU)
    assert not isinstance(caught.value, ProviderUnavailable)


def test_it_does_not_report_to_its_maker(tmp_path: Path) -> None:
    """Its import would write an identity below the home folder and send it."""
    script = (
        "import sys; from models.openvino_session import why_not; assert why_not() is None;"
        "assert not [name for name, module in sys.modules.items()"
        " if name.startswith('openvino_telemetry') and module]"
    )
    home = tmp_path / "home"
    home.mkdir()
    # What makes OpenVINO think of a build server, where it does not report anyway.
    servers = {"CI", "TF_BUILD", "JENKINS_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in servers}
    environment |= {
        "HOME": str(home),
        "PYTHONPATH": str(Path(openvino_session.__file__).parents[1]),
    }
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert not list(home.iterdir())
