"""Opens ONNX Runtime sessions on the device that was asked for, or says why that cannot be."""

import ctypes
import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import onnxruntime

from models import gpu
from models.catalog import Precision

Device: TypeAlias = Literal["auto", "cpu", "cuda", "tensorrt"]
KnownDevice: TypeAlias = Literal["cpu", "cuda", "tensorrt"]

_PROVIDERS: dict[KnownDevice, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_ERRORS_ONLY = 3


class ProviderUnavailable(RuntimeError):
    """The device that was asked for cannot be used; the text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session is to run."""

    device: Device = "auto"
    threads: int = 1
    """CPU threads for one call of ``run``."""
    gpu_memory_share: float | None = None
    """Upper bound of the memory arena as a share of the GPU's memory; None takes what it needs."""
    tensorrt_cache: Path | None = None
    """Where TensorRT keeps its engines, each of which takes minutes to build; None: nowhere."""
    precision: Precision = "fp32"
    """Lets TensorRT compute in float16. The other devices follow the model file."""
    tf32: bool = True
    """Lets CUDA round the factors of float32 products to 10 bits, which is several times faster."""
    cuda_graphs: bool = False
    """Records the launches of a run and replays them: only for a session whose input and output
    stay in one place, as ``models.binding`` keeps them.
    """
    fixed_axes: Mapping[str, int] = field(default_factory=dict)
    """Sizes, by name, of the model's free axes that this session alone is to run."""


def resolve_device(device: Device) -> KnownDevice:
    """The device that ``auto`` means in this process: "cuda" if a GPU can be used, else "cpu"."""
    if device != "auto":
        return device
    return "cpu" if _why_no_gpu("cuda") else "cuda"


def check_device(device: KnownDevice) -> None:
    """Raises ProviderUnavailable where the device cannot be used, as far as shows without loading
    its provider.
    """
    if device != "cpu" and (reason := _why_no_gpu(device)):
        raise ProviderUnavailable(_sentence(device, reason))


def open_session(model: Path, options: SessionOptions) -> onnxruntime.InferenceSession:
    """A session that runs ``model`` on the device of ``options``.

    Raises ProviderUnavailable where ONNX Runtime would silently have taken another device.
    """
    device = resolve_device(options.device)
    check_device(device)
    if device != "cpu":
        _preload_cuda()
    try:
        session = onnxruntime.InferenceSession(
            model, _settings(options), providers=_providers(device, options), enable_fallback=False
        )
    except RuntimeError as error:
        # The provider's own trouble: what is wrong with a model never comes as a RuntimeError.
        raise ProviderUnavailable(_sentence(device, _link_error(device) or str(error))) from error
    # Neither may a later call of run() rebuild the session on the CPU after an error on the GPU.
    session.disable_fallback()
    if session.get_providers()[0] != _PROVIDERS[device]:
        reason = _link_error(device) or "ONNX Runtime left it out and logged why"
        raise ProviderUnavailable(_sentence(device, reason))
    return session


def _settings(options: SessionOptions) -> onnxruntime.SessionOptions:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    # Its plan of the memory takes up to twice what is used and saves no time.
    settings.enable_mem_pattern = False
    # Threads that wait in a loop for the next step take the cores of other replicas.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.log_severity_level = _ERRORS_ONLY
    for axis, size in options.fixed_axes.items():
        settings.add_free_dimension_override_by_name(axis, size)
    return settings


def _providers(device: KnownDevice, options: SessionOptions) -> list[tuple[str, dict[str, Any]]]:
    """The wanted provider first, after it those that take the nodes that it cannot run."""
    cpu: tuple[str, dict[str, Any]] = (_PROVIDERS["cpu"], {})
    if device == "cpu":
        return [cpu]
    cuda = _PROVIDERS["cuda"], _cuda_options(options)
    if device == "cuda":
        cuda[1]["enable_cuda_graph"] = str(int(options.cuda_graphs))
        return [cuda, cpu]
    return [(_PROVIDERS["tensorrt"], _tensorrt_options(options)), cuda, cpu]


def _cuda_options(options: SessionOptions) -> dict[str, str]:
    chosen = {
        "device_id": "0",
        # The default, powers of two, may take twice what is needed, and replicas share the GPU.
        "arena_extend_strategy": "kSameAsRequested",
        # The default, EXHAUSTIVE, times every algorithm for each batch size, with memory to match.
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": str(int(options.tf32)),
        "do_copy_in_default_stream": "1",
    }
    if options.gpu_memory_share is not None:
        limit = int(gpu.total_memory_bytes() * options.gpu_memory_share)
        chosen["gpu_mem_limit"] = str(limit)
    return chosen


def _tensorrt_options(options: SessionOptions) -> dict[str, str]:
    chosen = {
        "device_id": "0",
        "trt_fp16_enable": str(options.precision == "fp16"),
        "trt_cuda_graph_enable": str(options.cuda_graphs),
    }
    if options.tensorrt_cache is not None:
        # An engine's file is named after its model, not after its shape, nor who wrote it.
        shape = "-".join(f"{axis}{size}" for axis, size in options.fixed_axes.items()) or "free"
        place = options.tensorrt_cache / f"onnxruntime-{onnxruntime.__version__}"
        (place / shape).mkdir(parents=True, exist_ok=True)
        chosen |= {"trt_engine_cache_enable": "True", "trt_engine_cache_path": str(place / shape)}
        chosen |= {"trt_timing_cache_enable": "True", "trt_timing_cache_path": str(place)}
    return chosen


def _why_no_gpu(device: KnownDevice) -> str | None:
    """What speaks against using a GPU, without loading the provider; None if nothing does.

    ONNX Runtime lists every provider that it was built with, whether or not there is a GPU.
    """
    if _PROVIDERS[device] not in onnxruntime.get_available_providers():
        return f"this onnxruntime {onnxruntime.__version__} was built without it"
    return gpu.why_none()


def _preload_cuda() -> None:
    """Lets ONNX Runtime find the CUDA libraries that were installed as Python packages."""
    if hasattr(onnxruntime, "preload_dlls"):
        # It prints what it does not find, needed or not; _link_error() says what was missing.
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            onnxruntime.preload_dlls()


def _link_error(device: KnownDevice) -> str | None:
    """Why the provider's library cannot be loaded, which ONNX Runtime only logs; None if it can."""
    library = f"libonnxruntime_providers_{device}.so"
    try:
        ctypes.CDLL(str(Path(onnxruntime.__file__).parent / "capi" / library))
    except OSError as error:
        return str(error)
    return None


def _sentence(device: KnownDevice, reason: str) -> str:
    reason = " ".join(reason.split()).rstrip(".")
    return f"{_PROVIDERS[device]} was asked for and cannot be used: {reason}."
