"""Continuation tokens: exact, and suspicious."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.codecs import continuation
from service.codecs.continuation import Continuation
from service.errors import InvalidValue

FIELDS = {
    "name": "text",
    "version": 3,
    "random_seed": 42,
    "index": 1,
    "position": 400,
    "diversity": 0.1 + 0.2,
    "top_k": 0,
    "top_p": 0.9,
    "stop": ["END"],
    "held": "E",
}
STATE = np.array([0.1, -1e-30, 3.5], np.float32)


def forged(state=STATE, **changes):
    """A token with a right checksum and any values."""
    fields = Continuation.model_construct(**{**FIELDS, **changes})
    return continuation.encode(fields, np.asarray(state, np.float32))


def test_a_token_gives_back_exactly_what_it_was_made_of():
    found, state = continuation.decode(continuation.encode(Continuation(**FIELDS), STATE))

    assert found == Continuation(**FIELDS)
    assert state.tobytes() == STATE.tobytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda token: "",
        lambda token: "AQ",
        lambda token: "hello, world",
        lambda token: "Ä" + token,
        lambda token: token[:-1],
        lambda token: token[:-8],
        lambda token: token + "AAAA",
        lambda token: token[:40] + ("A" if token[40] != "A" else "B") + token[41:],
        lambda token: base64.urlsafe_b64encode(b"\x02" + b"\x00" * 40).decode(),
        lambda token: base64.urlsafe_b64encode(b"\x01" + b"\x00" * 8 + b"\xff" * 4).decode(),
        lambda token: "A" * 100_000,
    ],
)
def test_a_damaged_token_is_refused(damage):
    with pytest.raises(InvalidValue, match="continuation"):
        continuation.decode(damage(forged()))


@pytest.mark.parametrize(
    "changes",
    [
        {"random_seed": 2**32},
        {"random_seed": -1},
        {"position": -1},
        {"position": 2**60},
        {"diversity": -0.5},
        {"diversity": 1e9},
        {"diversity": float("nan")},
        {"top_k": -1},
        {"top_k": 2**40},
        {"top_p": 0.0},
        {"top_p": 2.0},
        {"name": "x" * 100},
        {"stop": ["x"] * 17},
        {"stop": [""]},
        {"stop": ["x" * 101]},
        {"held": "x"},
        {"stop": ["END", "N"], "held": "EN"},
        {"held": "END"},
        {"stranger": 1},
        {"state": [np.nan]},
        {"state": [np.inf]},
        {"state": [1e30]},
    ],
    ids=str,
)
def test_a_forged_token_is_refused(changes):
    fields = dict(changes)
    state = fields.pop("state", STATE)
    if "stranger" in fields:
        token = base64.urlsafe_b64encode(_with_stranger()).decode()
    else:
        token = forged(state, **fields)

    with pytest.raises(InvalidValue, match="continuation"):
        continuation.decode(token)


def _with_stranger():
    header = Continuation(**FIELDS).model_dump_json().encode()[:-1] + b',"stranger":1}'
    body = header + STATE.tobytes()
    return continuation.PREFIX.pack(1, continuation._checksum(body), len(header)) + body


@given(st.binary(max_size=200))
def test_whatever_bytes_come_it_is_a_token_or_refused(content):
    token = base64.urlsafe_b64encode(b"\x01" + continuation._checksum(content[4:]) + content)
    with pytest.raises(InvalidValue):
        continuation.decode(token.decode())
