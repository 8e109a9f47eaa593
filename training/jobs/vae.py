"""A variational autoencoder of handwritten digits with 20 latent dimensions.

Input and output: images of 28×28 pixels, binarised by sampling from their grey levels. Bottleneck: 20 dimensions,
for which the encoder gives mean and variance. Loss: the pixels' cross-entropy, summed, and β times the
divergence of the latent distribution from the standard normal one; here β = 1, so that the sum is
a bound on -ln p(image) (Kingma and Welling, 2014). `--beta 4` gives a β-VAE (Higgins et al., 2017).
The weight of the KL term rises over the first tenth of 25 epochs of AdamW with a cosine schedule. A second
cosine, of which 17 epochs are trained, starts from the running mean of the weights that the first left.
About 40 seconds per epoch on two cores.
"""

from dataclasses import dataclass

from training.jobs import load_reference_classifier
from training.vae.job import make_job
from training.vae.model import VaeConfig


@dataclass(frozen=True)
class Config(VaeConfig):
    """The recipe's numbers."""

    epochs: int = 42
    cosine: int = 25
    latent_dim: int = 20


JOB = make_job("vae", __doc__, Config, load_reference_classifier)
