"""The common job of all autoencoders."""

from collections.abc import Callable
from typing import Any

from training.data import mnist
from training.digits.reference_classifier import ReferenceClassifier
from training.job import Job, Splits
from training.vae import evaluation, fitting, model, signatures


def make_job(
    name: str,
    description: str,
    config: type[model.VaeConfig],
    load_classifier: Callable[[], ReferenceClassifier],
) -> Job:
    """Make a job that trains on digits; `load_classifier` reads the classifier it is measured with."""

    def evaluate(network: model.Vae, splits: Splits) -> dict[str, Any]:
        return evaluation.evaluate(network, splits, load_classifier())

    return Job(
        name=name,
        description=description,
        task=signatures.TASK,
        config=config,
        load_data=mnist.load_digits,
        build_model=model.build_model,
        train=fitting.train,
        evaluate=evaluate,
        signatures=signatures.signatures,
        input=signatures.INPUT,
    )
