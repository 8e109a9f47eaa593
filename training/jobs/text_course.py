"""The course's network with better training: one LSTM layer of 128 between one-hot characters and a softmax.

Network, 40-character seed and diversities are those of Keras' example `lstm_character_level_text_generation`,
which reads 40 characters to learn the next one. This job learns every character it reads (B = 32
streams, 128 characters per step, carried state), with AdamW and a cosine schedule instead of RMSprop, and
keeps a running mean of the weights from the epoch with the best validation loss.
"""

from dataclasses import dataclass

from training.text.job import make_job
from training.text.model import CharacterConfig


@dataclass(frozen=True)
class Config(CharacterConfig):
    """The recipe's numbers."""

    batch_size: int = 32
    epochs: int = 40
    learning_rate: float = 4e-3
    layers: int = 1
    units: int = 128


JOB = make_job("text-course", __doc__, Config)
