"""The common job of all character models."""

from training.job import Job
from training.text import corpus, evaluation, fitting, model, signatures


def make_job(name: str, description: str, config: type[model.CharacterConfig]) -> Job:
    """Make a job that trains a character model of one text."""
    return Job(
        name=name,
        description=description,
        task=model.TASK,
        config=config,
        load_data=corpus.load_text,
        build_model=model.build_model,
        train=fitting.train,
        evaluate=evaluation.evaluate,
        signatures=signatures.signatures,
        manifest_fields=signatures.manifest_fields,
    )
