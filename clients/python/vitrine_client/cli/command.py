"""Subcommands as values: a function of the client and the options, its line of help, and its arguments."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from vitrine_client.client import Vitrine

Argument: TypeAlias = Callable[[argparse.ArgumentParser], object]  # adds itself to a parser
Run: TypeAlias = Callable[[Vitrine, argparse.Namespace], int | None]  # returns the exit status


class Command(NamedTuple):
    """A subcommand, named after its function."""

    run: Run
    help: str
    arguments: tuple[Argument, ...]

    @property
    def name(self) -> str:
        """The name on the command line."""
        return self.run.__name__


def command(help: str, *arguments: Argument) -> Callable[[Run], Command]:
    """Make a subcommand of a function."""
    return lambda run: Command(run, help, arguments)


def argument(*names: str, **settings: Any) -> Argument:
    """An argument, as argparse describes it."""
    return lambda parser: parser.add_argument(*names, **settings)


def images(what: str = "image") -> Argument:
    """The image files."""
    return argument(
        "images", nargs="+", metavar=what, help="a PNG, JPEG, WebP, …; -: standard input"
    )


def output(name: str) -> Argument:
    """The option for an output file."""
    return argument("-o", "--output", type=_output, default=Path(name), help=f"the file ({name})")


def _output(text: str) -> Path:
    """Check that an output file's folder exists, before a request is sent."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"the output must be a file, got the folder {text}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(
            f"the output's folder must exist, got {path.parent}: create it first"
        )
    return path


VERSION = (
    argument("--version", type=int, help="a version (default: the newest)"),
    argument("--version-label", help="a version by its label"),
)
CHOICE = (argument("--model", help="another model of the same task"), *VERSION)
