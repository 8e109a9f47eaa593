"""Layers of the GAN besides Keras' own: styles, slices, minibatch standard deviation."""

from typing import Any

import keras
import tensorflow as tf

GROUP = 16  # rows per digit, whose variety the discriminator measures
SLOPE = 0.2  # slope of every leaky ReLU


def leaky_relu(x: Any) -> Any:
    """Leaky ReLU with a slope of a fifth."""
    return keras.ops.leaky_relu(x, SLOPE)


class UnitScale(keras.layers.Layer):
    """x [B, N] → x divided by its root mean square, so that only the direction matters."""

    def call(self, inputs: Any) -> Any:
        """[B, N] → [B, N]."""
        square = keras.ops.mean(keras.ops.square(inputs), axis=-1, keepdims=True)
        return inputs * keras.ops.rsqrt(square + 1e-8)


class Slice(keras.layers.Layer):
    """Columns `start` to `stop` of w."""

    def __init__(self, start: int, stop: int, **options: Any) -> None:
        super().__init__(**options)
        self.start, self.stop = start, stop

    def call(self, inputs: Any) -> Any:
        """[B, N] → [B, stop - start]."""
        return inputs[:, self.start : self.stop]


class StyledConvolution(keras.layers.Layer):
    """Maps [B, H, W, C] and a half of w [B, N] → maps [B, H, W, `maps`]: 3×3, scaled by the style.

    Each input map is scaled by a factor computed from w; each output map is divided by what its
    size is then expected to be.
    """

    def __init__(self, maps: int, **options: Any) -> None:
        super().__init__(**options)
        self.maps = maps

    def build(self, input_shape: Any) -> None:
        """Make kernel, bias and the affine layer that reads w."""
        (*_, channels), (_, size) = input_shape
        kernel = keras.initializers.HeNormal()
        self.kernel = self.add_weight((3, 3, channels, self.maps), kernel, name="kernel")
        self.bias = self.add_weight((self.maps,), "zeros", name="bias")
        self.style_kernel = self.add_weight((size, channels), "lecun_normal", name="style_kernel")
        self.style_bias = self.add_weight((channels,), "ones", name="style_bias")

    def call(self, inputs: Any) -> Any:
        """Scale, convolve, scale back, leaky ReLU."""
        maps, w = inputs
        style = keras.ops.matmul(w, self.style_kernel) + self.style_bias
        power = keras.ops.sum(keras.ops.square(self.kernel), axis=(0, 1))
        norm = keras.ops.rsqrt(keras.ops.matmul(keras.ops.square(style), power) + 1e-8)
        made = keras.ops.conv(maps * style[:, None, None, :], self.kernel, padding="same")
        made = made * norm[:, None, None, :] * 1.4 + self.bias
        return leaky_relu(made)


class DepthToSpace(keras.layers.Layer):
    """Maps [B, H, W, 4·C] → [B, 2·H, 2·W, C]."""

    def call(self, inputs: Any) -> Any:
        """Four maps become the four pixels of a square."""
        return tf.nn.depth_to_space(inputs, 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Twice the size, a quarter of the maps."""
        batch, height, width, channels = input_shape
        return batch, 2 * height, 2 * width, channels // 4


class GroupSpread(keras.layers.Layer):
    """Features [B, N] → their standard deviation within each group of rows, [B, N].

    A group of a training shows one digit, so that this is the variety within it (minibatch standard
    deviation of Karras et al., 2018, of learned features). Afterwards each row is classified alone, with the
    real images' mean.
    """

    def build(self, input_shape: Any) -> None:
        """Make the running mean."""
        self.usual = self.add_weight(input_shape[-1:], "zeros", trainable=False, name="usual")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Standard deviation over a group."""
        if not training:
            return tf.tile(self.usual[None], [tf.shape(inputs)[0], 1])
        groups = tf.reshape(inputs, [-1, GROUP, inputs.shape[-1]])
        return tf.repeat(tf.sqrt(tf.math.reduce_variance(groups, axis=1) + 1e-8), GROUP, axis=0)

    def remember(self, features: Any) -> None:
        """Take the spread of real images' features [B, N] into the running mean."""
        spread = tf.reduce_mean(self.call(features, training=True), axis=0)
        self.usual.assign(0.99 * self.usual + 0.01 * spread)


class RowProduct(keras.layers.Layer):
    """Two [B, N] → their inner product of each row, [B, 1]."""

    def call(self, inputs: Any) -> Any:
        """Multiply and sum."""
        return keras.ops.sum(inputs[0] * inputs[1], axis=-1, keepdims=True)
