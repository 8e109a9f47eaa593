"""`python -m vitrine_client classify digit.png`: the client's command line.

The API key comes from VITRINE_API_KEY, not from an option, which other users of the machine could read.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from vitrine_client.cli.classify import add_classify, add_fashion, add_label
from vitrine_client.cli.features import add_features
from vitrine_client.cli.generative import (
    add_edit,
    add_interpolate,
    add_mix,
    add_project,
    add_sample,
)
from vitrine_client.cli.models import add_card, add_health, add_models
from vitrine_client.cli.terminal import printable
from vitrine_client.cli.text import add_generate, add_score
from vitrine_client.client import Vitrine
from vitrine_client.errors import VitrineError

COMMANDS = (
    add_classify,
    add_generate,
    add_score,
    add_label,
    add_fashion,
    add_features,
    add_sample,
    add_interpolate,
    add_edit,
    add_mix,
    add_project,
    add_models,
    add_card,
    add_health,
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
    for add in COMMANDS:
        command = add(commands)
        command.epilog = "An API key is read from VITRINE_API_KEY."
        command.add_argument("--json", action="store_true", help="print the service's JSON answer")
        command.add_argument(
            "--url", help="the service's address (default: VITRINE_URL, or this machine)"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
