"""A text model: its vocabulary, its initial state, and the batcher shared by all sequences."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from service.codecs.vocabulary import Vocabulary
from service.engine import EngineName
from service.runtime.manifest import ManifestError
from service.runtime.model import Model
from service.scheduling.continuous_batcher import ContinuousBatcher, Step
from service.scheduling.lane import Lane

SIGNATURES = ("prefill", "read", "generate")


class TextModel(NamedTuple):
    """One version of a text model, for tasks."""

    name: str
    version: int
    vocabulary: Vocabulary
    beginning: np.ndarray  # the state before any character, float32 [S]
    batcher: ContinuousBatcher
    engine: EngineName  # of the signature that draws


def make_text_model(model: Model, lane: Lane, on_step: Callable[[Step], None]) -> TextModel:
    """Compute the initial state; ManifestError if the model is not a text model."""
    manifest = model.manifest
    missing = [name for name in SIGNATURES if name not in manifest.signatures]
    if missing:
        raise ManifestError(f"a text model needs the signatures {', '.join(missing)}")
    ids, lengths = np.zeros((1, manifest.steps), np.int32), np.zeros(1, np.int32)
    beginning = model.run("prefill", {"token_ids": ids, "lengths": lengths})["state"][0]
    batcher = ContinuousBatcher(
        model.run, lane, manifest.max_batch_size, manifest.steps, model.costs, on_step
    )
    return TextModel(
        manifest.name,
        manifest.version,
        Vocabulary(manifest.vocabulary),
        beginning,
        batcher,
        model.engines["generate"].name,
    )
