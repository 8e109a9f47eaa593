"""A plain autoencoder, to see what a variational one adds: 2 numbers for each image.

The network of `vae-2d` with β = 0: input and output are images of 28×28 pixels, the bottleneck has 2
numbers, the loss is the pixels' cross-entropy alone; z is the encoder's mean, and no noise is added.
Nothing keeps the images together, so the latent space has holes, where the decoder was never
trained: what is drawn there is encoded elsewhere (see found_again_drawn_from_the_prior). `z_log_var` is
the constant -40: noise is lost beside any z, and `kl` says little, 20 nats for each number too many.
After the training z is scaled to mean 0 and standard deviation 1, so that a grid made for the standard
normal distribution shows all of it.
"""

from dataclasses import dataclass

from training.jobs import load_reference_classifier
from training.vae.job import make_job
from training.vae.model import VaeConfig


@dataclass(frozen=True)
class Config(VaeConfig):
    """The recipe's numbers."""

    epochs: int = 20
    latent_dim: int = 2
    maps: int = 32
    beta: float = 0.0


JOB = make_job("ae-2d", __doc__, Config, load_reference_classifier)
