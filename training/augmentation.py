"""Random affine changes of a batch of pictures, inside the `tf.data` pipeline.

One fused warp per picture instead of Keras' augmentation layers, which cannot be compiled and warp
once per layer (`supports_jit=False` in keras/src/layers/preprocessing).
"""

import math

import tensorflow as tf

from training.job import Split


def random_affine(
    images: tf.Tensor, seed: tf.Tensor, *, shift: float, degrees: float, scale: float
) -> tf.Tensor:
    """Shift, rotate and scale each picture by its own uniform draw; bilinear, black outside.

    images: float32 [B, H, W, C]; seed: int64 [2]. shift in pixels, degrees in degrees, scale as a
    fraction (0.1: 0.9 to 1.1). The same seed gives the same pictures.
    """
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    draws = tf.random.stateless_uniform([4, count], seed, minval=-1.0, maxval=1.0)
    angle = draws[0] * (degrees * math.pi / 180)
    zoom = 1.0 + draws[1] * scale
    cos, sin = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    centre_x = (tf.cast(width, tf.float32) - 1) / 2
    centre_y = (tf.cast(height, tf.float32) - 1) / 2
    moved_x, moved_y = centre_x + draws[2] * shift, centre_y + draws[3] * shift
    zeros = tf.zeros([count])
    # Row b maps output (x, y) to input coordinates: rotate about the centre, after the shift.
    transforms = tf.stack(
        [
            cos, -sin, centre_x - cos * moved_x + sin * moved_y,
            sin, cos, centre_y - sin * moved_x - cos * moved_y,
            zeros, zeros,
        ],
        axis=1,
    )  # fmt: skip
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=[height, width],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )


def augmented_batches(
    split: Split, batch_size: int, seed: int, *, shift: float, degrees: float, scale: float
) -> tf.data.Dataset:
    """Shuffled batches (images float32 [B, H, W, C] in 0..255, labels int64 [B]), warped anew each epoch."""
    batches = (
        tf.data.Dataset.from_tensor_slices((split.images, split.labels))
        .shuffle(len(split.labels), seed=seed)
        .batch(batch_size, drop_remainder=True)
    )
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)

    def warp(batch: tuple[tf.Tensor, tf.Tensor], pair: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.cast(batch[0], tf.float32)
        return random_affine(images, pair, shift=shift, degrees=degrees, scale=scale), batch[1]

    return tf.data.Dataset.zip(batches, seeds).map(warp, num_parallel_calls=2).prefetch(4)
