"""`vitrine describe --conv` and `--pool`: computes parameters and output shape of one layer.

Shapes are H×W×C. tests/training/cli/test_layer_shapes.py compares them with Keras' own layers.
"""

from collections.abc import Sequence


def describe_convolution(
    input_shape: Sequence[int], kernel: Sequence[int], padding: int, stride: int, batch: int
) -> list[str]:
    """Parameters and output of one filter `kernel` (H×W×C) on `input_shape` (H×W×C), in sentences.

    Raises:
        ValueError: The filter does not fit the input.
    """
    if kernel[-1] != input_shape[-1]:
        raise ValueError(
            f"--conv must have as many channels as --input ({input_shape[-1]}), got {kernel[-1]}"
        )
    _check_window(input_shape, max(kernel[:2]), padding, stride)
    weights = kernel[0] * kernel[1] * kernel[2] + 1
    lines = [f"parameters: {_times(kernel, '·')} + 1 bias = {weights}"]
    sides = list(zip(("height", "width"), input_shape[:2], kernel[:2], strict=True))
    for axis, side, window in sides:
        size = (side - window + 2 * padding) / stride + 1
        lines.append(f"{axis}: ({side} − {window} + 2·{padding})/{stride} + 1 = {size:g}")
    rounded_down = [(side - window + 2 * padding) // stride + 1 for _, side, window in sides]
    valid = _times((batch, *rounded_down, 1))
    if all((side - window + 2 * padding) % stride == 0 for _, side, window in sides):
        return [*lines, f"output shape: {valid}"]
    same = _times((batch, *(-(-side // stride) for side in input_shape[:2]), 1))
    return [
        *lines,
        "That is no size: the last step would put part of the filter outside the padded image.",
        f"  padding {padding}, then 'valid' leaves that step out (rounds down): {valid}",
        f"  'same' pads just enough for ⌈size/stride⌉ (rounds up): {same}",
    ]


def describe_pooling(input_shape: Sequence[int], window: int, stride: int, batch: int) -> list[str]:
    """Output of max pooling on a batch of activations (H×W×C).

    Raises:
        ValueError: The window does not fit the input.
    """
    _check_window(input_shape, window, 0, stride)
    rounded_down = [(side - window) // stride + 1 for side in input_shape[:2]]
    size = (input_shape[0] - window) / stride + 1
    return [
        "parameters: 0 (a maximum has nothing to learn)",
        f"size: ({input_shape[0]} − {window})/{stride} + 1 = {size:g}",
        f"output shape: {_times((batch, *input_shape))} → "
        f"{_times((batch, *rounded_down, input_shape[2]))}",
    ]


def _check_window(input_shape: Sequence[int], window: int, padding: int, stride: int) -> None:
    if stride < 1:
        raise ValueError(f"--stride must be 1 or more, got {stride}")
    if padding < 0:
        raise ValueError(f"--padding must be 0 or more, got {padding}")
    if window > min(input_shape[:2]) + 2 * padding:
        raise ValueError(
            f"the window must fit into the padded input {_times(input_shape[:2])}, got {window}"
        )


def _times(shape: Sequence[int], sign: str = "×") -> str:
    return sign.join(str(size) for size in shape)
