"""Long lists of numbers become arrays, piece by piece; the value is the one that a parser gives."""

import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.codecs.number_lists import INLINE_BYTES, PIECE_BYTES, loads
from service.errors import BodyTooLarge

ROW = [0.25, -1e-3, 7, 255] * 1000  # long enough for an array by itself
LONG = [*range(-20_000, 20_000)]  # makes a text too long to be parsed as a whole


def plain(value):
    """The value with lists in the place of arrays."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def arrays_in(value):
    if isinstance(value, np.ndarray):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [a for one in inner for a in arrays_in(one)] if isinstance(value, dict | list) else []


def test_no_call_of_the_parser_gets_more_than_a_piece_of_a_million_numbers():
    body = b'{"instances": [' + b"0.12345," * 999_999 + b"1.5]}"
    lengths = []

    def parse(text):
        lengths.append(len(text))
        return orjson.loads(text)

    array = loads(body, parse)["instances"]

    assert array.shape == (1_000_000,)
    assert array[-1] == 1.5
    assert max(lengths) <= PIECE_BYTES + 2
    assert len(lengths) > len(body) / PIECE_BYTES


@pytest.mark.parametrize("shape", [(9_000,), (1, 9_000), (300, 30), (9_000, 1), (5, 30, 20, 3)])
@pytest.mark.parametrize("indent", [None, 1])
def test_regular_lists_of_numbers_become_arrays_of_their_shape(shape, indent):
    values = np.random.default_rng(0).normal(size=shape)
    body = json.dumps({"a": LONG, "instances": values.tolist()}, indent=indent).encode()

    found = loads(body)

    assert found["instances"].dtype == np.float64
    np.testing.assert_array_equal(found["instances"], values)
    assert found["a"].dtype == np.int64


@pytest.mark.parametrize(
    "value",
    [
        [LONG, ROW],
        {"a": [{"b": ROW}, {"b": ROW[:9]}, {"b": "[1, 2, 3]" * 900}], "c": LONG},
        [LONG, "text, with \\\" and ] in it" * 400, ROW, None, True],
        [LONG[:30_000], [ROW, ROW[:-1]]],
        [[*LONG, "x"], [*ROW, None], [*ROW, []]],
        {"a": [*LONG, 2**63], "b": [*LONG, 2**64 - 1]},
        [[1, [2, LONG]], 3],
    ],
)  # fmt: skip
def test_whatever_is_between_the_lists_stays_as_it_is(value):
    body = json.dumps(value).encode()

    assert plain(loads(body)) == value


inner = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.none(),
    st.booleans(),
)
values = st.recursive(
    inner,
    lambda one: st.one_of(
        st.lists(one, max_size=4), st.dictionaries(st.text(max_size=3), one, max_size=3)
    ),
    max_leaves=12,
)


@given(value=values, long=st.lists(st.integers(0, 9), min_size=1, max_size=3), indent=st.booleans())
def test_any_value_comes_out_as_from_a_parser(value, long, indent):
    whole = {"v": value, "long": long * 40_000, "w": [value, [long] * 9_000, value]}
    body = json.dumps(whole, indent=1 if indent else None).encode()

    assert plain(loads(body)) == orjson.loads(body)


@pytest.mark.parametrize(
    "text",
    [
        "[1[,2]]", "[[1,2]3]", "[1 2]", "[1,,2]", "[1,]", "[,1]", "[[1],,[2]]", "[[1][2]]", "[1]]",
        "[[1]", "[01]", "[1.]", "[--1]", "[1e]", "[nan,1]", "[+1]", "[1]2", "[.5,1]", "[1,Infinity]",
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused_also_in_a_long_list(text):
    long = text.replace("1", ",".join(["1"] * 40_000), 1)
    assert len(long) > INLINE_BYTES
    with pytest.raises(json.JSONDecodeError):
        loads(long.encode())


@pytest.mark.parametrize("at", [0, 1_000, 79_999])
def test_a_mistake_in_a_long_list_is_named_by_its_place_in_the_whole_text(at):
    numbers = ["1"] * 80_000
    numbers[at] = "x"
    text = '{"a": 1,\n "b": [' + ",".join(numbers) + "]}"

    with pytest.raises(json.JSONDecodeError) as caught:
        loads(text.encode())

    assert abs(caught.value.pos - text.index("x")) <= 1
    assert caught.value.lineno == 2


def test_a_mistake_behind_a_long_list_is_named_by_its_place_too():
    text = '{"a": [' + ",".join(["1"] * 80_000) + '], "b": nul}'

    with pytest.raises(json.JSONDecodeError) as caught:
        loads(text.encode())

    assert abs(caught.value.pos - text.index("nul")) <= 4


@pytest.mark.parametrize(
    "value",
    [["a"] * 250_001, [[1], [1, 2]] * 40_000, [None] * 300_000],
    ids=["strings", "ragged lists", "nulls"],
)
def test_many_values_outside_of_regular_lists_are_refused_before_they_are_parsed(value):
    body = orjson.dumps({"instances": value})

    with pytest.raises(BodyTooLarge, match="outside regular lists of numbers"):
        loads(body, lambda _: pytest.fail("it was parsed"))


def test_many_short_lists_between_strings_are_left_to_the_parser():
    whole = [{"b": [1, 2, 3]}] * 20_000

    found = loads(orjson.dumps(whole))

    assert found == whole


def test_an_error_in_a_large_text_keeps_no_copy_of_it():
    with pytest.raises(json.JSONDecodeError) as caught:
        loads(b"[" + b"\n" * 100_000)

    assert (caught.value.doc, caught.value.__context__) == ("", None)
    assert caught.value.lineno == 100_001


def test_a_list_behind_much_blank_space_is_read():
    found = loads(b"[" + b" " * 2**17 + b"[1, 2]" + b", [3, 4]" * 5_000 + b"]")

    assert len(found) == 5_001
    assert list(found[-1]) == [3, 4]
