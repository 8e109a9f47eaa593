"""Random changes of a batch of images, inside the `tf.data` pipeline.

Images are float32 [B, H, W, C] in 0..255; every function takes an int64 [2] seed and gives the same
images for the same seed. One fused warp per image instead of Keras' augmentation layers, which
cannot be compiled and warp once per layer (`supports_jit=False` in keras/src/layers/preprocessing).
"""

import math
from collections.abc import Callable

import tensorflow as tf

from training.job import Split

Augment = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]  # (images, seed) → images


def random_affine(
    images: tf.Tensor,
    seed: tf.Tensor,
    *,
    shift: float,
    degrees: float,
    scale: float,
    shear: float = 0.0,
) -> tf.Tensor:
    """Shift, rotate, scale and shear each image by a random amount; bilinear, black outside.

    shift in pixels, degrees in degrees, scale as a fraction (0.1: 0.9 to 1.1), shear in pixels
    sideways per pixel down.
    """
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    draws = tf.random.stateless_uniform([5, count], seed, minval=-1.0, maxval=1.0)
    angle = draws[0] * (degrees * math.pi / 180)
    zoom = 1.0 + draws[1] * scale
    cos, sin = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    slope = draws[4] * shear
    across, down = slope * cos - sin, slope * sin + cos
    centre_x = (tf.cast(width, tf.float32) - 1) / 2
    centre_y = (tf.cast(height, tf.float32) - 1) / 2
    moved_x, moved_y = centre_x + draws[2] * shift, centre_y + draws[3] * shift
    zeros = tf.zeros([count])
    # Row b maps output (x, y) to input coordinates: shear and rotate about the centre, after the shift.
    transforms = tf.stack(
        [
            cos, across, centre_x - cos * moved_x - across * moved_y,
            sin, down, centre_y - sin * moved_x - down * moved_y,
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


def random_elastic(images: tf.Tensor, seed: tf.Tensor, *, grid: int, pixels: float) -> tf.Tensor:
    """Bend each image by a smooth random field: a `grid`×`grid` of normal draws, interpolated.

    pixels: standard deviation of the displacement. After Simard et al. (2003), with a coarse grid
    instead of a blurred field, which is cheaper.
    """
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    coarse = tf.random.stateless_normal([count, grid, grid, 2], seed, stddev=pixels)
    field = tf.image.resize(coarse, [height, width], method="bicubic")
    rows = tf.cast(tf.range(height), tf.float32)[:, None] + field[..., 0]
    columns = tf.cast(tf.range(width), tf.float32)[None, :] + field[..., 1]
    return _sample(images, rows, columns)


def _sample(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Read images at float coordinates [B, H, W], bilinear, clamped to the border."""
    count, height, width, channels = (tf.shape(images)[axis] for axis in range(4))
    rows = tf.clip_by_value(rows, 0.0, tf.cast(height - 1, tf.float32))
    columns = tf.clip_by_value(columns, 0.0, tf.cast(width - 1, tf.float32))
    top = tf.minimum(tf.cast(rows, tf.int32), height - 2)
    left = tf.minimum(tf.cast(columns, tf.int32), width - 2)
    corner = (tf.range(count)[:, None, None] * height + top) * width + left
    pixels = tf.reshape(images, [-1, channels])
    down = (rows - tf.cast(top, tf.float32))[..., None]
    right = (columns - tf.cast(left, tf.float32))[..., None]
    upper = tf.gather(pixels, corner) * (1 - right) + tf.gather(pixels, corner + 1) * right
    corner += width
    lower = tf.gather(pixels, corner) * (1 - right) + tf.gather(pixels, corner + 1) * right
    return upper * (1 - down) + lower * down


def random_thickness(images: tf.Tensor, seed: tf.Tensor, *, share: float) -> tf.Tensor:
    """Make the strokes of a `share` of the images thicker, and of another `share` thinner; by half on average."""
    pick, amount = _draws(images, seed)
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 2, 1, "SAME")
    to_thick = tf.where(pick < share, amount, 0.0)
    to_thin = tf.where(pick > 1 - share, amount, 0.0)
    return images + to_thick * (thick - images) + to_thin * (thin - images)


def random_light(images: tf.Tensor, seed: tf.Tensor, *, share: float) -> tf.Tensor:
    """Change the contrast of a `share` of the images, and brighten the background of another `share`."""
    pick, amount = _draws(images, seed)
    curved = 255.0 * tf.pow(images / 255.0, tf.exp((amount * 2 - 1) * 0.4))
    pale = amount * 110.0 + images * (1 - amount * 110.0 / 255.0)
    return tf.where(pick < share, curved, tf.where(pick > 1 - share, pale, images))


def random_noise(images: tf.Tensor, seed: tf.Tensor, *, share: float) -> tf.Tensor:
    """Blur a `share` of the images slightly, and add grey noise to another `share`."""
    pick, amount = _draws(images, seed)
    blurred = tf.nn.avg_pool2d(images, 3, 1, "SAME")
    grain = tf.random.stateless_normal(tf.shape(images), seed + 1) * 50.0
    noisy = tf.clip_by_value(images + amount * grain, 0.0, 255.0)
    softer = images + amount * (blurred - images)
    return tf.where(pick < share, softer, tf.where(pick > 1 - share, noisy, images))


def random_outlines(images: tf.Tensor, seed: tf.Tensor, *, share: float) -> tf.Tensor:
    """Reduce a `share` of the images to their outlines."""
    pick, _ = _draws(images, seed)
    thick = tf.nn.max_pool2d(images, 3, 1, "SAME")
    thin = -tf.nn.max_pool2d(-images, 3, 1, "SAME")
    return tf.where(pick < share, thick - thin, images)


def random_bands(images: tf.Tensor, seed: tf.Tensor, *, share: float) -> tf.Tensor:
    """Invert a straight band at a random position and angle in a `share` of the images."""
    pick, amount = _draws(images, seed)
    ends = _points(images, seed + 1, 2)
    inside = _distance(images, ends[0], ends[1], extend=True) < 1 + 6 * amount
    return tf.where((pick < share) & inside, 255.0 - images, images)


def random_lines(images: tf.Tensor, seed: tf.Tensor, *, share: float) -> tf.Tensor:
    """Draw a line of three or four segments across a `share` of the images, at most as wide as a stroke."""
    pick, amount = _draws(images, seed)
    points = _points(images, seed + 1, 5)
    for part in range(4):
        distance = _distance(images, points[part], points[part + 1], extend=False)
        ink = 255.0 * tf.clip_by_value(0.8 + amount - distance, 0.0, 1.0)
        is_drawn = pick < (share if part < 3 else share / 2)
        images = tf.where(is_drawn, tf.maximum(images, ink), images)
    return images


def _points(images: tf.Tensor, seed: tf.Tensor, count: int) -> tf.Tensor:
    """Random points in each image, row and column, [count, 2, B, 1, 1, 1]."""
    size = tf.cast(tf.reshape(tf.shape(images)[1:3], [2, 1, 1, 1, 1]), tf.float32)
    return tf.random.stateless_uniform([count, 2, tf.shape(images)[0], 1, 1, 1], seed) * size


def _distance(images: tf.Tensor, start: tf.Tensor, end: tf.Tensor, *, extend: bool) -> tf.Tensor:
    """Pixels from the line between two points [2, B, 1, 1, 1], or its extension, [B, H, W, 1]."""
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    rows = tf.cast(tf.range(height), tf.float32)[None, :, None, None] - start[0]
    columns = tf.cast(tf.range(width), tf.float32)[None, None, :, None] - start[1]
    down, right = end[0] - start[0], end[1] - start[1]
    along = (rows * down + columns * right) / (down * down + right * right + 1e-6)
    if not extend:
        along = tf.clip_by_value(along, 0.0, 1.0)
    return tf.sqrt((rows - along * down) ** 2 + (columns - along * right) ** 2)


def _draws(images: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Two uniform numbers per image, [B, 1, 1, 1] each: the kind and the amount of the change."""
    draws = tf.random.stateless_uniform([2, tf.shape(images)[0], 1, 1, 1], seed)
    return draws[0], draws[1]


def augmented_batches(
    split: Split, batch_size: int, seed: int, augment: Augment
) -> tf.data.Dataset:
    """Shuffled batches (images float32 [B, H, W, C] in 0..255, labels int64 [B]), newly augmented each epoch."""
    batches = (
        tf.data.Dataset.from_tensor_slices((split.images, split.labels))
        .shuffle(len(split.labels), seed=seed)
        .batch(batch_size, drop_remainder=True)
    )
    seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)

    def change(batch: tuple[tf.Tensor, tf.Tensor], pair: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return augment(tf.cast(batch[0], tf.float32), pair), batch[1]

    return tf.data.Dataset.zip(batches, seeds).map(change, num_parallel_calls=2).prefetch(4)
