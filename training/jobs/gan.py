"""A class-conditional GAN of handwritten digits, with an encoder and directions to edit along.

Input: z, 64 numbers of the standard normal distribution, and a digit. A mapping network makes w of
them, whose coarse half says what is drawn and whose fine half how the strokes are; style scales the
maps of each convolution (StyleGAN2: Karras et al., 2020). Loss: non-saturating, with R1 on real
pictures every 16 steps; the discriminator sees four pictures of one digit at a time, so that a lack of
variety shows. The weights kept are a running mean. Then an encoder learns the way back, on 60,000
generated pictures and as many real ones. About 600 to 900 pictures a second on two cores.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training import datasets, gan_encoder, gan_evaluation, gan_fitting, gan_model, gan_signatures
from training.gan_model import Gan, GanConfig
from training.job import Splits

NAME = "gan"
TASK = gan_signatures.TASK
INPUT = gan_signatures.INPUT
LABELS = gan_signatures.LABELS
load_data = datasets.load_digits
build_model = gan_model.build_model
evaluate = gan_evaluation.evaluate
signatures = gan_signatures.signatures
golden_inputs = gan_signatures.golden_inputs
manifest_fields = gan_signatures.manifest_fields


@dataclass(frozen=True)
class Config(GanConfig):
    """The recipe's numbers."""

    epochs: int = 32
    epoch_images: int = 20_000
    gamma: float = 0.3  # of R1
    lazy: int = 16  # steps between two of R1
    mixing: float = 0.5  # share of pictures whose fine half is another's
    ema_images: int = 10_000  # after so many pictures a weight counts half in the running mean
    encoder_images: int = 60_000


def train(model: Gan, splits: Splits, config: Config, workdir: Path) -> dict[str, Any]:
    """Fit the generator against the discriminator, then the encoder to the generator."""
    gan_encoder.take_loss_maps(model)
    history = gan_fitting.train_networks(model, splits.train, config, workdir)
    kept = sorted((workdir / "samples").glob("*.npy"))
    model.samples = np.stack([np.load(path) for path in kept])
    return history | gan_encoder.train_encoder(model, splits.train, config, workdir)
