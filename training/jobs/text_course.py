"""The course's network, one LSTM layer of 128 between one-hot characters and a softmax, taught better.

Network, 40-character seed and diversities are those of Keras' example `lstm_character_level_text_generation`,
which reads 40 characters to learn the one that follows. Ours learns every character it reads (B = 32
streams, 128 characters a step, the state carried on), with AdamW and a cosine instead of RMSprop, and
keeps a running mean of the weights from the epoch with the best validation loss.
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

NAME = "text-course"
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

    batch_size: int = 32
    epochs: int = 40
    learning_rate: float = 4e-3
    layers: int = 1
    units: int = 128
