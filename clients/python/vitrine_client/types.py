"""Types shared by the tasks: the selected model, the model that answered, the preprocessed image."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias, TypedDict, TypeVar

from vitrine_client.errors import ServiceError
from vitrine_client.notebook import answer_html

Row = TypeVar("Row")

Normalize = Literal["auto", "off"]
OnError = Literal["fail", "report"]
Vector: TypeAlias = tuple[float, ...]


class ModelChoice(TypedDict, total=False):
    """The model choice; omitted options, or None, have the service's defaults."""

    model: str | None  # another model of the same task
    version: int | None  # default: the newest ready version
    version_label: str | None  # such as "stable"


class ImageOptions(ModelChoice, total=False):
    """Preprocessing of images, and the model choice."""

    normalize: Normalize  # auto: prepare it like the training set; off: use it unchanged


class ImagesOptions(ImageOptions, total=False):
    """The same for several images; `report`: errors of invalid images are in the answer's `failures`."""

    on_error: OnError  # default: fail, one invalid image fails the call


class PreparedImageOptions(ImagesOptions, total=False):
    """The same, and whether the answer has the model's input image, as `input`."""

    return_input: bool


@dataclass(frozen=True)
class ModelVersion:
    """The model that answered."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The header's `digits/3` → a model version; ValueError for other values."""
        name, _, version = text.rpartition("/")
        return cls(name, int(version))


@dataclass(frozen=True)
class PreparedImage:
    """The model's input image, a PNG file, and the preprocessing steps."""

    image: bytes = field(repr=False)
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Base of all answers; fields of the service that this version does not know are ignored."""

    body: bytes = field(default=b"", kw_only=True, repr=False, compare=False)  # the JSON itself

    def _repr_html_(self) -> str:
        """The answer as HTML, for notebooks."""
        return answer_html(self)


@dataclass(frozen=True)
class ModelAnswer(Answer):
    """Base of the answers of a model.

    failures: with `on_error="report"`, the errors of invalid images by index, from 0; the other
        fields contain only the valid images, in order.
    """

    model: ModelVersion
    failures: Mapping[int, ServiceError] = field(default_factory=dict, kw_only=True)

    def each(self, rows: Iterable[Row]) -> Iterator[Row | ServiceError]:
        """One of `rows` or an error for each image of the call."""
        left = iter(rows)
        place = 0
        while True:
            if place in self.failures:
                yield self.failures[place]
            elif (row := next(left, None)) is not None:
                yield row
            else:
                return
            place += 1


def query_of(options: Mapping[str, object]) -> dict[str, str]:
    """Options → the query of a URL; absent options are omitted."""
    given = {name: value for name, value in options.items() if value is not None}
    if given.pop("return_input", False):
        given["return"] = "input"
    return {name: str(value) for name, value in given.items()}
