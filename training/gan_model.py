"""The networks of a class-conditional GAN of 28×28 pictures: mapping, synthesis, discriminator, encoder.

z and a digit become w (mapping), w becomes a picture (synthesis). w has two halves of equal size: the
coarse one makes layout and shape at 7×7 and 14×14, the fine one the strokes from there to 28×28. Unmixed
they are equal. Styles scale the channels as in StyleGAN2 (Karras et al., 2020), there in the weights,
here on inputs and outputs of one shared convolution, which is the same number and cheaper on a CPU.
The discriminator is conditioned by a projection (Miyato and Koyama, 2018). Knows no training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from training.job import JobConfig

DIGITS = 10
GROUP = 4  # rows of one digit, whose variety the discriminator sees
SLOPE = 0.2  # of every leaky ReLU
LOSS_MAPS = (
    20,
    40,
)  # of the convolutions that the perceptual loss looks at: the course's digit network


@dataclass(frozen=True)
class GanConfig(JobConfig):
    """The numbers of the networks."""

    batch_size: int = 64
    z: int = 64
    half: int = 64  # of w: so many numbers are coarse, as many fine
    maps: int = 64  # of the synthesis at 7×7
    judge_maps: int = 32  # of the discriminator at 14×14; three times as many at 7×7


class UnitScale(keras.layers.Layer):
    """x [B, N] → x divided by its root mean square: only the direction says something."""

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

    Each input map is multiplied by a number that w says; each output map is divided by what its
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
        return keras.ops.leaky_relu(made, SLOPE)


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
    """Maps [B, H, W, C] → their spread within each group of four rows, [B, C]: a look for sameness.

    The four of a training show one digit, so that this is the variety within it (minibatch standard
    deviation of Karras et al., 2018). Afterwards rows are judged alone, with the real pictures' mean.
    """

    def build(self, input_shape: Any) -> None:
        """Make the running mean."""
        self.usual = self.add_weight(input_shape[-1:], "zeros", trainable=False, name="usual")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Standard deviation over a group, mean over places."""
        if not training:
            return tf.tile(self.usual[None], [tf.shape(inputs)[0], 1])
        groups = tf.reshape(inputs, [-1, GROUP, *inputs.shape[1:]])
        spread = tf.sqrt(tf.math.reduce_variance(groups, axis=1) + 1e-8)
        return tf.repeat(tf.reduce_mean(spread, axis=[1, 2]), GROUP, axis=0)

    def remember(self, maps: Any) -> None:
        """Take the spread of real maps [B, H, W, C] into the running mean."""
        spread = tf.reduce_mean(self.call(maps, training=True), axis=0)
        self.usual.assign(0.99 * self.usual + 0.01 * spread)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """One number for each map."""
        return input_shape[0], input_shape[-1]


class RowProduct(keras.layers.Layer):
    """Two [B, N] → their inner product of each row, [B, 1]."""

    def call(self, inputs: Any) -> Any:
        """Multiply and sum."""
        return keras.ops.sum(inputs[0] * inputs[1], axis=-1, keepdims=True)


class Gan(keras.Model):
    """All networks in one graph, so that each layer is in the card's table; pictures are in -1..1.

    Inputs: z [B, Z], digit int32 [B], images float32 [B, 28, 28, 1]. Outputs: w [B, W], pictures,
    logit [B, 1] of images being real, guess [B, W] and digit_logits [B, 10] of the encoder, and the
    two layers of maps that the perceptual loss compares.
    """

    def __init__(self, config: GanConfig) -> None:
        z = keras.Input((config.z,), name="z")
        digit = keras.Input((), dtype="int32", name="digit")
        images = keras.Input((28, 28, 1), name="images")
        half = _mapping(z, digit, config)
        w = keras.layers.Concatenate(name="w")([half, half])
        outputs = {
            "w": w,
            "pictures": _synthesis(w, config),
            "logit": _discriminator(images, digit, config),
            **_encoder(images, config),
            **_loss_maps(images),
        }
        super().__init__(inputs=[z, digit, images], outputs=outputs, name="gan")
        self.z_size, self.half = config.z, config.half
        self.samples: Any = None  # uint8 [T, 100, 28, 28, 1], what a training drew on its way


def build_model(config: GanConfig) -> Gan:
    """Make the untrained networks."""
    return Gan(config)


