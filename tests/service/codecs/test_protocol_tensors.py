"""Tensors of the two protocols: what is written can be read, and what cannot be a tensor is told."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.codecs.binary_tensors import from_bytes, to_bytes
from service.codecs.examples import encode_values, parse_examples, to_inputs
from service.codecs.infer_outputs import RequestedOutput
from service.codecs.infer_request import InferRequest, parse_infer, parse_raw
from service.codecs.infer_response import encode_response
from service.codecs.json_tensors import to_array
from service.codecs.predict_json import encode_outputs, encode_predictions, parse_predict
from service.codecs.protocol_json import parse_object
from service.codecs.tensor_types import TYPES, TensorSpec
from service.errors import InvalidJSON, InvalidRequest

NUMERIC = [one.name for one in TYPES if one.name != "string"]
WRITABLE = [name for name in NUMERIC if name != "float16"]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, max_side=3)


def equal(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind == "f":
        np.testing.assert_array_equal(found, expected)
    else:
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", NUMERIC)
@given(data=st.data())
def test_binary_tensors_come_back_to_the_bit(dtype, data):
    array = data.draw(arrays.arrays(dtype, SHAPES))

    equal(from_bytes(memoryview(to_bytes(array)), "x", dtype, list(array.shape)), array)


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_binary_strings_come_back(values):
    array = np.empty(len(values), object)
    array[:] = values

    raw = to_bytes(array)

    assert from_bytes(memoryview(raw), "x", "string", [len(values)]).tolist() == values


@pytest.mark.parametrize("dtype", WRITABLE)
@given(data=st.data())
def test_json_tensors_come_back_to_the_bit_also_when_they_are_not_finite(dtype, data):
    array = data.draw(arrays.arrays(dtype, SHAPES))

    text = encode_outputs({"x": array})

    equal(to_array(parse_object(text)["outputs"], dtype), array)


@pytest.mark.parametrize(
    ("raw", "count", "message"),
    [
        (b"\x05\x00", 1, "expected 1 string elements"),
        (b"\x05\x00\x00\x00abc", 1, "incomplete string data"),
        (b"\x01\x00\x00\x00ab", 1, "unexpected number of string elements"),
        (b"\x08\x00\x00\x00abcdefgh\x01", 2, "incomplete string length"),
        (b"", 2**31 - 1, "expected 2147483647 string elements"),
    ],
)
def test_broken_binary_strings_are_told(raw, count, message):
    with pytest.raises(InvalidRequest, match=message):
        from_bytes(memoryview(raw), "x", "string", [count])


def test_a_bool_is_a_byte_of_0_or_1():
    with pytest.raises(InvalidRequest, match="bytes 0 and 1"):
        from_bytes(memoryview(b"\x00\x02"), "x", "bool", [2])


def test_strings_may_be_base64_and_outputs_named_bytes_are():
    spec = {"text": TensorSpec("string", (None,))}
    fields = {"instances": ["a", {"b64": "/w"}, {"b64": "_w=="}]}

    request = parse_predict(fields, spec)

    assert request.inputs["text"].tolist() == [b"a", b"\xff", b"\xff"]
    answer = json.loads(
        encode_predictions({"text": request.inputs["text"], "x_bytes": request.inputs["text"]})
    )
    assert answer["predictions"][1] == {"text": "�", "x_bytes": {"b64": "/w=="}}


def test_floats_are_written_in_their_own_precision():
    values = np.array([0.2, 2, np.nan, np.inf, -np.inf], np.float32)

    assert encode_outputs({"x": values[:2]}) == b'{"outputs":[0.2,2.0]}'
    assert encode_outputs({"x": values}) == b'{"outputs":[0.2,2.0,NaN,Infinity,-Infinity]}'


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (1e39, "float32", "without loss of precision"),
        ([2**31], "int32", "not of expected type: int32"),
        ([2**64], "int64", "not of expected type: int64"),
        ([1], "bool", "not of expected type: bool"),
        ([1], "float16", "not supported"),
        ([{"b64": "?"}], "string", "Unable to base64 decode"),
        ([{"c64": "aaaa"}], "string", "not formatted correctly for base64 data"),
        ([[1], 2], "int32", "found at incorrect level"),
        ([1, [2]], "int32", "unexpected level"),
    ],
)
def test_values_that_do_not_fit_their_type_are_told(value, dtype, message):
    with pytest.raises(InvalidRequest, match=message):
        to_array(value, dtype)


@pytest.mark.parametrize("dtype", ["float32", "string"])
def test_one_huge_string_among_numbers_costs_no_memory(dtype):
    value = ["x" * 10**6] + [0] * 10**5

    with pytest.raises(InvalidRequest):
        to_array(value, dtype)


def test_tokens_of_no_number_are_read_where_floats_are_wanted():
    fields = parse_object(b'{"instances": [NaN, Infinity, -Infinity, 1]}')

    inputs = parse_predict(fields, {"x": TensorSpec("float32", (None,))}).inputs

    np.testing.assert_array_equal(inputs["x"], np.array([np.nan, np.inf, -np.inf, 1], np.float32))


@pytest.mark.parametrize("body", [b"\xff\xfe{", b"{'a': 1}", b'{"a": "\\ud800"}', b"{}{}", b"nul"])
def test_what_is_no_json_is_told_with_its_place(body):
    with pytest.raises(InvalidJSON, match="JSON Parse error"):
        parse_object(body)


def test_several_inputs_may_have_different_first_sizes_in_columns():
    specs = {"a": TensorSpec("int64", ()), "b": TensorSpec("float32", (None,))}

    inputs = parse_predict({"inputs": {"a": 5, "b": [1, 2, 3]}}, specs).inputs

    assert inputs["a"].shape == ()
    assert inputs["b"].tolist() == [1, 2, 3]


def test_several_inputs_need_objects_in_rows_and_columns():
    specs = {"a": TensorSpec("int64", (None,)), "b": TensorSpec("float32", (None,))}

    with pytest.raises(InvalidRequest, match="instances is a plain list"):
        parse_predict({"instances": [1, 2]}, specs)
    with pytest.raises(InvalidRequest, match="inputs is a plain value/list"):
        parse_predict({"inputs": [1, 2]}, specs)


def test_rows_need_outputs_of_equal_first_sizes():
    with pytest.raises(InvalidRequest, match="y has inconsistent batch size: 1 expecting: 2"):
        encode_predictions({"x": np.zeros(2), "y": np.zeros(1)})
    with pytest.raises(InvalidRequest, match="y has no shape information"):
        encode_predictions({"y": np.array(1.0)})


def test_an_example_is_serialized_as_tensorflow_reads_it():
    specs = {"examples": TensorSpec("string", (None,))}
    examples = parse_examples({"examples": [{"x": [0.5, 1.5]}, {"n": -1}, {"s": "ab"}]}, "regress")

    first, second, third = to_inputs(examples, specs)["examples"].tolist()

    assert first == b"\x0a\x13\x0a\x11\x0a\x01x\x12\x0c\x12\x0a\x0a\x08\x00\x00\x00?\x00\x00\xc0?"
    assert second.endswith(b"\x1a\x0c\x0a\x0a" + b"\xff" * 9 + b"\x01")
    assert third.endswith(b"\x0a\x04\x0a\x02ab")


def test_regress_takes_a_column_or_a_vector():
    assert encode_values({"outputs": np.array([[1.5], [2.5]], np.float32)}) == (
        b'{"results":[1.5,2.5]}'
    )


def test_a_raw_body_may_be_one_string():
    request = parse_raw(b"\xff\xd8photo", {"jpeg": TensorSpec("string", (None,))}, "m")

    assert request.inputs["jpeg"].tolist() == [b"\xff\xd8photo"]


def test_a_raw_body_needs_one_input_with_at_most_one_more_free_size():
    two = {"a": TensorSpec("uint8", (None,)), "b": TensorSpec("uint8", (None,))}
    free = {"a": TensorSpec("uint8", (None, None, None))}

    with pytest.raises(InvalidRequest, match="must only have 1 input"):
        parse_raw(b"", two, "m")
    with pytest.raises(InvalidRequest, match="more than one variable-sized"):
        parse_raw(b"", free, "m")
    assert parse_raw(b"abc", {"a": TensorSpec("uint8", (None, None))}, "m").inputs["a"].shape == (
        1,
        3,
    )


def test_half_floats_travel_in_binary_only():
    outputs = {"x": np.ones(2, np.float16)}
    asked = InferRequest({}, {}, [RequestedOutput("x", True, 0)], False, "", {})

    assert encode_response(asked, outputs, ("m", 1), []).body.endswith(b"\x00<\x00<")
    with pytest.raises(InvalidRequest, match="FP16"):
        encode_response(asked._replace(outputs=None), outputs, ("m", 1), [])


def test_strings_are_answered_as_text_or_as_counted_bytes():
    array = np.array([b"a", b"bc"], object)
    asked = InferRequest({}, {}, None, False, "", {})

    plain = json.loads(encode_response(asked, {"x": array}, ("m", 1), []).body)["outputs"][0]
    binary = encode_response(asked._replace(binary_by_default=True), {"x": array}, ("m", 1), [])

    assert (plain["datatype"], plain["data"]) == ("BYTES", ["a", "bc"])
    assert binary.body[binary.header_length :] == b"\x01\0\0\0a\x02\0\0\0bc"


@pytest.mark.parametrize("dtype", [name for name in WRITABLE if name != "bool"])
def test_a_long_list_of_numbers_is_read_as_a_short_one(dtype):
    numbers = np.arange(40_000).reshape(200, 200) % 100
    spec = {"x": TensorSpec(dtype, (None, 200))}
    text = json.dumps({"instances": numbers.tolist()}).encode()

    (found,) = parse_predict(parse_object(text, as_arrays=True), spec).inputs.values()

    equal(found, numbers.astype(dtype))
    equal(found, parse_predict(parse_object(text), spec).inputs["x"])


@pytest.mark.parametrize(
    ("dtype", "wrong"),
    [
        ("uint8", 256), ("int8", -129), ("int32", 0.5), ("int64", 2.0), ("bool", 2), ("string", 1),
        ("float16", 1), ("float32", 1e39),
    ],
)  # fmt: skip
def test_a_wrong_number_in_a_long_list_is_refused_as_in_a_short_one(dtype, wrong):
    spec = {"x": TensorSpec(dtype, (None,))}
    fields = [
        parse_object(json.dumps({"inputs": [wrong] * count}).encode(), as_arrays=True)
        for count in (40_000, 1)
    ]

    messages = []
    for one in fields:
        with pytest.raises(InvalidRequest) as caught:
            parse_predict(one, spec)
        messages.append(str(caught.value))

    assert messages[0] == messages[1]
    assert isinstance(fields[0]["inputs"], np.ndarray)


def test_rows_of_objects_may_be_arrays_and_lists():
    rows = [{"x": [0.123456789] * 1000}, {"x": [1] * 1000}] * 40
    fields = parse_object(json.dumps({"instances": rows}).encode(), as_arrays=True)

    (found,) = parse_predict(fields, {"x": TensorSpec("float32", (None, 1000))}).inputs.values()

    assert {type(row["x"]) for row in fields["instances"]} == {list, np.ndarray}
    assert found.shape == (80, 1000)
    assert found[:2, 0].tolist() == np.array([0.123456789, 1], np.float32).tolist()


def test_a_row_of_another_length_is_named_also_among_arrays():
    rows = [{"x": [0.123456789] * 1000}] * 40 + [{"x": [0.123456789] * 999}]
    fields = parse_object(json.dumps({"instances": rows}).encode(), as_arrays=True)

    with pytest.raises(
        InvalidRequest, match=r"element: 40 key: x .* tensor size: 1000 but got: 999"
    ):
        parse_predict(fields, {"x": TensorSpec("float32", (None, 1000))})


def test_nan_and_infinity_are_read_in_long_lists_too():
    text = b'{"inputs": [' + b"NaN, Infinity, -Infinity, 0.25, " * 20_000 + b"1]}"

    found = parse_object(text, as_arrays=True)["inputs"]

    assert found.shape == (80_001,)
    np.testing.assert_array_equal(found[-5:], [np.nan, np.inf, -np.inf, 0.25, 1])


@pytest.mark.parametrize(
    ("datatype", "dtype"), [("FP32", "float32"), ("UINT8", "uint8"), ("BOOL", "bool")]
)
def test_long_data_of_an_input_become_an_array_of_its_type(datatype, dtype):
    data = (np.arange(40_000).reshape(4, 100, 100) % 2).tolist()
    tensor = {"name": "x", "datatype": datatype, "shape": [40_000], "data": data}
    text = json.dumps({"inputs": [tensor]}).encode()

    found = parse_infer(text, None, "m").inputs["x"]

    equal(found, np.array(data, dtype).ravel())


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((8, 12), "size for input 'b', expecting 4 additional bytes"),  # they would overlap
        ((16, 8), "total byte size 16 for input 'a', expecting 8"),
        ((8, 4), "total byte size 4 for input 'b', expecting 8"),
        ((2**62, 2**62), "size for input 'a', expecting [0-9]+ additional bytes"),
    ],
)
def test_binary_sizes_share_the_bytes_behind_the_header_exactly(sizes, message):
    head = {
        "inputs": [
            {
                "name": name,
                "datatype": "FP32",
                "shape": [2],
                "parameters": {"binary_data_size": size},
            }
            for name, size in zip("ab", sizes, strict=True)
        ]
    }
    text = json.dumps(head).encode()

    with pytest.raises(InvalidRequest, match=message):
        parse_infer(text + bytes(16), len(text), "m")


def test_the_tokens_for_what_is_no_number_are_read_by_infer_too():
    body = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [3], "data": [NaN, -Infinity, 1]}]}'

    found = parse_infer(body, None, "m").inputs["x"]

    np.testing.assert_array_equal(found, np.array([np.nan, -np.inf, 1], np.float32))
