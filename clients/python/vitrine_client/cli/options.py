"""Options and output that the subcommands share."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from vitrine_client.cli.terminal import printable
from vitrine_client.errors import ServiceError
from vitrine_client.types import Answer, ModelAnswer, ModelChoice

Row = TypeVar("Row")

# What add_subparsers gives; it has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_images(command: argparse.ArgumentParser, what: str = "image") -> None:
    """Add the image file arguments."""
    command.add_argument(
        "images", nargs="+", metavar=what, help="a PNG, JPEG, WebP, …; -: standard input"
    )


def read_images(names: Sequence[str]) -> list[str | bytes]:
    """The paths, with the bytes of standard input for `-`."""
    return [sys.stdin.buffer.read() if name == "-" else name for name in names]


def report(
    names: Sequence[str], answer: ModelAnswer, rows: Iterable[Row], show: Callable[[str, Row], None]
) -> int:
    """Print each file's row or error; return the exit status."""
    for name, row in zip(names, answer.each(rows), strict=True):
        if isinstance(row, ServiceError):
            tell(f"error: {printable(name)}: {printable(str(row))}")
        else:
            show(printable(name), row)
    return 1 if answer.failures else 0


def report_json(names: Sequence[str], answer: ModelAnswer) -> int:
    """Print the service's JSON, with errors in the places of files; return the exit status."""
    print_body(answer)
    return report(names, answer, [""] * (len(names) - len(answer.failures)), lambda *_: None)


def add_output(command: argparse.ArgumentParser, name: str) -> None:
    """Add the option for an output image."""
    command.add_argument(
        "-o", "--output", type=_output, default=Path(name), help=f"the file ({name})"
    )


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


def add_choice(command: argparse.ArgumentParser) -> None:
    """Add the options for the model and its version."""
    command.add_argument("--model", help="another model of the same task")
    add_version(command)


def add_version(command: argparse.ArgumentParser) -> None:
    """Add the options for the version."""
    command.add_argument("--version", type=int, help="a version (default: the newest)")
    command.add_argument("--version-label", help="a version by its label")


def choice(options: argparse.Namespace) -> ModelChoice:
    """The model choice from the command line."""
    return {
        "model": options.model,
        "version": options.version,
        "version_label": options.version_label,
    }


def print_body(answer: Answer) -> None:
    """Print the service's JSON."""
    print(answer.body.decode().rstrip("\n"))


def tell(text: str) -> None:
    """Print a message to standard error."""
    print(text, file=sys.stderr)
