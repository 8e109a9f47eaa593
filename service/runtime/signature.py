"""A signature in a manifest: its tensors as text, such as `uint8 [B,28,28,1]`, and parsed."""

import re
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from service.codecs.tensor_types import TensorSpec

TENSOR = re.compile(r"(\w+) \[([\w,]*)\]")


def parse_tensor(text: str) -> TensorSpec:
    """`"uint8 [B,28,28,1]"` → TensorSpec("uint8", (None, 28, 28, 1))."""
    match = TENSOR.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} must be a tensor such as 'uint8 [B,28,28,1]'")
    sizes = [size for size in match[2].split(",") if size]
    return TensorSpec(match[1], tuple(int(s) if s.isdigit() else None for s in sizes))


def _check_tensor(text: str) -> str:
    parse_tensor(text)
    return text


TensorText = Annotated[str, AfterValidator(_check_tensor)]


class SignatureSpec(BaseModel):
    """Tensors of one signature as written, e.g. `"uint8 [B,28,28,1]"`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: dict[str, TensorText]
    outputs: dict[str, TensorText]

    @cached_property
    def input_specs(self) -> dict[str, TensorSpec]:
        """The inputs, parsed."""
        return {name: parse_tensor(text) for name, text in self.inputs.items()}

    @cached_property
    def output_specs(self) -> dict[str, TensorSpec]:
        """The outputs, parsed."""
        return {name: parse_tensor(text) for name, text in self.outputs.items()}

    @cached_property
    def is_batched(self) -> bool:
        """Whether rows of several requests may run together: the first dimension of every tensor is free."""
        specs = [*self.input_specs.values(), *self.output_specs.values()]
        return all(spec.shape[:1] == (None,) for spec in specs)
