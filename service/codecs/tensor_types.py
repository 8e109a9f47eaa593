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
    """One element type."""

    name: str
    open_inference: str
    tensorflow_short: str

    @property
    def tensorflow(self) -> str:
        """TensorFlow's name in a signature."""
        return f"DT_{self.tensorflow_short.upper()}"


TYPES = [
    TensorType("bool", "BOOL", "bool"),
    TensorType("uint8", "UINT8", "uint8"),
    TensorType("uint16", "UINT16", "uint16"),
    TensorType("uint32", "UINT32", "uint32"),
    TensorType("uint64", "UINT64", "uint64"),
    TensorType("int8", "INT8", "int8"),
    TensorType("int16", "INT16", "int16"),
    TensorType("int32", "INT32", "int32"),
    TensorType("int64", "INT64", "int64"),
    TensorType("float16", "FP16", "half"),
    TensorType("float32", "FP32", "float"),
    TensorType("float64", "FP64", "double"),
    TensorType(STRING, "BYTES", "string"),
]
BY_NAME = {one.name: one for one in TYPES}
BY_OPEN_INFERENCE = {one.open_inference: one for one in TYPES}


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype of that element type: object for strings."""
    return np.dtype(object) if name == STRING else np.dtype(name)


def shape_text(shape: tuple[int | None, ...] | list[int]) -> str:
    """`[-1,28,28,1]`, as both protocols write shapes."""
    return f"[{','.join(str(-1 if size is None else size) for size in shape)}]"
