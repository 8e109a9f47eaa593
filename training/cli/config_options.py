"""Command-line options such as `--epochs 3` → typed changes of a JobConfig; `28x28x3` → a shape."""

import argparse
import dataclasses
from typing import Any, TypeVar, get_type_hints

C = TypeVar("C")


def add_arguments(parser: argparse.ArgumentParser, config_class: type[Any]) -> None:
    """Add one option per field of `config_class`; unknown options and wrong types are argparse errors."""
    group = parser.add_argument_group("configuration")
    hints = get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        option = "--" + field.name.replace("_", "-")
        group.add_argument(
            option,
            dest=field.name,
            type=hints[field.name],
            default=argparse.SUPPRESS,
            metavar=hints[field.name].__name__.upper(),
            help=f"default {field.default}",
        )


def apply(config: C, namespace: argparse.Namespace) -> C:
    """Return `config` with the fields that were given on the command line."""
    names = {field.name for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    changes = {name: value for name, value in vars(namespace).items() if name in names}
    return dataclasses.replace(config, **changes)  # type: ignore[type-var]


def parse_shape(text: str) -> tuple[int, int, int]:
    """`"28x28x3"` → (28, 28, 3); other values are an argparse error."""
    sizes = tuple(int(size) for size in text.split("x"))
    if len(sizes) != 3 or min(sizes) < 1:
        raise argparse.ArgumentTypeError(
            f"must be HEIGHTxWIDTHxCHANNELS, such as 28x28x3, got {text!r}"
        )
    return sizes
