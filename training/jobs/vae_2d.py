"""A variational autoencoder with a latent space that can be plotted: 2 dimensions.

The network of `vae` with half as many channels: input, output and loss are the same (images of 28×28
pixels; cross-entropy of the pixels, plus the divergence, β = 1), the bottleneck has 2 dimensions. These are too
few for sharp digits, but enough to see how the standard normal distribution makes neighbours similar. A function
of so few dimensions has to bend a lot: there are three residual dense layers on each side of the bottleneck.
"""

from dataclasses import dataclass

from training.jobs import load_reference_classifier
from training.vae.job import make_job
from training.vae.model import VaeConfig


@dataclass(frozen=True)
class Config(VaeConfig):
    """The recipe's numbers."""

    epochs: int = 15
    cosine: int = 18
    latent_dim: int = 2
    maps: int = 32
    depth: int = 3


JOB = make_job("vae-2d", __doc__, Config, load_reference_classifier)
