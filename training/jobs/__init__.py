"""The jobs by name: one module per job, whose `JOB` is a `training.job.Job`.

Released networks that measure other models are also loaded here.
"""

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.export import release
from training.export.quiet_import import import_keras
from training.job import Job

if TYPE_CHECKING:
    from training.digits.reference_classifier import ReferenceClassifier

REFERENCE = "digits-large"  # the released classifier that evaluates generative models


def names() -> list[str]:
    """The names of all jobs."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def summary(name: str) -> str:
    """The first line of a job's docstring, without importing the job."""
    path = Path(__path__[0]) / f"{name.replace('-', '_')}.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def load(name: str) -> Job:
    """Import one job (its module imports Keras)."""
    import_keras()
    job = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").JOB
    if not isinstance(job, Job):
        raise TypeError(f"JOB of {name} must be a training.job.Job, got {type(job).__name__}")
    return job


def load_released(name: str) -> tuple[Any, dict[str, Any]]:
    """Build the network of a released model with its weights; return it and its card."""
    released = release.read(release.RELEASED / name)
    job = load(released.card["job"])
    network = job.build_model(job.config(**released.card["configuration"]))
    release.load_weights(released, network)
    return network, released.card


def load_reference_classifier() -> "ReferenceClassifier":
    """Load the released digit classifier, which is independent of the models it evaluates."""
    from training.digits.reference_classifier import ReferenceClassifier

    network, card = load_released(REFERENCE)
    return ReferenceClassifier(network, card["calibration"]["temperature"])
