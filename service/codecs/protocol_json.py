"""JSON as TensorFlow Serving and Triton read and write it, with the tokens NaN, Infinity and -Infinity.

Standard JSON and orjson do not have these values. Only bodies and arrays that contain them use Python's
slower json module.
"""

import base64
import json
from functools import partial
from typing import Any

import numpy as np
import orjson

from service.codecs import number_lists, standard_json
from service.codecs.json_size import check_irregular_size
from service.codecs.tensor_types import Array
from service.errors import InvalidJSON

MAX_EXCERPT = 80


def parse_object(
    body: bytes, *, ignore_rest: bool = False, as_arrays: bool = False
) -> dict[str, Any]:
    """The JSON object of a body, or InvalidJSON with TensorFlow Serving's message.

    ignore_rest: whether bytes after the first value are ignored, as TensorFlow Serving does.
    as_arrays: whether long regular lists of numbers become arrays (`number_lists`).
    """
    parse = partial(_loads, ignore_rest=ignore_rest)
    try:
        if not as_arrays:
            check_irregular_size(body)
        value = number_lists.loads(body, parse) if as_arrays else parse(body)
    except json.JSONDecodeError as error:
        raise InvalidJSON(f"JSON Parse error: {error.msg} at offset: {error.pos}") from None
    if not isinstance(value, dict):
        raise InvalidJSON(f"JSON Value: {excerpt(value)} Is not object")
    return value


def _loads(body: bytes | bytearray, *, ignore_rest: bool) -> Any:
    try:
        return standard_json.loads(body)
    except json.JSONDecodeError:
        return _parse_leniently(body, ignore_rest=ignore_rest)


def _parse_leniently(body: bytes | bytearray, *, ignore_rest: bool) -> Any:
    try:
        text = body.decode("utf-8-sig").lstrip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise InvalidJSON(
            f"JSON Parse error: Invalid encoding in string. at offset: {error.start}"
        ) from None
    if not text:
        raise InvalidJSON("JSON Parse error: The document is empty")
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (RecursionError, ValueError) as error:
        if isinstance(error, json.JSONDecodeError):
            raise
        raise InvalidJSON("JSON Parse error: nested too deeply, or a number is too long") from None
    if not ignore_rest and text[end:].strip(" \t\r\n"):
        message = "The document root must not be followed by other values."
        raise json.JSONDecodeError(message, text, end)
    _check_surrogates(text, value)
    return value


def _check_surrogates(text: str, value: Any) -> None:
    """Refuse lone surrogates, which are not characters and cannot be encoded."""
    if "\\u" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidJSON("JSON Parse error: The surrogate pair in string is invalid.") from None


def excerpt(value: Any) -> str:
    """A JSON value, shortened for error messages."""
    text = json.dumps(_trim(value, 3), ensure_ascii=False)
    return text if len(text) <= MAX_EXCERPT else text[:MAX_EXCERPT] + "…"


def _trim(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value[:MAX_EXCERPT]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | np.ndarray):
        return [_trim(one, depth - 1) for one in value[:4]] if depth else []
    if isinstance(value, dict):
        first = list(value.items())[:4] if depth else []
        return {key[:MAX_EXCERPT]: _trim(one, depth - 1) for key, one in first}
    return value


def to_text(content: Any) -> bytes:
    """JSON of lists, dicts and arrays; floats in their shortest exact form."""
    if _is_finite(content):
        return orjson.dumps(content, default=_to_lists, option=orjson.OPT_SERIALIZE_NUMPY)
    return json.dumps(content, default=_to_lists, separators=(",", ":")).encode()


def _is_finite(content: Any) -> bool:
    if isinstance(content, dict):
        return all(map(_is_finite, content.values()))
    if isinstance(content, list):
        return all(map(_is_finite, content))
    if isinstance(content, np.ndarray | np.floating):
        return content.dtype.kind != "f" or bool(np.isfinite(content).all())
    return True


def _to_lists(array: Any) -> Any:
    """Convert an array that orjson cannot encode; a float32 0.2 stays 0.2."""
    if array.dtype.kind != "f":
        return array.tolist()
    return _shortest(array.astype(str).tolist())


def _shortest(texts: Any) -> Any:
    return [_shortest(one) for one in texts] if isinstance(texts, list) else float(texts)


def strings(array: Array, *, as_base64: bool = False) -> Any:
    """An array of `bytes` as nested lists of JSON strings, or of {"b64": …}."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(inner) for inner in value]
        if as_base64:
            return {"b64": base64.b64encode(value).decode()}
        return value.decode("utf-8", "replace")

    return one(array.tolist())
