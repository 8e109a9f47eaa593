"""Imports a Keras model into a served directory, without code.

The task determines what is added to the model; `training.export` writes all tasks in the same way.
"""

import json
from collections.abc import Callable
from pathlib import Path

from training.export import release
from training.keras_import import (
    autoencoder,
    digit_classifier,
    image_classifier,
    mlflow_folder,
    tensors,
    text,
)
from training.keras_import.options import ImportOptions

IMPORTERS: dict[str, tuple[str, Callable[[ImportOptions, Path], Path]]] = {
    "digits": ("classify_digit", digit_classifier.import_digits),
    "labels": ("classify_image", image_classifier.import_labels),
    "text": ("generate_text", text.import_text),
    "autoencoder": ("autoencode_image", autoencoder.import_autoencoder),
    "tensors": ("tensors", tensors.import_tensors),
}


def import_model(options: ImportOptions, models: Path) -> Path:
    """Write the next version of `options.name`; return its directory.

    Raises:
        ValueError: the files cannot be served, or the options are invalid.
    """
    release.check_name(options.name)
    options = options._replace(path=mlflow_folder.find_model(options.path))
    task = find_task(options)
    served, run = IMPORTERS[task]
    _check_task(models / options.name, served)
    if not options.path.exists():
        raise ValueError(
            f"the model must be a file or folder, got {options.path}, which does not exist"
        )
    return run(options._replace(task=task), models)


def find_task(options: ImportOptions) -> str:
    """The task that was said, or that the other options stand for."""
    if options.task != "auto":
        return options.task
    if options.labels:
        return "labels"
    if options.decoder:
        return "autoencoder"
    return "text" if options.corpus or options.vocabulary else "tensors"


def _check_task(folder: Path, served: str) -> None:
    """Refuse a name under which a model of another task is served already."""
    for version in release.exported_versions(folder)[-1:]:
        path = version / "assets.extra" / "manifest.json"
        task = json.loads(path.read_text()).get("task") if path.is_file() else served
        if task != served:
            raise ValueError(
                f"--name must be a new name or a model of task {served}, got {folder.name!r} of task {task}"
            )
