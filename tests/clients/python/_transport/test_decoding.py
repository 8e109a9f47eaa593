import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from vitrine_client._transport.decoding import decode
from vitrine_client.projection import ProjectionAnswer, projection_event


@dataclass(frozen=True)
class Part:
    number: int
    text: str = ""


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    ratio: float
    flag: bool
    anything: Any
    maybe: float | None
    files: tuple[bytes, ...] = ()
    by_name: Mapping[str, float] = field(default_factory=dict)
    inner: Part | None = None
    body: bytes = b""


FILE = "data:image/png;base64," + base64.b64encode(b"file").decode()
WIRE = {
    "parts": [{"number": 1, "text": "one"}, {"number": 2}],
    "ratio": 1,
    "flag": True,
    "anything": {"x": [1]},
    "maybe": None,
}


def test_fields_are_read_by_their_types():
    more = {"files": [FILE], "by_name": {"a": 2}, "inner": {"number": 3}}
    whole = decode(Whole, WIRE | more, body=b"words")

    assert whole == Whole(
        parts=(Part(1, "one"), Part(2)),
        ratio=1.0,
        flag=True,
        anything={"x": [1]},
        maybe=None,
        files=(b"file",),
        by_name={"a": 2.0},
        inner=Part(3),
        body=b"words",
    )
    assert type(whole.ratio) is type(whole.by_name["a"]) is float


def test_what_has_a_default_may_be_absent_or_null():
    absent = decode(Whole, WIRE)
    null = decode(Whole, WIRE | {"files": None, "by_name": None, "inner": None})

    assert absent == null
    assert (absent.files, absent.by_name, absent.inner) == ((), {}, None)


def test_fields_of_a_later_service_are_ignored():
    assert decode(Part, {"number": 1, "text": "", "new": 1}) == Part(1)


@pytest.mark.parametrize(
    "change",
    [
        {"parts": {}},
        {"parts": "no"},
        {"parts": [1]},
        {"parts": [{}]},
        {"parts": [{"number": 1.5}]},
        {"parts": [{"number": 1, "text": 2}]},
        {"ratio": None},
        {"ratio": "much"},
        {"files": ["data:image/png;base64,***"]},
        {"files": [1]},
        {"by_name": [1]},
    ],
    ids=str,
)
def test_what_does_not_fit_is_an_error(change):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        decode(Whole, WIRE | change)


@pytest.mark.parametrize("wire", [None, [], "text", {}], ids=repr)
def test_what_is_no_object_is_an_error(wire):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        decode(Part, wire)


def test_a_projection_without_any_difference_has_no_psnr():
    wire = {"model": {"name": "gan", "version": 1}, "latents": [[2]], "images": [FILE]}

    assert decode(ProjectionAnswer, wire | {"losses": [0], "psnr": [None]}).psnr == (None,)


@pytest.mark.parametrize("data", ["[]", "{}", '{"step": 1}', "no JSON"])
def test_an_event_that_is_no_projection_is_an_error(data):
    with pytest.raises((ValueError, KeyError, TypeError)):
        projection_event(data)
