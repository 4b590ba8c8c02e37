from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pytest

from models import catalog, precision, runtimes, weights
from models.catalog import WantedPrecision
from models.matting import Loader
from models.precision import Choice, Wanted, best, check_on_gpu, choose
from models.runtimes import Runtime, WantedRuntime
from models.session import ProviderUnavailable, SessionOptions
from models.trial import Trial, Way

ON_CPU = SessionOptions(device="cpu")
NOWHERE = Path("nowhere")
ORT_FP32, ORT_INT8 = Way("onnxruntime", "fp32"), Way("onnxruntime", "int8")
OV_FP32, OV_INT8 = Way("openvino", "fp32"), Way("openvino", "int8")
# As on a CPU with int8 dot products.
USUAL_S = {ORT_FP32: 0.24, ORT_INT8: 0.13, OV_FP32: 0.21, OV_INT8: 0.09}

Become = Callable[..., list[list[Way]]]


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> Become:
    """Makes this machine's CPU saturate in some runtimes, and take so many seconds a way. What is
    returned fills with the ways that were tried.
    """

    def become(
        *,
        inexact: tuple[Runtime, ...] = (),
        openvino: bool = True,
        taken_s: Mapping[Way, float] = USUAL_S,
    ) -> list[list[Way]]:
        tried: list[list[Way]] = []

        def measured(trial: Trial, ways: list[Way]) -> list[float]:
            tried.append(ways)
            return [taken_s[way] for way in ways]

        missing = None if openvino else "No module named 'openvino'"
        monkeypatch.setattr("models.openvino_session.why_not", lambda: missing)
        monkeypatch.setattr(precision, "saturates", lambda runtime: runtime in inexact)
        monkeypatch.setattr(precision, "measured_s", measured)
        return tried

    return become


def chosen(
    name: str, wanted: WantedPrecision, runtime: WantedRuntime, options: SessionOptions = ON_CPU
) -> Choice:
    return choose(catalog.find(name), NOWHERE, NOWHERE, Wanted(wanted, runtime), options)


BOTH: tuple[Runtime, ...] = ("onnxruntime", "openvino")


@pytest.mark.parametrize(
    ("wanted", "runtime", "inexact", "tried", "way"),
    [
        ("auto", "auto", (), [ORT_FP32, ORT_INT8, OV_INT8], OV_INT8),
        ("auto", "onnxruntime", (), [ORT_FP32, ORT_INT8], ORT_INT8),
        ("auto", "openvino", (), [OV_FP32, OV_INT8], OV_INT8),
        # However fast int8 is, its mattes would be wrong.
        ("auto", "auto", BOTH, [ORT_FP32, OV_FP32], ORT_FP32),
        ("auto", "auto", ("openvino",), [ORT_FP32, OV_FP32, ORT_INT8], ORT_INT8),
        ("auto", "auto", ("onnxruntime",), [ORT_FP32, OV_INT8], OV_INT8),
        ("auto", "onnxruntime", BOTH, [], ORT_FP32),
        ("auto", "openvino", BOTH, [], OV_FP32),
        ("int8", "auto", (), [ORT_INT8, OV_INT8], OV_INT8),
        ("int8", "auto", ("openvino",), [], ORT_INT8),
        ("int8", "auto", BOTH, [], ORT_INT8),
        ("int8", "openvino", BOTH, [], OV_INT8),
        ("fp32", "auto", (), [ORT_FP32, OV_FP32], ORT_FP32),
        ("fp32", "openvino", (), [], OV_FP32),
        ("fp16", "onnxruntime", (), [], Way("onnxruntime", "fp16")),
    ],
)
def test_what_is_tried_and_taken_on_a_cpu(
    cpu: Become,
    wanted: WantedPrecision,
    runtime: WantedRuntime,
    inexact: tuple[Runtime, ...],
    tried: list[Way],
    way: Way,
) -> None:
    trials = cpu(inexact=inexact)
    assert chosen("u2netp", wanted, runtime).way == way
    assert trials == ([tried] if tried else [])


@pytest.mark.parametrize("wanted", ["auto", "int8", "fp32"])
@pytest.mark.parametrize(
    ("runtime", "way"), [("auto", ORT_FP32), ("onnxruntime", ORT_FP32), ("openvino", OV_FP32)]
)
def test_a_net_without_ranges_is_not_tried(
    cpu: Become, wanted: WantedPrecision, runtime: WantedRuntime, way: Way
) -> None:
    trials = cpu()
    assert chosen("selfie", wanted, runtime).way == way
    assert not trials


def test_without_openvino_auto_tries_onnx_runtime_alone(cpu: Become) -> None:
    trials = cpu(openvino=False)
    assert chosen("u2netp", "auto", "auto").way == ORT_INT8
    assert trials == [[ORT_FP32, ORT_INT8]]


