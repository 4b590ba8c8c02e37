import ctypes
from types import SimpleNamespace
from typing import Any

import pytest

from models import gpu


class Driver(SimpleNamespace):
    """Stands for libcuda with one GPU; ``status`` is what each of its functions returns."""

    def __init__(self, status: int = 0) -> None:
        super().__init__(
            cuInit=lambda flags: status, cuDeviceGet=lambda device, index: status, status=status
        )

    def cuDeviceGetName(self, text: Any, size: int, device: Any) -> int:
        text.value = b"NVIDIA T4"[: size - 1]
        return int(self.status)

    def cuDeviceTotalMem_v2(self, size: Any, device: Any) -> int:
        ctypes.cast(size, ctypes.POINTER(ctypes.c_size_t))[0] = 16 * 2**30
        return int(self.status)


def test_name_and_memory_are_the_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_driver", Driver)
    assert gpu.name() == "NVIDIA T4"
    assert gpu.total_memory_bytes() == 16 * 2**30


def test_a_driver_that_fails_is_an_error_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_driver", lambda: Driver(status=100))
    for asked in (gpu.name, gpu.total_memory_bytes):
        with pytest.raises(RuntimeError, match="CUDA error 100"):
            asked()
