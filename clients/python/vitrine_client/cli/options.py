"""What the subcommands have in common: the model choice, images that are read, answers that are printed."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from vitrine_client.cli.terminal import printable
from vitrine_client.errors import ServiceError
from vitrine_client.types import Answer, ModelAnswer, ModelChoice

Row = TypeVar("Row")


def report_predictions(
    options: argparse.Namespace, ask: Callable[..., Any], show: Callable[[str, Any], None]
) -> int:
    """Ask about the images, and print each one's prediction or error; return the exit status."""
    images = [sys.stdin.buffer.read() if name == "-" else name for name in options.images]
    answer = ask(images, on_error="report", **choice(options))
    if not options.json:
        return report(options.images, answer, answer.predictions, show)
    print_body(answer)  # with errors in the places of images
    return report(options.images, answer, answer.predictions, lambda *_: None)


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
