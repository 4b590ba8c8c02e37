"""What the CUDA driver says of the GPUs that this process may use."""

import ctypes
import os


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


def _driver() -> ctypes.CDLL:
    return ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
