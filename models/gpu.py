"""What the CUDA driver says of this process's first GPU."""

import ctypes


def total_memory_mb() -> int:
    """Memory of the GPU in MiB. Raises OSError without a driver and RuntimeError without a GPU."""
    driver = ctypes.CDLL("libcuda.so.1")
    device, size = ctypes.c_int(), ctypes.c_size_t()
    status = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDeviceTotalMem_v2(ctypes.byref(size), device)
    )
    if status:
        raise RuntimeError(f"the CUDA driver tells no memory size (error {status})")
    return size.value // 2**20
