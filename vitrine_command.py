"""The `vitrine` command: runs each subcommand with the program that implements it.

It imports service, training or clients (which do not import each other) only when one of their
subcommands runs, so `vitrine --help` and `vitrine describe` do not load TensorFlow.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from service import __version__


class Part(NamedTuple):
    """A program with a `main(arguments, prog)` that returns an exit status.

    module: imported when one of its subcommands runs.
    extra: the extra of pyproject.toml that it needs.
    commands: name → one line of help.
    takes_subcommand: whether the subcommand's name is the first of the program's own arguments.
    """

    module: str
    extra: str
    commands: dict[str, str]
    takes_subcommand: bool


PARTS = {
    "serve": [
        Part("service.__main__", "", {"serve": "serve a folder of models over HTTP"}, False),
        Part(
            "service.certificate",
            "class",
            {"certificate": "make a certificate for HTTPS in a local network"},
            False,
        ),
        Part(
            "service.cluster.__main__",
            "cluster",
            {"cluster": "serve a folder of models on a Ray cluster"},
            False,
        ),
    ],
    "publish": [
        Part("clients.site.__main__", "", {"site": "write the page as static files"}, False),
    ],
    "train and export": [
        Part(
            "training.__main__",
            "training",
            {
                "train": "train a job and export the result",
                "jobs": "list the training jobs",
                "export": "build SavedModels from the released weights",
                "import": "import a trained Keras model",
                "describe": "print a model card, or the output shape of a layer",
                "release": "release the best of several trainings",
                "sweep-beta": "train a small VAE with several values of β and compare them",
                "class-index": "write ImageNet's class names where Keras looks for them",
            },
            True,
        ),
    ],
    "use a running service": [
        Part(
            "vitrine_client.__main__",
            "",
            {
                "classify": "classify the digit in each image",
                "label": "label photos with ImageNet's classes",
                "fashion": "classify the clothing in each image",
                "features": "write the feature matrix of a folder of images",
                "generate": "continue a prompt, character by character",
                "score": "compute the likelihood of a string under a text model",
                "sample": "sample images from the VAE or the GAN",
                "interpolate": "interpolate between two images or latent vectors",
                "edit": "make a digit thicker, wider or more slanted",
                "mix": "mix the coarse and the fine style of two digits",
                "project": "find a digit in the GAN's latent space",
                "models": "list the served models",
                "card": "print the card of a model",
                "health": "report whether the service is ready",
            },
            True,
        ),
    ],
    "measure a running service": [
        Part(
            "clients.load.__main__",
            "clients",
            {"load-test": "raise the request rate until the service is overloaded"},
            False,
        ),
        Part(
            "clients.benchmark.__main__",
            "clients",
            {"benchmark": "compare the service with an endpoint without a model"},
            False,
        ),
        Part(
            "clients.robustness.__main__",
            "clients",
            {"robustness": "measure a digit model on corrupted and out-of-distribution images"},
            False,
        ),
    ],
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit status, or 2 if it does not exist."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        print(usage(), file=sys.stdout if given else sys.stderr)
        return 0 if given else 2
    if given[0] == "--version":
        print(f"vitrine {__version__}")
        return 0
    for part in (part for parts in PARTS.values() for part in parts):
        if given[0] in part.commands:
            return _run(part, given)
    print(f"error: there is no command {given[0]!r}; vitrine --help lists them", file=sys.stderr)
    return 2


def usage() -> str:
    """The help text: all subcommands with one line each."""
    lines = ["usage: vitrine COMMAND ...", "", "Train, export and serve Keras models over HTTP."]
    for title, parts in PARTS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:<13}{text}" for part in parts for name, text in part.commands.items()]
    return "\n".join([*lines, "", "vitrine COMMAND --help shows the options of a command."])


def _run(part: Part, given: list[str]) -> int:
    try:
        program = importlib.import_module(part.module)
        if part.takes_subcommand:
            return int(program.main(given, prog="vitrine"))
        return int(program.main(given[1:], prog=f"vitrine {given[0]}"))
    except ModuleNotFoundError as error:
        missing = f"vitrine {given[0]} needs the package {error.name}, which is not installed"
        project = f"'.[{part.extra}]'" if part.extra else "."
        print(f"error: {missing}; pip install {project} installs it", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
