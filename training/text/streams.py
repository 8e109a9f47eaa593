"""A text as parallel streams: windows for training, and the validation text."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from training.text.corpus import TextSplits
from training.text.model import CharacterConfig

VALIDATION_STREAMS, VALIDATION_LEAD = 32, 256
LEAST_STEPS = 100  # minimum steps per epoch: a short text gets fewer streams


class Streams:
    """The training text as parallel streams, divided into new windows each epoch."""

    def __init__(self, ids: np.ndarray, config: CharacterConfig) -> None:
        """A text too short for the configuration gets fewer streams, then shorter windows."""
        self.ids, self.seed = ids, config.seed
        usable = (
            len(ids) - config.window - 1
        )  # each epoch has the same number of steps, for any offset
        self.window = min(config.window, usable // 2)
        self.rows = max(1, min(config.batch_size, usable // (LEAST_STEPS * self.window)))
        self.steps = usable // self.rows // self.window

    def epoch(self, number: int) -> Iterator[Any]:
        """Consecutive windows int32 [B, T + 1] of each stream, from a random offset."""
        offset = int(np.random.default_rng((self.seed, number)).integers(self.window))
        starts = offset + self.steps * self.window * np.arange(self.rows)
        for step in range(self.steps):
            places = starts[:, None] + step * self.window + np.arange(self.window + 1)
            yield tf.constant(self.ids[places])

    def shapes(self, symbols: int) -> dict[str, str]:
        """The tensors of one step: inputs, targets and outputs."""
        size = f"{self.rows}, {self.window}"
        return {
            "x": f"int32 [{size}]",
            "y": f"int32 [{size}]",
            "preds": f"float32 [{size}, {symbols}]",
        }


def validation_streams(splits: TextSplits) -> tuple[np.ndarray, int]:
    """The validation text as int32 [streams, T], and the number of characters before each stream's part.

    Each stream first reads what precedes its part, so that it begins in the right state: much
    quicker than the one long stream that the card's number is of.
    """
    lead = min(VALIDATION_LEAD, len(splits.train))
    text = np.concatenate([splits.train[-lead:], splits.validation])
    streams = min(VALIDATION_STREAMS, len(splits.validation))
    length = len(splits.validation) // streams
    places = length * np.arange(streams)[:, None] + np.arange(lead + length)
    return text[places], lead
