"""A class-conditional GAN of handwritten digits, with an encoder and directions for edits.

Input: z, 64 dimensions of the standard normal distribution, and a digit. A mapping network computes w: its
coarse half, from the digit and 60 dimensions, determines the shape; its fine half, from the other
four, the style of the strokes. Both scale the channels of convolutions (StyleGAN2: Karras et al., 2020). Loss:
non-saturating, with R1 on real images every 16 steps. The discriminator receives 16 images of one digit
at a time, which reveals a lack of variety, and estimates the four style dimensions of each image
(InfoGAN: Chen et al., 2016). The released weights are a running mean. Then an encoder is trained on
generated images and as many real ones. 600 to 800 images per second on one core with AMX.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.data import mnist
from training.gan import encoder as gan_encoder
from training.gan import evaluation as gan_evaluation
from training.gan import fitting as gan_fitting
from training.gan import model as gan_model
from training.gan import signatures as gan_signatures
from training.gan.model import Gan, GanConfig
from training.job import Job, Splits
from training.jobs import load_reference_classifier, load_released

# Whose convolutions the discriminator and the perceptual loss use; not the one they are measured with
LOSS_NETWORK = "digits-course"


@dataclass(frozen=True)
class Config(GanConfig):
    """The recipe's numbers."""

    epochs: int = 48
    learning_rate: float = 7e-4  # 2e-3 diverges
    epoch_images: int = 40_000
    gamma: float = 2.0  # of R1
    lazy: int = 16  # steps between two of R1
    style_weight: float = 0.3  # of the style's guess in both losses
    ema_images: int = 10_000  # half-life of a weight in the running mean, in images
    encoder_images: int = 120_000


def build_model(config: GanConfig) -> Gan:
    """Make the networks; the frozen convolutions are those of `LOSS_NETWORK`."""
    model = Gan(config)
    gan_model.set_loss_maps(model, load_released(LOSS_NETWORK)[0])
    return model


def train(model: Gan, splits: Splits, config: Config, workdir: Path) -> dict[str, Any]:
    """Fit the generator against the discriminator, then the encoder to the generator."""
    history = gan_fitting.train_networks(model, splits.train, config, workdir)
    kept = sorted((workdir / "samples").glob("*.npy"))
    model.samples, model.past = np.stack([np.load(path) for path in kept]), history
    return history | gan_encoder.train_encoder(model, splits.train, config, workdir)


def evaluate(model: Gan, splits: Splits) -> dict[str, Any]:
    """Measure with the released digit classifier, beside the released autoencoder."""
    vae, _ = load_released("vae")
    return gan_evaluation.evaluate(model, splits, load_reference_classifier(), vae)


JOB = Job(
    name="gan",
    description=__doc__,
    task=gan_signatures.TASK,
    config=Config,
    load_data=mnist.load_digits,
    build_model=build_model,
    train=train,
    evaluate=evaluate,
    signatures=gan_signatures.signatures,
    input=gan_signatures.INPUT,
    labels=gan_signatures.LABELS,
    manifest_fields=gan_signatures.manifest_fields,
)
