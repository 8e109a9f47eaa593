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
    """Which model is asked; what is left out, or None, is the service's choice."""

    model: str | None  # another one of the same task
    version: int | None  # absent: the newest that is ready
    version_label: str | None  # such as "stable"


class ImageOptions(ModelChoice, total=False):
    """How an image is brought into the model's form, and which model is asked."""

    normalize: Normalize  # auto: make it look like the training set; off: take it as it is


class ImagesOptions(ImageOptions, total=False):
    """The same for several images; `report`: those that cannot be used are in the answer's `failures`."""

    on_error: OnError  # absent: fail, one image that cannot be used fails the call


class PreparedImageOptions(ImagesOptions, total=False):
    """The same, and whether the answer shows the image that the model saw, as `input`."""

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
        """The header's `digits/3` → a model version; ValueError: it is none."""
        name, _, version = text.rpartition("/")
        return cls(name, int(version))


@dataclass(frozen=True)
class PreparedImage:
    """The image that the model saw, a PNG file, and what was done to the caller's."""

    image: bytes = field(repr=False)
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Base of all answers; fields of the service that this version does not know are ignored."""

    body: bytes = field(default=b"", kw_only=True, repr=False, compare=False)  # its own words

    def _repr_html_(self) -> str:
        """What a notebook shows of the answer."""
        return answer_html(self)


@dataclass(frozen=True)
class ModelAnswer(Answer):
    """Base of the answers that a model gave.

    failures: with `on_error="report"`, why an image could not be used, by its place from 0; the other
        fields hold only the images that could, in their order.
    """

    model: ModelVersion
    failures: Mapping[int, ServiceError] = field(default_factory=dict, kw_only=True)

    def each(self, rows: Iterable[Row]) -> Iterator[Row | ServiceError]:
        """One of `rows` for each image of the call, or why there is none."""
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
    """Options → the query of an address; what was not said is left out."""
    said = {name: value for name, value in options.items() if value is not None}
    if said.pop("return_input", False):
        said["return"] = "input"
    return {name: str(value) for name, value in said.items()}
