"""`python -m clients.python classify digit.png`: asks the service from a terminal.

The API key comes from VITRINE_API_KEY, never from the command line, where other users could read it.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from clients.python.client import Vitrine
from clients.python.errors import VitrineError
from clients.python.types import DigitPrediction, DigitsAnswer

BAR_WIDTH = 20


def main(
    arguments: Sequence[str] | None = None, client: Callable[[str | None], Vitrine] = Vitrine
) -> int:
    """Command-line arguments → answers on standard output and an exit code."""
    options = _parser().parse_args(arguments)
    try:
        with client(options.url) as vitrine:
            answer = vitrine.classify_digits(
                options.pictures, model=options.model, normalize=options.normalize
            )
        _print(answer, options)
        sys.stdout.flush()
    except VitrineError as error:
        print(f"error: {_printable(str(error))}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clients.python", description="Ask a Vitrine service."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    classify = commands.add_parser(
        "classify",
        help="which digit does each picture show?",
        epilog="An API key is read from VITRINE_API_KEY.",
    )
    classify.add_argument("pictures", nargs="+", metavar="picture", help="a PNG, JPEG, WebP, …")
    classify.add_argument("--json", action="store_true", help="print the service's own answer")
    classify.add_argument(
        "--url", help="the service's address (default: VITRINE_URL, or this machine)"
    )
    classify.add_argument("--model", help="another model of the same task")
    classify.add_argument(
        "--normalize",
        choices=("auto", "off"),
        default="auto",
        help="off: send 28×28 pictures through as they are",
    )
    return parser


def _print(answer: DigitsAnswer, options: argparse.Namespace) -> None:
    if options.json:
        print(answer.body.decode().rstrip("\n"))
        return
    names = [_printable(name) for name in options.pictures]
    width = max(len(name) for name in names)
    for name, prediction in zip(names, answer.predictions, strict=True):
        print(f"{name:<{width}}  {_sentence(prediction)}")


def _sentence(prediction: DigitPrediction) -> str:
    filled = round(prediction.probability * BAR_WIDTH)
    full, empty = _bar_characters()
    bar = full * filled + empty * (BAR_WIDTH - filled)
    hint = "   probably no digit" if prediction.outlier else ""
    return f"{prediction.digit}  {prediction.probability:7.2%}  {bar}{hint}"


def _bar_characters() -> tuple[str, str]:
    try:
        "█░".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#", "."
    return "█", "░"


def _printable(text: str) -> str:
    """Text from outside without the characters that steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


if __name__ == "__main__":
    sys.exit(main())
