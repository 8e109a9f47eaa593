"""Valid JSON is parsed, whatever its layout; errors keep their position."""

import json

import orjson
import pytest

from service.codecs import number_lists, protocol_json, standard_json

BLANKS = b"\n  "


@pytest.mark.parametrize("count", [938, 2_000, 31_250, 100_000])
@pytest.mark.parametrize("parse", [standard_json.loads, number_lists.loads])
def test_a_dense_list_behind_blanks_is_parsed(parse, count):
    zeros = b",".join([b"0"] * count)
    assert list(parse(b"[" + BLANKS + zeros + b"]")) == [0] * count
    assert list(parse(b" {" + BLANKS + b'"a": [' + zeros + b"]}")["a"]) == [0] * count


def test_orjson_still_needs_the_second_attempt():
    with pytest.raises(json.JSONDecodeError, match="failed to allocate memory"):
        orjson.loads(b"[" + BLANKS + b"0," * 100_000 + b"0]")


def test_an_error_behind_blanks_keeps_its_position():
    text = b"[" + BLANKS + b"0," * 100_000 + b"x]"
    with pytest.raises(json.JSONDecodeError) as caught:
        standard_json.loads(text)
    assert caught.value.pos == text.index(b"x")


def test_a_long_nested_list_of_single_digits_becomes_an_array():
    rows = [[[pixel % 2 for pixel in range(28)] for _ in range(28)] for _ in range(100)]
    text = orjson.dumps({"instances": rows})
    assert number_lists.loads(text)["instances"].tolist() == rows
    assert protocol_json.parse_object(text, as_arrays=True)["instances"].tolist() == rows
