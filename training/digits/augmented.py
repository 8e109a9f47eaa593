"""The augmentation of the training images of the digit networks, in order."""

from dataclasses import dataclass

import tensorflow as tf

from training.data import augmentation
from training.job import JobConfig


@dataclass(frozen=True)
class AugmentedConfig(JobConfig):
    """The strength of each augmentation; shares are fractions of the images."""

    shift: float = 2.5  # pixels, either way
    degrees: float = 13.0
    scale: float = 0.14
    shear: float = 0.15  # pixels sideways per pixel down
    elastic: float = 0.7  # pixels, standard deviation
    thickness: float = 0.15  # share made thicker, and made thinner
    light: float = 0.12  # share with another contrast curve, and with a paler background
    noise: float = 0.1  # share blurred, and share with noise
    outlines: float = 0.12  # share reduced to outlines
    bands: float = 0.12  # share with an inverted band
    lines: float = 0.15  # share with a line across


def augment(images: tf.Tensor, seed: tf.Tensor, config: AugmentedConfig) -> tf.Tensor:
    """Apply all augmentations to training images, float32 [B, 28, 28, 1] in 0..255."""
    images = augmentation.random_affine(
        images,
        seed,
        shift=config.shift,
        degrees=config.degrees,
        scale=config.scale,
        shear=config.shear,
    )
    images = augmentation.random_elastic(images, seed + 1, grid=6, pixels=config.elastic)
    images = augmentation.random_thickness(images, seed + 2, share=config.thickness)
    images = augmentation.random_light(images, seed + 3, share=config.light)
    return augmentation.random_noise(images, seed + 4, share=config.noise)


def occlude(images: tf.Tensor, seed: tf.Tensor, config: AugmentedConfig) -> tf.Tensor:
    """Occlude digits (outlines, inverted bands, lines), then apply `augment`.

    In this order because lines drawn last would be the only sharp ones, and a network that learns to
    ignore sharp lines would ignore clean digits too.
    """
    images = augmentation.random_outlines(images, seed + 5, share=config.outlines)
    images = augmentation.random_bands(images, seed + 6, share=config.bands)
    images = augmentation.random_lines(images, seed + 8, share=config.lines)
    return augment(images, seed, config)
