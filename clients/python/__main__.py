"""`python -m clients.python classify digit.png`: asks the service from a terminal.

The API key comes from VITRINE_API_KEY, never from the command line, where other users could read it.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from clients.python.client import Vitrine
from clients.python.commands import classify, generate, score
from clients.python.drawing import fashion, label, project, sample
from clients.python.errors import VitrineError
from clients.python.terminal import printable


def main(
    arguments: Sequence[str] | None = None, client: Callable[[str | None], Vitrine] = Vitrine
) -> int:
    """Command-line arguments → answers on standard output and an exit code."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a letter gets a "?"
    try:
        with client(options.url) as vitrine:
            options.run(vitrine, options)
        sys.stdout.flush()
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (VitrineError, OSError) as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clients.python", description="Ask a Vitrine service."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for add in (
        _add_classify,
        _add_generate,
        _add_score,
        _add_label,
        _add_fashion,
        _add_sample,
        _add_project,
    ):
        command = add(commands)
        command.epilog = "An API key is read from VITRINE_API_KEY."
        command.add_argument("--json", action="store_true", help="print the service's own answer")
        command.add_argument(
            "--url", help="the service's address (default: VITRINE_URL, or this machine)"
        )
        command.add_argument("--model", help="another model of the same task")
    return parser


Commands = argparse._SubParsersAction  # what add_subparsers gives; it has no public name


def _add_classify(commands: "Commands[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    command = commands.add_parser("classify", help="which digit does each picture show?")
    command.add_argument("pictures", nargs="+", metavar="picture", help="a PNG, JPEG, WebP, …")
    command.add_argument(
        "--normalize",
        choices=("auto", "off"),
        default="auto",
        help="off: send 28×28 pictures through as they are",
    )
    command.set_defaults(run=classify)
    return command


def _add_generate(commands: "Commands[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    command = commands.add_parser("generate", help="how may a text go on?")
    command.add_argument("seed", help='the text to continue; "": a fresh one; -: standard input')
    command.add_argument(
        "--diversity",
        action="append",
        type=float,
        metavar="D",
        help="0: always the likeliest character; 1: as the model finds them likely; "
        "may be given again, for another text (default 0.5)",
    )
    command.add_argument("--length", type=int, help="characters (default 400)")
    command.add_argument("--random-seed", type=int, help="same number, same text (default: drawn)")
    command.add_argument("--top-k", type=int, help="choose among the K likeliest characters")
    command.add_argument("--top-p", type=float, help="choose among the likeliest, P in sum")
    command.add_argument("--stop", action="append", metavar="TEXT", help="end before this text")
    command.add_argument(
        "--replace-unknown", action="store_true", help="spaces for letters the model never saw"
    )
    command.add_argument("--stream", action="store_true", help="print while the model writes")
    command.set_defaults(run=generate)
    return command


def _add_score(commands: "Commands[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    command = commands.add_parser("score", help="how likely does the model find a text?")
    command.add_argument("text", help="-: standard input")
    command.set_defaults(run=score)
    return command


def _add_sample(commands: "Commands[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    command = commands.add_parser("sample", help="draw pictures that nobody drew")
    command.add_argument("kind", choices=("vae", "gan"), help="what draws them")
    command.add_argument(
        "-o", "--output", type=Path, default=Path("samples.png"), help="the file (samples.png)"
    )
    command.add_argument("--n", type=int, default=16, help="how many (default 16)")
    command.add_argument("--random-seed", type=int, help="same number, same pictures")
    command.add_argument(
        "--scale", type=float, help="vae; below 1: nearer to the typical (default 1)"
    )
    command.add_argument("--digit", type=int, help="gan: draw only this digit (default: any)")
    command.add_argument(
        "--truncation", type=float, help="gan; lower: nearer to the typical (default 0.7)"
    )
    command.set_defaults(run=sample)
    return command


def _add_label(commands: "Commands[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    command = commands.add_parser("label", help="what does each photo show?")
    command.add_argument("pictures", nargs="+", metavar="photo", help="a PNG, JPEG, WebP, …")
    command.add_argument("--top", type=int, default=5, help="labels for each (default 5)")
    command.set_defaults(run=label)
    return command


def _add_fashion(commands: "Commands[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    command = commands.add_parser("fashion", help="which piece of clothing does each picture show?")
    command.add_argument("pictures", nargs="+", metavar="picture", help="a PNG, JPEG, WebP, …")
    command.add_argument(
        "--head", choices=("dense", "svm"), default="dense", help="what decides (default dense)"
    )
    command.set_defaults(run=fashion)
    return command


def _add_project(commands: "Commands[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    command = commands.add_parser("project", help="find a digit in the GAN's latent space")
    command.add_argument("picture", help="a PNG, JPEG, WebP, …")
    command.add_argument("--steps", type=int, default=100, help="of gradient descent (default 100)")
    command.add_argument(
        "--loss", choices=("perceptual", "pixel"), default="perceptual", help="what is compared"
    )
    command.add_argument(
        "-o", "--output", type=Path, default=Path("projected.png"), help="the file (projected.png)"
    )
    command.set_defaults(run=project)
    return command


if __name__ == "__main__":
    sys.exit(main())
