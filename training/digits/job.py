"""The common job of all digit classifiers."""

from collections.abc import Callable
from functools import partial
from typing import Any

from training.data import mnist
from training.digits import classifier
from training.evaluation.outliers import FeatureSource
from training.job import Job, JobConfig


def make_job(
    name: str,
    description: str,
    config: type[JobConfig],
    build_model: Callable[..., Any],
    train: Callable[..., Any],
    outlier_features: FeatureSource,
) -> Job:
    """Make a job that trains on MNIST; the outlier score looks at `outlier_features`."""
    return Job(
        name=name,
        description=description,
        task=classifier.TASK,
        config=config,
        load_data=mnist.load_digits,
        build_model=build_model,
        train=train,
        evaluate=partial(classifier.evaluate, source=outlier_features),
        signatures=partial(classifier.signatures, source=outlier_features),
        input=classifier.INPUT,
        labels=classifier.LABELS,
        filters=classifier.filters,
    )
