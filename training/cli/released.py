"""The jobs by name, and the export of their released weights, as other processes call it."""

import importlib
from pathlib import Path
from typing import cast

from training.export import release
from training.job import Job
from training.native_stderr import import_keras


def load_job(name: str) -> Job:
    """Import one job; only its module pays for Keras."""
    import_keras()
    return cast(Job, importlib.import_module(f"training.jobs.{name.replace('-', '_')}"))


def export_released(name: str, models: Path) -> Path:
    """Export the released weights of one name; return the version directory."""
    import_keras()
    from training.export import saved_model

    released = release.read(release.RELEASED / name)
    return saved_model.export(load_job(released.card["job"]), released, models, name, "released")
