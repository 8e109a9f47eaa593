"""A plain autoencoder with a 2-dimensional bottleneck, for comparison with a variational one.

The network of `vae-2d` without its residual dense layers, and β = 0: input and output are images of 28×28 pixels, the bottleneck has 2
dimensions, and the loss is only the pixels' cross-entropy; z is the encoder's mean, without noise.
Nothing keeps the encodings together, so the latent space has holes where the decoder was never
trained: images generated there are encoded elsewhere (see found_again_drawn_from_the_prior). `z_log_var` is
the constant -40, so any noise is negligible, and `kl` has little meaning: 20 nats per dimension too many.
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
