"""A character model of a text: two LSTM layers of 384, regularised for a text of about a million characters.

Learns sequence to sequence with the state carried on (B = 64 streams, 128 characters a step); dropout
between the layers and before the head as Zaremba et al. (2014), dropped recurrent weights as Merity et
al. (2017), AdamW with a warm-up and a cosine, and a running mean of the weights, of which the epoch
with the best validation loss is kept. About a minute an epoch on two cores that multiply bfloat16.
"""

from dataclasses import dataclass

from training.text import corpus
from training.text import evaluation as text_evaluation
from training.text import fitting as text_fitting
from training.text import model as text_model
from training.text import signatures as text_signatures
from training.text.model import CharacterConfig

NAME = "text"
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

    batch_size: int = 64
    epochs: int = 30
    learning_rate: float = 3e-3
    layers: int = 2
    units: int = 384
    dropout: float = 0.4
    weight_drop: float = 0.25
