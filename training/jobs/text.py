"""A character model of a text: two LSTM layers of 384, regularised for a text of about a million characters.

Learns sequence to sequence with the state carried on (B = 64 streams, 128 characters a step); dropout
between the layers and before the head as Zaremba et al. (2014), dropped recurrent weights as Merity et
al. (2017), AdamW with a warm-up and a cosine, and a running mean of the weights, of which the epoch
with the best validation loss is kept. About a minute an epoch on two cores that multiply bfloat16.
"""

from dataclasses import dataclass

from training import (
    character_evaluation,
    character_fitting,
    character_model,
    character_signatures,
    texts,
)
from training.character_model import CharacterConfig

NAME = "text"
TASK = character_model.TASK
INPUT: dict[str, int] = {}
LABELS: list[tuple[str, str]] = []
load_data = texts.load_text
build_model = character_model.build_model
train = character_fitting.train
evaluate = character_evaluation.evaluate
signatures = character_signatures.signatures
manifest_fields = character_signatures.manifest_fields
golden_inputs = character_signatures.golden_inputs


@dataclass(frozen=True)
class Config(CharacterConfig):
    """The recipe's numbers."""

    batch_size: int = 64
    epochs: int = 30
    learning_rate: float = 3e-3
    layers: int = 2
    units: int = 384
    dropout: float = 0.4
    weight_drop: float = 0.25
