"""A plain autoencoder, to see what a variational one adds: 2 numbers for each picture.

The network of `vae-2d` with β = 0: the loss is the pixels' cross-entropy alone, z is the encoder's mean,
and no noise is added. Nothing keeps the pictures together, so the latent space has holes, in which the
decoder was never taught. `z_log_var` is a constant so small that noise is lost in it.
"""

from dataclasses import dataclass

from training import datasets, vae_evaluation, vae_fitting, vae_model, vae_signatures
from training.vae_model import VaeConfig

NAME = "ae-2d"
TASK = vae_signatures.TASK
INPUT = vae_signatures.INPUT
LABELS: list[tuple[str, str]] = []
load_data = datasets.load_digits
build_model = vae_model.build_model
train = vae_fitting.train
evaluate = vae_evaluation.evaluate
signatures = vae_signatures.signatures
golden_inputs = vae_signatures.golden_inputs


@dataclass(frozen=True)
class Config(VaeConfig):
    """The recipe's numbers."""

    epochs: int = 20
    latent_dim: int = 2
    maps: int = 32
    beta: float = 0.0
