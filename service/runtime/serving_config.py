"""`serving.json`: the served versions of a model, their labels, and its share of processor time."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from service.codecs.json_fields import shown
from service.codecs.sniffing import excerpt
from service.errors import InvalidJSON, InvalidValue

MAX_VERSION = 10**18 - 1
MAX_BYTES = 64 * 1024
Number = Annotated[int, Field(ge=0, le=MAX_VERSION)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class ServingConfigError(InvalidValue):
    """The text is not a serving configuration; the message has the reason."""


class NotJSON(InvalidJSON, ServingConfigError):
    """The text is not JSON."""


class Latest(BaseModel):
    """The `latest` newest versions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    latest: int = Field(default=1, ge=1, le=1000)


class ServingConfig(BaseModel):
    """The configuration of one model; the defaults apply without a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    versions: Latest | Literal["all"] | Annotated[list[Number], Field(max_length=1000)] = Field(
        default=Latest(),
        description='{"latest": 1 to 1,000}, "all" or a list of at most 1,000 version numbers',
    )
    labels: dict[Label, Number] = Field(
        default={},
        max_length=100,
        description="an object of at most 100 labels, each with a version number",
    )
    weight: float = Field(
        default=1, gt=0, le=1000, description="a number above 0 and at most 1,000"
    )
    unloaded: bool = Field(default=False, description="true or false")

    def encode(self) -> bytes:
        """The file's text."""
        return self.model_dump_json(indent=1).encode() + b"\n"

    @property
    def etag(self) -> str:
        """An ETag that changes with the configuration."""
        return f'"{hashlib.sha256(self.encode()).hexdigest()[:32]}"'

    @property
    def explicit_versions(self) -> set[int]:
        """Versions that are listed explicitly."""
        listed = self.versions if isinstance(self.versions, list) else []
        return set() if self.unloaded else {*listed, *self.labels.values()}

    def wanted(self, numbers: Iterable[int], is_broken: Callable[[int], bool]) -> set[int]:
        """The existing versions that should be served, or retried.

        A broken version does not count as one of the latest; an older one is served instead.
        """
        present = set(numbers)
        if self.unloaded:
            return set()
        chosen = self.explicit_versions & present
        if self.versions == "all":
            return present
        if isinstance(self.versions, Latest):
            left = self.versions.latest
            for number in sorted(present, reverse=True):
                if left == 0:
                    break
                chosen.add(number)
                left -= not is_broken(number)
        return chosen


DEFAULT = ServingConfig()


def parse_config(text: bytes) -> ServingConfig:
    """Parse the configuration in a file or a request body."""
    if len(text) > MAX_BYTES:
        raise ServingConfigError(f"the configuration must have at most {MAX_BYTES} bytes, got more")
    try:
        return ServingConfig.model_validate(json.loads(text))
    except ValidationError as error:
        raise ServingConfigError(_message(error.errors()[0])) from None
    except (ValueError, RecursionError):
        raise NotJSON("the configuration must be a JSON object, got something else") from None


def _message(error: ErrorDetails) -> str:
    if not error["loc"]:
        return f"the configuration must be a JSON object, got {shown(error['input'])}"
    field = str(error["loc"][0])
    fields = ServingConfig.model_fields
    if field not in fields:
        return f"a field must be one of {', '.join(fields)}, got {excerpt(field)}"
    return f"{field} must be {fields[field].description}, got {shown(error['input'])}"
