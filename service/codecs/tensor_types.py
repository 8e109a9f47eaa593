"""Element types of tensors with their three names: NumPy's, the Open Inference Protocol's, TensorFlow's."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
STRING = "string"  # elements are `bytes`, in arrays of dtype object


class TensorSpec(NamedTuple):
    """One named tensor: element type (NumPy's name, or `string`), and shape with None for free sizes."""

    dtype: str
    shape: tuple[int | None, ...]


class TensorType(NamedTuple):
    """One element type; itemsize in bytes, 0 where elements differ in length."""

    name: str
    open_inference: str
    tensorflow: str
    tensorflow_short: str
    itemsize: int


TYPES = [
    TensorType("bool", "BOOL", "DT_BOOL", "bool", 1),
    TensorType("uint8", "UINT8", "DT_UINT8", "uint8", 1),
    TensorType("uint16", "UINT16", "DT_UINT16", "uint16", 2),
    TensorType("uint32", "UINT32", "DT_UINT32", "uint32", 4),
    TensorType("uint64", "UINT64", "DT_UINT64", "uint64", 8),
    TensorType("int8", "INT8", "DT_INT8", "int8", 1),
    TensorType("int16", "INT16", "DT_INT16", "int16", 2),
    TensorType("int32", "INT32", "DT_INT32", "int32", 4),
    TensorType("int64", "INT64", "DT_INT64", "int64", 8),
    TensorType("float16", "FP16", "DT_HALF", "half", 2),
    TensorType("float32", "FP32", "DT_FLOAT", "float", 4),
    TensorType("float64", "FP64", "DT_DOUBLE", "double", 8),
    TensorType(STRING, "BYTES", "DT_STRING", "string", 0),
]
BY_NAME = {one.name: one for one in TYPES}
BY_OPEN_INFERENCE = {one.open_inference: one for one in TYPES}


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of that element type: object for strings."""
    return np.dtype(object) if name == STRING else np.dtype(name)


def shape_text(shape: tuple[int | None, ...] | list[int]) -> str:
    """`[-1,28,28,1]`, as both protocols write shapes."""
    return f"[{','.join(str(-1 if size is None else size) for size in shape)}]"
