"""Tensors out of PyTorch's old files, without PyTorch."""

import io
import os
import pickle
import sys
from collections import OrderedDict
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.torch_file import tensors

NUMBERS = np.arange(24, dtype="<f4")
COUNTS = np.array([7, 8, 9], "<i8")


class _Rebuilt:
    """What PyTorch pickles for a tensor: a call of its own function."""

    def __init__(self, rebuild: Any, *told: Any) -> None:
        self.told = rebuild, told

    def __reduce__(self) -> tuple[Any, ...]:
        return self.told


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        return value.told if isinstance(value, _Kept) else None


class _Kept:
    """A storage, of which the pickle holds the kind and the key alone."""

    def __init__(self, kind: type, key: str, count: int) -> None:
        self.told = ("storage", kind, key, "cpu", count, None)


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The names that such a file is written with."""

    def _rebuild_tensor_v2() -> None: ...

    package: Any = ModuleType("torch")
    utils: Any = ModuleType("torch._utils")
    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = (
        "torch._utils",
        "_rebuild_tensor_v2",
    )
    utils.rebuild = utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for kind in ("FloatStorage", "LongStorage", "ByteStorage"):
        setattr(package, kind, type(kind, (), {"__module__": "torch", "__qualname__": kind}))
    package._utils = utils
    monkeypatch.setitem(sys.modules, "torch", package)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return package


def written(
    named: dict[str, Any],
    storages: dict[str, npt.NDArray[Any]],
    magic: int = 0x1950A86A20F9469CFC6C,
) -> bytes:
    file = io.BytesIO()
    for value in (magic, 1001, {"little_endian": True}, OrderedDict(named), sorted(storages)):
        _Pickler(file, protocol=2).dump(value)
    for key in sorted(storages):
        file.write(len(storages[key]).to_bytes(8, "little") + storages[key].tobytes())
    return file.getvalue()


def test_tensors_come_with_their_strides_and_types(torch: Any) -> None:
    floats, longs = _Kept(torch.FloatStorage, "a", 24), _Kept(torch.LongStorage, "b", 3)
    rebuild = torch._utils.rebuild
    named = {
        "plain": _Rebuilt(rebuild, floats, 0, (4, 6), (6, 1), False, OrderedDict()),
        "turned": _Rebuilt(rebuild, floats, 2, (3, 2), (1, 6), False, OrderedDict()),
        "one": _Rebuilt(rebuild, longs, 1, (), (), False, OrderedDict()),
    }
    found = tensors(written(named, {"a": NUMBERS, "b": COUNTS}))
    np.testing.assert_array_equal(found["plain"], NUMBERS.reshape(4, 6))
    np.testing.assert_array_equal(found["turned"], [[2, 8], [3, 9], [4, 10]])
    assert found["one"] == 8 and found["one"].dtype == np.int64
    assert found["turned"].dtype == np.float32 and found["turned"].flags.c_contiguous


@pytest.mark.parametrize("called", [os.getcwd, eval])
def test_nothing_else_is_called(called: Any, torch: Any) -> None:
    with pytest.raises(ValueError, match="is not for tensors"):
        tensors(written({"bad": _Rebuilt(called)}, {}))


def test_a_storage_of_another_type_is_refused(torch: Any) -> None:
    bytes_of = _Kept(torch.ByteStorage, "a", 1)
    named = {"odd": _Rebuilt(torch._utils.rebuild, bytes_of, 0, (1,), (1,), False, None)}
    with pytest.raises(ValueError, match="ByteStorage"):
        tensors(written(named, {"a": np.zeros(1, "u1")}))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a newer file", b"\x80\x02}."])
def test_other_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        tensors(data)


def test_a_file_cut_short_is_refused(torch: Any) -> None:
    floats = _Kept(torch.FloatStorage, "a", 24)
    named = {"x": _Rebuilt(torch._utils.rebuild, floats, 0, (24,), (1,), False, OrderedDict())}
    whole = written(named, {"a": NUMBERS})
    assert len(tensors(whole)["x"]) == 24
    with pytest.raises(ValueError):
        tensors(whole[:-5])


def test_another_magic_number_is_refused(torch: Any) -> None:
    with pytest.raises(ValueError, match="old kind"):
        tensors(written({}, {}, magic=1))
