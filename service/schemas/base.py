"""The base of request models: one declaration parses a request, documents it and defines its errors.

An error message is made from the field's JSON schema, the one that the OpenAPI document shows:
`<field> must be <what the schema says>, got <what was given>`.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from service.codecs.json_fields import parse_object, shown
from service.codecs.sniffing import excerpt
from service.errors import InvalidValue

Schema = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)


class RequestBody(BaseModel):
    """A body that is a JSON object of the declared fields and no others; null counts as absent."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    example: ClassVar[Schema] = {}  # of the document

    @classmethod
    def parse(cls, body: bytes, content_type: str = "") -> Self:
        """Read a whole body; `content_type` may name its charset.

        Raises:
            InvalidJSON: the body is not a JSON object.
            InvalidValue: a field is unknown, missing, of another type or out of range.
        """
        declared = properties(cls)
        fields = parse_object(body, content_type).items()
        given = {name: value for name, value in fields if value is not None or name not in declared}
        return cls.of(given)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Validate parsed JSON; InvalidValue as for a body."""
        return _validate(cls, fields)


class QueryValues(BaseModel):
    """The query of a URL; undeclared parameters are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Self:
        """Validate the query; InvalidValue as for a body."""
        return _validate(cls, values)


def _validate(model: type[Model], values: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidValue(_message(model, error.errors(include_url=False))) from None


def _message(model: type[BaseModel], found: list[ErrorDetails]) -> str:
    """The most specific error of the first invalid field (each branch of a union reports one)."""
    unknown = [error for error in found if error["type"] == "extra_forbidden"]
    field = (unknown or found)[0]["loc"][0]
    worst = max((e for e in found if e["loc"][0] == field), key=lambda e: len(e["loc"]))
    if worst["type"] == "extra_forbidden":
        names = ", ".join(sorted(properties(model)))
        return f"a field must be one of {names}, got {excerpt(str(field))}"
    name = str(field)
    expected = describe(properties(model)[name])
    if worst["type"] == "missing":
        return f"{name} must be {expected}, got nothing: the field is required"
    nested = len(worst["loc"]) > 1 and type(worst["loc"][-1]) is int
    return f"{name} must be {expected}, got {shown(worst['input'])}{' in it' if nested else ''}"


@cache
def properties(model: type[BaseModel]) -> dict[str, Schema]:
    """The JSON schema of each field, by the name that callers use, without references."""
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    return {name: resolve(field, definitions) for name, field in schema["properties"].items()}


def resolve(schema: Any, definitions: dict[str, Schema]) -> Any:
    """Replace references by their definitions."""
    if isinstance(schema, list):
        return [resolve(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolve(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    return {key: resolve(value, definitions) for key, value in schema.items()}


def describe(schema: Schema) -> str:
    """Describe a JSON schema in words, such as "a whole number from 1 to 256"."""
    if "oneOf" in schema:
        return str(schema["description"])
    if "anyOf" in schema:
        branches = [describe(branch) for branch in schema["anyOf"]]
        return " or ".join(dict.fromkeys(b for b in branches if b != "null"))
    if "const" in schema:
        return _quoted(schema["const"])
    if "enum" in schema:
        return " or ".join(_quoted(value) for value in schema["enum"])
    describer = _DESCRIBERS.get(schema.get("type", ""))
    return describer(schema) if describer else str(schema.get("title", "a JSON value"))


def _quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _number(noun: str, schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        return f"{noun} above {_amount(schema['exclusiveMinimum'])} and at most {_amount(high)}"
    if low is None:
        return noun
    if high is None:
        return f"{noun} of at least {_amount(low)}"
    return _amount(low) if low == high else f"{noun} from {_amount(low)} to {_amount(high)}"


def _amount(value: Any) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"


def _string(schema: Schema) -> str:
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema:
        return f"a string that matches {schema['pattern']}"
    if high is None:
        return "a string" if not low else "a string that is not empty"
    if high == 0:
        return "an empty string"
    return f"a string of {f'{low} to' if low else 'at most'} {high:,} characters"


def _array(schema: Schema) -> str:
    low, high, item = schema.get("minItems", 0), schema.get("maxItems"), schema.get("items") or {}
    size = ""
    if high is not None:
        size = f" of {low} to {high}" if low else f" of at most {high}"
    elif low:
        size = f" of at least {low}"
    return f"a list{size}" + (f", each {describe(item)}" if item else "")


def _object(schema: Schema) -> str:
    if schema.get("maxProperties") == 0:
        return "an empty object"
    names = ", ".join(schema.get("properties", ()))
    return f"an object of {names}" if names else "an object"


_DESCRIBERS: dict[str, Callable[[Schema], str]] = {
    "integer": lambda schema: _number("a whole number", schema),
    "number": lambda schema: _number("a number", schema),
    "string": _string,
    "array": _array,
    "object": _object,
    "boolean": lambda _: "true or false",
    "null": lambda _: "null",
}
