"""What is written of every imported model: its card, the digest of its files, its version directory."""

import hashlib
from pathlib import Path

from training.export import saved_model
from training.export.saved_model import Artefact
from training.keras_import.options import ImportOptions, say


def write(artefact: Artefact, options: ImportOptions, models: Path) -> Path:
    """Write the next version of an imported model, with the digest in its card."""
    say("writing the SavedModel, and its golden outputs")
    found = artefact._replace(digest=str(artefact.card["digest"]))
    return saved_model.write(found, models, options.name)


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