def parts(model: Gan) -> Mapping[str, keras.Model]:
    """The networks by name: each shares the layers of `model`."""

    def output(name: str) -> Any:
        return model.get_layer(name).output

    z, digit, images = model.inputs
    return {
        "mapping": keras.Model([z, digit], output("map_out"), name="mapping"),
        "synthesis": keras.Model(output("w"), output("pictures"), name="synthesis"),
        "discriminator": keras.Model([images, digit], output("logit"), name="discriminator"),
        "encoder": keras.Model(images, [output("guess"), output("digit_logits")], name="encoder"),
        "loss_maps": keras.Model(images, [output("loss1"), output("loss2")], name="loss_maps"),
    }


def _mapping(z: Any, digit: Any, config: GanConfig) -> Any:
    layers = keras.layers
    label = layers.Embedding(DIGITS, config.z, "random_normal", name="digit_embedding")(digit)
    parts_of_z = [UnitScale(name="z_scale")(z), UnitScale(name="digit_scale")(label)]
    x = layers.Concatenate(name="z_and_digit")(parts_of_z)
    for number in (1, 2):
        x = layers.Dense(2 * config.half, _leaky, name=f"map{number}")(x)
    return layers.Dense(config.half, name="map_out")(x)


def _synthesis(w: Any, config: GanConfig) -> Any:
    layers, maps = keras.layers, config.maps
    coarse = Slice(0, config.half, name="coarse")(w)
    fine = Slice(config.half, 2 * config.half, name="fine")(w)
    x = layers.Dense(7 * 7 * maps, _leaky, name="layout")(coarse)
    x = layers.Reshape((7, 7, maps), name="layout_maps")(x)
    x = StyledConvolution(maps, name="conv7")([x, coarse])
    x = layers.UpSampling2D(2, interpolation="bilinear", name="up14")(x)
    x = StyledConvolution(maps * 3 // 4, name="conv14a")([x, coarse])
    x = StyledConvolution(maps // 2, name="conv14b")([x, fine])
    x = StyledConvolution(maps * 3 // 4, name="conv14c")([x, fine])
    x = DepthToSpace(name="up28")(x)
    return layers.Conv2D(1, 3, 1, "same", name="pictures")(x)  # tanh would saturate at black


def _discriminator(images: Any, digit: Any, config: GanConfig) -> Any:
    layers, maps = keras.layers, config.judge_maps
    x = layers.Conv2D(maps, 5, 2, "same", activation=_leaky, name="judge1")(images)
    x = layers.Conv2D(maps * 3 // 2, 3, 1, "same", activation=_leaky, name="judge2")(x)
    x = layers.Conv2D(maps * 3, 3, 2, "same", activation=_leaky, name="judge3")(x)
    x = layers.Conv2D(maps * 3, 3, 1, "same", activation=_leaky, name="judge4")(x)
    spread = GroupSpread(name="judge_spread")(x)
    x = layers.Concatenate(name="judge_all")([layers.Flatten(name="judge_flat")(x), spread])
    x = layers.Dense(4 * maps, _leaky, name="judge5")(x)
    label = layers.Embedding(DIGITS, 4 * maps, name="judge_embedding")(digit)
    agreement = RowProduct(name="judge_projection")([x, label])
    return layers.Add(name="logit")([layers.Dense(1, name="judge_out")(x), agreement])


def _encoder(images: Any, config: GanConfig) -> dict[str, Any]:
    layers, maps = keras.layers, config.judge_maps
    x = layers.Conv2D(maps, 5, 2, "same", activation="silu", name="encode1")(images)
    x = layers.Conv2D(maps * 2, 3, 1, "same", activation="silu", name="encode2")(x)
    x = layers.Conv2D(maps * 3, 3, 2, "same", activation="silu", name="encode3")(x)
    x = layers.Flatten(name="encode_flat")(x)
    x = layers.Dense(8 * maps, "silu", name="encode4")(x)
    guess = layers.Dense(2 * config.half, name="guess")(x)
    return {"guess": guess, "digit_logits": layers.Dense(DIGITS, name="digit_logits")(x)}


def _loss_maps(images: Any) -> dict[str, Any]:
    layers = keras.layers
    x = layers.Rescaling(0.5, 0.5, name="loss_scale")(images)
    first = layers.Conv2D(LOSS_MAPS[0], 5, activation="relu", name="loss1")(x)
    x = layers.MaxPooling2D(2, name="loss_pool")(first)
    second = layers.Conv2D(LOSS_MAPS[1], 5, activation="relu", name="loss2")(x)
    return {"loss1": first, "loss2": second}


def _leaky(x: Any) -> Any:
    return keras.ops.leaky_relu(x, SLOPE)
