"""A plain autoencoder, to see what a variational one adds: 2 numbers for each picture.

The network of `vae-2d` with β = 0: input and output are pictures of 28×28 pixels, the bottleneck has 2
numbers, the loss is the pixels' cross-entropy alone; z is the encoder's mean, and no noise is added.
Nothing keeps the pictures together, so the latent space has holes, in which the decoder was never
taught: what is drawn there is encoded elsewhere (see found_again_drawn_from_the_prior). `z_log_var` is
the constant -40: noise is lost beside any z, and `kl` says little, 20 nats for each number too many.
After the training z is scaled to mean 0 and standard deviation 1, so that a grid made for the standard
normal distribution shows all of it.
"""

from dataclasses import dataclass

from training.data import mnist
from training.vae import evaluation as vae_evaluation
from training.vae import fitting as vae_fitting
from training.vae import model as vae_model
from training.vae import signatures as vae_signatures
from training.vae.model import VaeConfig

NAME = "ae-2d"
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
    beta: float = 0.0
