"""A variational autoencoder with a latent space that fits on a page: 2 numbers for each picture.

The network of `vae` with half as many maps: input, output and loss are the same (pictures of 28×28
pixels; cross-entropy of the pixels, plus the divergence, β = 1), the bottleneck has 2 numbers. Too few
for sharp digits, and enough to see how the standard normal distribution makes neighbours alike.
"""

from dataclasses import dataclass

from training.data import mnist
from training.vae import evaluation as vae_evaluation
from training.vae import fitting as vae_fitting
from training.vae import model as vae_model
from training.vae import signatures as vae_signatures
from training.vae.model import VaeConfig

NAME = "vae-2d"
TASK = vae_signatures.TASK
INPUT = vae_signatures.INPUT
LABELS: list[tuple[str, str]] = []
load_data = mnist.load_digits
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
