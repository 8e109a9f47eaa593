"""Raw tensors: runs a signature of any model on arrays from a client.

Shared by both standard protocols: selects the signature, validates the arrays, and runs them through
the model's batcher.
"""

import logging
from collections.abc import Mapping

import numpy as np

from service.codecs.tensor_types import BY_NAME, Array, TensorSpec, numpy_dtype, shape_text
from service.errors import InternalError, InvalidRequest
from service.runtime.manifest import Manifest

DEFAULT_SIGNATURE = "serving_default"
# Limits of inputs that determine the duration of a run: (task, input) → minimum and maximum.
LIMITS = {("generate_image", "steps"): (0, 20)}

log = logging.getLogger("vitrine.tensors")


def default_signature(manifest: Manifest) -> str:
    """`serving_default`, or the first signature if the model has none of that name."""
    if DEFAULT_SIGNATURE in manifest.signatures:
        return DEFAULT_SIGNATURE
    return next(iter(manifest.signatures))


def check_inputs(manifest: Manifest, name: str, inputs: Mapping[str, Array]) -> None:
    """Refuse arrays that do not match the signature `name`: names, element types, shapes, batch sizes."""
    model, signature = manifest.name, manifest.signatures[name]
    specs = signature.input_specs
    for key in inputs:
        if key not in specs:
            raise InvalidRequest(f"unexpected inference input '{key[:64]}' for model '{model}'")
    if len(inputs) != len(specs):
        missing = ", ".join(key for key in specs if key not in inputs)
        raise InvalidRequest(
            f"expected {len(specs)} inputs but got {len(inputs)} inputs for model '{model}'. "
            f"Got input(s) [{', '.join(inputs)}], but missing required input(s) [{missing}]"
        )
    for key, array in inputs.items():
        _check_array(manifest, key, array, specs[key])
    if signature.is_batched and len({len(array) for array in inputs.values()}) != 1:
        raise InvalidRequest(f"all inputs of model '{model}' must have the same first dimension")


def refusal(manifest: Manifest, error: InternalError) -> InvalidRequest:
    """The error for a run that failed only on the caller's tensors; the log has the cause."""
    log.warning("refused", extra={"model": manifest.name, "error": str(error.__cause__)[:500]})
    return InvalidRequest(
        f"the inputs must be values that model '{manifest.name}' can run on, got some that it refuses"
    )


def _check_array(manifest: Manifest, name: str, array: Array, spec: TensorSpec) -> None:
    model = manifest.name
    if array.dtype != numpy_dtype(spec.dtype):
        found = BY_NAME["string" if array.dtype == object else array.dtype.name].open_inference
        raise InvalidRequest(
            f"inference input '{name}' data-type is '{found}', but model '{model}' expects "
            f"'{BY_NAME[spec.dtype].open_inference}'"
        )
    if not fits(array.shape, spec.shape) or 0 in array.shape:
        raise InvalidRequest(
            f"unexpected shape for input '{name}' for model '{model}'. Expected {shape_text(spec.shape)}, "
            f"got {shape_text(list(array.shape))}"
        )
    if manifest.task != "tensors" and max(_free_sizes(array, spec), default=0) > manifest.steps:
        raise InvalidRequest(
            f"input '{name}' for model '{model}' must have at most {manifest.steps} steps, got more"
        )
    low, high = LIMITS.get((manifest.task, name), (None, None))
    if low is not None and not (low <= np.min(array) and np.max(array) <= high):
        raise InvalidRequest(f"input '{name}' for model '{model}' must be from {low} to {high}")


def fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    """Whether every size is the expected one, or free."""
    return len(shape) == len(expected) and all(
        size is None or size == found for found, size in zip(shape, expected, strict=True)
    )


def _free_sizes(array: Array, spec: TensorSpec) -> list[int]:
    """The free sizes after the first dimension."""
    pairs = zip(array.shape[1:], spec.shape[1:], strict=True)
    return [found for found, size in pairs if size is None]
