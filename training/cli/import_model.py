"""`vitrine import`, as a person types it; TensorFlow is loaded when it runs, not for its help."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.cli import config_options
from training.native_stderr import import_keras


def joined(arguments: list[str]) -> list[str]:
    """`--input-range -1..1` as one word: argparse would take the second for an option."""
    words: list[str] = []
    for argument in arguments:
        if words[-1:] == ["--input-range"] and argument.startswith("-1"):
            words[-1] += f"={argument}"
        else:
            words.append(argument)
    return words


def add_arguments(commands: Any) -> None:
    """Add the command to the others."""
    importer = commands.add_parser("import", help="export a finished Keras image classifier")
    importer.add_argument(
        "path",
        type=Path,
        help=".keras or .h5 file, a SavedModel folder, or a head.json of the page",
    )
    importer.add_argument("--name", required=True, help="what the model is called from now on")
    importer.add_argument(
        "--on",
        metavar="MODEL",
        help="for a head.json: the exported model whose features it was trained on",
    )
    importer.add_argument(
        "--labels", type=Path, help="text file, one label a line (or ID<TAB>LABEL)"
    )
    importer.add_argument(
        "--input-range",
        metavar="RANGE",
        help="pixels as the network wants them: 0..255, 0..1, -1..1, or as a network of "
        "keras.applications does, such as MobileNetV2",
    )
    importer.add_argument(
        "--input-shape",
        type=config_options.parse_shape,
        metavar="HxWxC",
        help="for a network that leaves its size free",
    )
    importer.add_argument(
        "--outputs",
        choices=("auto", "probabilities", "logits"),
        default="auto",
        help="what the last layer gives, if that cannot be told from it",
    )
    importer.add_argument("--models", type=Path, default=Path("models"), help="where to export to")
    importer.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """Return 2, as for a wrong option, if what is in the files cannot be served."""
    if options.on is None and None in (options.labels, options.input_range):
        print(
            "error: --labels and --input-range must be given (only a head.json has --on instead)",
            file=sys.stderr,
        )
        return 2
    import_keras()
    from training.keras_import import head, importer

    if options.on is not None:
        return _report(
            options,
            lambda: head.import_head(options.path, options.on, options.name, options.models),
        )
    order = importer.Order(
        path=options.path,
        name=options.name,
        labels=options.labels,
        input_range=options.input_range,
        input_shape=options.input_shape,
        outputs=options.outputs,
    )
    return _report(options, lambda: importer.adopt(order, options.models))


def _report(options: argparse.Namespace, write: Callable[[], Path]) -> int:
    try:
        version = write()
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    url = f"http://127.0.0.1:8000/v1/images/label?model={options.name}"
    print(f"\nexported {version}\ntry it: curl --data-binary @photo.jpg '{url}'")
    return 0
