"""The command `vitrine import`. TensorFlow is loaded for files that pass the checks, not for its help."""

import argparse
import sys
from pathlib import Path
from typing import Any

from training.cli import config_options
from training.cli.example_request import example_request
from training.export.quiet_import import import_keras


def joined(arguments: list[str]) -> list[str]:
    """Join `--input-range -1..1` to one word; argparse would read the second as an option."""
    words: list[str] = []
    for argument in arguments:
        if words[-1:] == ["--input-range"] and argument.startswith("-1"):
            words[-1] += f"={argument}"
        else:
            words.append(argument)
    return words


def add_arguments(commands: Any) -> None:
    """Add the command to the others."""
    importer = commands.add_parser("import", help="import a trained Keras model")
    importer.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help=".keras or .h5 file, SavedModel or MLflow folder, or a head.json of the page; an "
        "autoencoder is encoder and decoder",
    )
    importer.add_argument("--name", required=True, help="name of the imported model")
    importer.add_argument(
        "--on",
        metavar="MODEL",
        help="for a head.json: the exported model whose features it was trained on",
    )
    importer.add_argument(
        "--task",
        choices=("auto", "digits", "labels", "text", "autoencoder", "tensors"),
        default="auto",
        help="the task; absent: derived from the other options, else tensors",
    )
    importer.add_argument(
        "--labels",
        type=Path,
        help="of an image classifier: one label a line, or class_indices as JSON",
    )
    importer.add_argument(
        "--input-range",
        metavar="RANGE",
        help="pixels as the network wants them: 0..255, 0..1, -1..1, or as a network of "
        "keras.applications does, such as MobileNetV2",
    )
    importer.add_argument(
        "--image-shape",
        "--input-shape",
        type=config_options.parse_shape,
        metavar="HxWxC",
        help="of the images, for a network that leaves its size free or takes them flat",
    )
    importer.add_argument(
        "--outputs",
        choices=("auto", "probabilities", "logits"),
        default="auto",
        help="outputs of the last layer, if they cannot be detected",
    )
    importer.add_argument("--corpus", type=Path, help="of a text model: what it was trained on")
    importer.add_argument(
        "--vocabulary", type=Path, help="of a text model: its characters in the order of their ids"
    )
    importer.add_argument("--encoding", help="of the corpus, if it does not say it itself")
    importer.add_argument("--models", type=Path, default=Path("models"), help="where to export to")
    importer.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    """Return 2, as for a wrong option, if the model cannot be served."""
    try:
        _check(options)
        import_keras()
        task, version = _import(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"\nexported {version}\ntry it: {example_request(task, options.name)}")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse a name or a file that cannot be imported, before the seconds that TensorFlow takes to load."""
    from training.export import release
    from training.keras_import.archive_check import CHECKS

    release.check_name(options.name)
    for path in options.paths:
        if path.is_file() and path.suffix.lower() in CHECKS:
            CHECKS[path.suffix.lower()](path)


def _import(options: argparse.Namespace) -> tuple[str, Path]:
    """Import the model; return the service's task and the version's directory."""
    from training.keras_import import head, importer
    from training.keras_import.options import ImportOptions

    first, *others = options.paths
    if options.on is not None:
        return importer.IMPORTERS["labels"][0], head.import_head(
            first, options.on, options.name, options.models
        )
    if len(others) > 1:
        raise ValueError("PATH must be at most an encoder and a decoder")
    given = {name: vars(options)[name] for name in ImportOptions._fields if name in options}
    wanted = ImportOptions(path=first, decoder=others[0] if others else None, **given)
    task, _ = importer.IMPORTERS[importer.find_task(wanted)]
    return task, importer.import_model(wanted, options.models)
