"""`python -m vitrine_client classify digit.png`: the client's command line.

The API key comes from VITRINE_API_KEY, not from an option, which other users of the machine could read.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from vitrine_client.cli import classify, features, generative, models, text
from vitrine_client.cli.terminal import printable
from vitrine_client.client import Vitrine
from vitrine_client.errors import VitrineError

COMMANDS = (
    classify.classify,
    text.generate,
    text.score,
    classify.label,
    classify.fashion,
    features.features,
    generative.sample,
    generative.interpolate,
    generative.edit,
    generative.mix,
    generative.project,
    models.models,
    models.card,
    models.health,
)


def main(
    arguments: Sequence[str] | None = None,
    client: Callable[[str | None], Vitrine] = Vitrine,
    prog: str = "python -m vitrine_client",
) -> int:
    """Command-line arguments → answers on standard output and an exit code."""
    options = _parser(prog).parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # characters that the terminal lacks become "?"
    try:
        with client(options.url) as vitrine:
            code: int | None = options.run(vitrine, options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `| head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (VitrineError, OSError) as error:
        print(f"error: {printable(_in_options(str(error), options))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code or 0


def _in_options(message: str, options: argparse.Namespace) -> str:
    """The way out by an option of the command instead of a field of JSON."""
    way_out = ", or add --replace-unknown" if hasattr(options, "replace_unknown") else ""
    return message.replace(', or send "unknown": "replace"', way_out)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="A client of a Vitrine service.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        one = commands.add_parser(
            command.name,
            help=command.help,
            epilog="An API key is read from VITRINE_API_KEY.",
        )
        for add in command.arguments:
            add(one)
        one.add_argument("--json", action="store_true", help="print the service's JSON answer")
        one.add_argument(
            "--url", help="the service's address (default: VITRINE_URL, or this machine)"
        )
        one.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