@pytest.mark.parametrize("name", ["u2netp", "selfie"])
def test_openvino_asked_for_and_not_installed_is_said_in_a_sentence(cpu: Become, name: str) -> None:
    cpu(openvino=False)
    said = r"^OpenVINO was asked for and cannot be used: No module .*idphoto-serve\[openvino\]\.$"
    with pytest.raises(ProviderUnavailable, match=said):
        chosen(name, "auto", "openvino")


def test_int8_that_saturates_is_taken_only_with_a_word_about_it(cpu: Become) -> None:
    cpu(inexact=BOTH)
    assert chosen("u2netp", "int8", "auto").why == "asked for, but its sums saturate here"
    assert chosen("u2netp", "auto", "openvino").why == "this CPU has no exact int8 products"


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
@pytest.mark.parametrize("runtime", ["auto", "onnxruntime"])
@pytest.mark.parametrize(
    ("wanted", "taken"), [("auto", "fp16"), ("fp16", "fp16"), ("fp32", "fp32")]
)
def test_the_precision_on_a_gpu(
    device: Literal["cuda", "tensorrt"],
    runtime: WantedRuntime,
    wanted: WantedPrecision,
    taken: str,
) -> None:
    way = chosen("u2netp", wanted, runtime, SessionOptions(device=device)).way
    assert way == ("onnxruntime", taken)
    check_on_gpu(Wanted(wanted, runtime))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted("int8"), "int8 is for the CPU"),
        (Wanted("auto", "openvino"), "openvino is for the CPU"),
    ],
)
def test_what_a_gpu_does_not_run_is_refused(wanted: Wanted, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_on_gpu(wanted)
    with pytest.raises(ValueError, match=message):
        chosen("u2netp", wanted.precision, wanted.runtime, SessionOptions(device="cuda"))


@pytest.mark.parametrize(
    ("taken_s", "way"),
    [
        ({ORT_FP32: 0.26, ORT_INT8: 0.2}, ORT_INT8),
        ({ORT_FP32: 0.259, ORT_INT8: 0.2}, ORT_FP32),
        ({ORT_FP32: 0.1, ORT_INT8: 0.2}, ORT_FP32),
        ({ORT_FP32: 0.23, OV_FP32: 0.2}, OV_FP32),
        ({ORT_FP32: 0.229, OV_FP32: 0.2}, ORT_FP32),
        # Faster than ONNX Runtime, yet not worth what int8 costs the matte.
        ({ORT_FP32: 0.24, ORT_INT8: 0.26, OV_INT8: 0.2}, ORT_FP32),
        ({ORT_FP32: 0.26, ORT_INT8: 0.26, OV_INT8: 0.2}, OV_INT8),
        # Faster than fp32, but not by enough to leave ONNX Runtime.
        ({ORT_FP32: 0.4, ORT_INT8: 0.2, OV_INT8: 0.18}, ORT_INT8),
        ({ORT_FP32: 0.4, OV_FP32: 0.2, ORT_INT8: 0.18}, OV_FP32),
    ],
)
def test_openvino_must_be_faster_by_a_seventh_and_int8_by_a_third(
    taken_s: dict[Way, float], way: Way
) -> None:
    assert best(taken_s).way == way


def test_the_reason_names_every_time() -> None:
    why = best({ORT_FP32: 0.26, ORT_INT8: 0.2, OV_INT8: 0.1234}).why
    assert why == (
        "CPU-ms a photo here: fp32 by onnxruntime 260, int8 by onnxruntime 200, "
        "int8 by openvino 123"
    )


@pytest.mark.parametrize("way", [ORT_INT8, OV_INT8])
def test_the_loader_runs_what_was_chosen_and_says_so(
    way: Way, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def choice(*arguments: object) -> Choice:
        asked.append(arguments[3])
        return Choice(way, "tried")

    monkeypatch.setattr("models.matting.choose", choice)
    opened = []
    real = runtimes.open_run

    def spy(model: Path, runtime: Runtime, options: SessionOptions) -> runtimes.Run:
        opened.append((model.name.rpartition("-")[2], runtime, options.precision))
        return real(model, runtime, options)

    monkeypatch.setattr("models.matting.open_run", spy)
    caplog.set_level("INFO")
    folder = weights.default_folder()
    Loader({"saliency": "u2netp"}, ON_CPU, folder, precision="auto", runtime="auto")()
    assert asked == [Wanted("auto", "auto")]
    assert opened == [("int8.onnx", way.runtime, "int8")]
    assert caplog.messages == [f"u2netp runs in int8 by {way.runtime}: tried"]
