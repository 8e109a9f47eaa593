"""The options of an import."""

import hashlib
from pathlib import Path
from typing import NamedTuple

TASKS = ("auto", "digits", "labels", "text", "autoencoder", "tensors")


class ImportOptions(NamedTuple):
    """The command line of `import`."""

    path: Path  # a .keras or .h5 file, a SavedModel directory or an MLflow model
    name: str
    task: str = "auto"
    labels: Path | None = None
    input_range: str | None = None  # see `training.keras_import.input_range`
    # Where the network leaves it open, or takes it flat
    image_shape: tuple[int, int, int] | None = None
    outputs: str = "auto"  # outputs of the last layer, if they cannot be detected
    decoder: Path | None = None
    corpus: Path | None = None
    vocabulary: Path | None = None
    encoding: str | None = None  # of the corpus


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(line, flush=True)


def digest(*paths: Path) -> str:
    """`sha256:…` of files, or of a directory's files with their names."""
    whole = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                whole.update(file.relative_to(path).as_posix().encode() if path.is_dir() else b"")
                with file.open("rb") as stream:
                    for part in iter(lambda: stream.read(1 << 20), b""):
                        whole.update(part)
    return f"sha256:{whole.hexdigest()}"


def card(
    options: ImportOptions, task: str, description: str, configuration: dict[str, str]
) -> dict[str, object]:
    """The card fields of every imported model; nothing is measured, because there are no data."""
    files = " and ".join(path.name for path in (options.path, options.decoder) if path)
    return {
        "job": options.name,
        "task": task,
        "summary": f"Imported from {files}.",
        "description": f"Trained elsewhere: its quality was not measured here. {description}".strip(),
        "data": {"source": "not known here"},
        "configuration": configuration,
        "metrics": {},
        "calibration": {},
        "history": {},
        "digest": digest(*(path for path in (options.path, options.decoder) if path)),
    }
