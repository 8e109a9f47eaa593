"""The course's network, one LSTM layer of 128 between one-hot characters and a softmax, taught better.

Network, 40-character seed and diversities are those of Keras' example `lstm_character_level_text_generation`,
which reads 40 characters to learn the one that follows. Ours learns every character it reads (B = 32
streams, 128 characters a step, the state carried on), with AdamW and a cosine instead of RMSprop, and
keeps a running mean of the weights from the epoch with the best validation loss.
"""

from dataclasses import dataclass

from training.text import corpus
from training.text import evaluation as text_evaluation
from training.text import fitting as text_fitting
from training.text import model as text_model
from training.text import signatures as text_signatures
from training.text.model import CharacterConfig

NAME = "text-course"
TASK = text_model.TASK
INPUT: dict[str, int] = {}
LABELS: list[tuple[str, str]] = []
load_data = corpus.load_text
build_model = text_model.build_model
train = text_fitting.train
evaluate = text_evaluation.evaluate
signatures = text_signatures.signatures
manifest_fields = text_signatures.manifest_fields
golden_inputs = text_signatures.golden_inputs


@dataclass(frozen=True)
class Config(CharacterConfig):
    """The recipe's numbers."""

    batch_size: int = 32
    epochs: int = 40
    learning_rate: float = 4e-3
    layers: int = 1
    units: int = 128
