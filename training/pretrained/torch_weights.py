"""Reads tensors from PyTorch's older weights files, without PyTorch and without running code.

Such a file is a pickle, which could call any function; this reader accepts tensors and refuses everything else.
Layout: magic number, protocol, system, a dictionary of tensors, the storages' keys, the storages.
"""

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES: dict[str, np.dtype] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Tensor(NamedTuple):
    storage: tuple[str, str]  # its type and its key
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Return all tensors of the file by name; ValueError for other content."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001 - a damaged pickle raises whatever its bytes happen to mean
        raise ValueError(
            f"{path} is no weights file of PyTorch's older form (tensors and nothing else): {error}"
        ) from None


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    if (_TensorUnpickler(file).load(), _TensorUnpickler(file).load()) != (MAGIC, PROTOCOL):
        raise ValueError("it begins with another magic number")
    _TensorUnpickler(file).load()  # the system it was written on
    tensors: dict[str, _Tensor] = _TensorUnpickler(file).load()
    keys = _TensorUnpickler(file).load()
    dtypes = {tensor.storage[1]: DTYPES[tensor.storage[0]] for tensor in tensors.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in keys}
    return {name: _view(storages[tensor.storage[1]], tensor) for name, tensor in tensors.items()}


def _read_storage(file: BinaryIO, dtype: Any) -> np.ndarray:
    (count,) = struct.unpack("<q", file.read(8))
    size = count * dtype.itemsize
    content = file.read(size) if count >= 0 else b""
    if len(content) != size:
        raise ValueError("it ends in the middle of a tensor")
    return np.frombuffer(content, dtype)


def _view(storage: np.ndarray, tensor: _Tensor) -> np.ndarray:
    last = tensor.offset + sum(
        (size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    if min(tensor.offset, *tensor.strides, *tensor.shape, 0) < 0 or last >= len(storage):
        raise ValueError("a tensor reaches beyond its storage")
    strides = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides).copy()


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that accepts only the three names in a file of tensors."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the replacement for a name; UnpicklingError for all but the three names."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        """("storage", type, key, device, count, view) → (type, key)."""
        return pid[1], pid[2]


def _rebuild(storage: Any, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))
