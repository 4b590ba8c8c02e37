"""Reads the tensors of a PyTorch file, of the kind that was written before version 1.6, without
PyTorch.

Such a file is five pickles, of which the fourth is the dictionary of tensors and the fifth the
order of their storages, and then each storage: its count of numbers, and the numbers.
"""

import io
import pickle
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}
_COUNT_BYTES = 8


class _Storage(NamedTuple):
    """What the dictionary says of a storage, which comes later in the file."""

    key: str
    dtype: np.dtype[Any]


class _Tensor(NamedTuple):
    """A tensor before its storage is read; offset and strides count numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Knows the four names that such a file needs: a pickle may call whatever its reader finds."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if module == "torch" and name in _DTYPES:
            return name
        raise ValueError(f"the file wants {module}.{name}, which is not for tensors")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_ = pid
        return _Storage(key, _DTYPES[kind])


def _rebuilt(storage: _Storage, offset: int, shape: Any, strides: Any, *_: object) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def tensors(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """The tensors of the file ``data`` by their names: float32 or int64, contiguous.

    Raises ValueError for other data and for a file that holds anything but tensors.
    """
    stream = io.BytesIO(data)
    try:
        magic, _, _, named, keys = (_Unpickler(stream).load() for _ in range(5))
        if magic != _MAGIC:
            raise ValueError("this is not a PyTorch file of the old kind")
        dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in named.values()}
        storages = {key: _numbers(stream, dtypes[key]) for key in keys}
        return {name: _array(tensor, storages) for name, tensor in named.items()}
    except (pickle.UnpicklingError, EOFError, LookupError, AttributeError, TypeError) as error:
        raise ValueError(f"this is not a PyTorch file of the old kind: {error}") from error


def _numbers(stream: io.BytesIO, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    count = int.from_bytes(stream.read(_COUNT_BYTES), "little")
    return np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)


def _array(tensor: _Tensor, storages: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The numbers in the tensor's order: a storage may hold another axis last."""
    numbers = storages[tensor.storage.key]
    places = np.full(tensor.shape, tensor.offset)
    for axis, (length, stride) in enumerate(zip(tensor.shape, tensor.strides, strict=True)):
        steps = np.arange(length) * stride
        places += steps.reshape(-1, *[1] * (len(tensor.shape) - axis - 1))
    return np.asarray(numbers[places], numbers.dtype)
