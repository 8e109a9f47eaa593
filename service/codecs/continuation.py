"""Continuation tokens: the whole state of a generation as one string.

A token is base64url of: format, checksum, size of the header, header (JSON), the values of the state.
The checksum detects damage, not forgery. There is no secret, so the content of a token is validated
like any other input.
"""

import base64
import hashlib
import struct
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.codecs.random_streams import MAX_SEED
from service.errors import InvalidValue

FORMAT = 1
PREFIX = struct.Struct("<B8sI")
MAX_STATE = 1e6  # far above a network's values, and sums of such values do not overflow
MAX_DIVERSITY = 100
MAX_STOPS, MAX_STOP = 16, 100
Stop = Annotated[str, Field(min_length=1, max_length=MAX_STOP)]


class Continuation(BaseModel):
    """Everything needed to resume a generation, except the model's state."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(max_length=64)
    version: int = Field(ge=0, lt=10**18)
    random_seed: int = Field(ge=0, le=MAX_SEED)
    index: int = Field(ge=0, lt=2**32)
    position: int = Field(ge=0, lt=2**40)
    diversity: float = Field(ge=0, le=MAX_DIVERSITY)
    top_k: int = Field(ge=0, lt=2**31)
    top_p: float = Field(gt=0, le=1)
    stop: list[Stop] = Field(max_length=MAX_STOPS)
    held: str = Field(max_length=MAX_STOP - 1)
    engine: str = Field("tensorflow", max_length=32)  # absent in the tokens of earlier releases

    @model_validator(mode="after")
    def _check_held(self) -> "Continuation":
        """Check that the held-back text is the beginning of a stop string and contains no whole one."""
        held = self.held
        if held and not any(stop.startswith(held) for stop in self.stop):
            raise ValueError("held is not the beginning of a stop string")
        if any(stop in held for stop in self.stop):
            raise ValueError("held contains a whole stop string")
        return self


def encode(continuation: Continuation, state: np.ndarray) -> str:
    """The token of a generation with this state, float32 [S]."""
    header = continuation.model_dump_json().encode()
    body = header + state.astype("<f4").tobytes()
    token = PREFIX.pack(FORMAT, _checksum(body), len(header)) + body
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def decode(token: str) -> tuple[Continuation, np.ndarray]:
    """Decode a token: the options, and the state float32 [S]; InvalidValue if it is malformed."""
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        token_format, checksum, size = PREFIX.unpack_from(content)
    except (ValueError, struct.error):
        raise _invalid("is truncated or not a token") from None
    header, numbers = content[PREFIX.size :][:size], content[PREFIX.size + size :]
    if token_format != FORMAT or checksum != _checksum(header + numbers) or len(numbers) % 4:
        raise _invalid("is damaged or has another format")
    try:
        continuation = Continuation.model_validate_json(header)
    except ValidationError:
        raise _invalid("has values out of range") from None
    state = np.frombuffer(numbers, "<f4").astype(np.float32)
    if not (np.abs(state) <= MAX_STATE).all():  # also false for NaN
        raise _invalid("has a state out of range")
    return continuation, state


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=8).digest()


def _invalid(why: str) -> InvalidValue:
    return InvalidValue(
        f"continuation must be a token from an answer, unchanged, got one that {why}"
    )
