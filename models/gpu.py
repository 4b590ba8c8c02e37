"""What the CUDA driver says of the GPUs that this process may use, and what errors mean there."""

import ctypes
import os
import re

# How ONNX Runtime, CUDA, cuBLAS and cuDNN say that the device's memory is full.
_MEMORY_FULL = re.compile(
    r"out of memory|Failed to allocate memory|ALLOC_FAILED|CUDA failure 2\b", re.IGNORECASE
)
_NAME_BYTES = 256


def why_none() -> str | None:
    """Why no GPU can be used here, or None; GPUs hidden by CUDA_VISIBLE_DEVICES do not count."""
    try:
        driver = _driver()
    except OSError as error:
        return f"no NVIDIA driver was found ({error})"
    count = ctypes.c_int()
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status or not count.value:
        return f"the NVIDIA driver shows no GPU to this process (CUDA error {status})"
    return None


def total_memory_bytes() -> int:
    """Memory of the first GPU. Raises OSError without a driver, RuntimeError without a GPU."""
    driver = _driver()
    device, size = ctypes.c_int(), ctypes.c_size_t()
    status = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDeviceTotalMem_v2(ctypes.byref(size), device)
    )
    if status:
        raise RuntimeError(f"the NVIDIA driver tells no memory size (CUDA error {status})")
    return size.value


def name() -> str:
    """The first GPU's name, as in "NVIDIA H200". Raises as ``total_memory_bytes`` does."""
    driver = _driver()
    device, text = ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES)
    status = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDeviceGetName(text, _NAME_BYTES, device)
    )
    if status:
        raise RuntimeError(f"the NVIDIA driver tells no name (CUDA error {status})")
    return text.value.decode()


def says_memory_full(error: BaseException) -> bool:
    """Whether the error of a run means that the device's memory is full."""
    return _MEMORY_FULL.search(str(error)) is not None


def _driver() -> ctypes.CDLL:
    return ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
