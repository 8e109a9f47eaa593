"""The options of an import."""

from pathlib import Path
from typing import NamedTuple


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
