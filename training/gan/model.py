"""The networks of a class-conditional GAN of 28×28 images: mapping, synthesis, discriminator, encoder.

The mapping network maps z and a digit to w, the synthesis network w to an image. w has two halves of equal
size. The coarse half, computed from the digit and most of z, determines layout and shape at 7×7 and 14×14;
the fine half, computed from the last few dimensions of z, the strokes up to 28×28. Any two halves are therefore
compatible. Styles scale the channels as in StyleGAN2 (Karras et al., 2020): there the weights are scaled, here
the inputs and outputs of one shared convolution, which is equivalent and cheaper on a CPU.
The discriminator is conditioned by a projection (Miyato and Koyama, 2018) and also receives the frozen feature
maps of the course's digit network (as in projected GANs: Sauer et al., 2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from training.gan.layers import (
    DepthToSpace,
    GroupSpread,
    RowProduct,
    Slice,
    StyledConvolution,
    UnitScale,
    leaky_relu,
)
from training.job import JobConfig

DIGITS = 10
LOSS_MAPS = (20, 40)  # layers of the course's digit network for the perceptual loss


@dataclass(frozen=True)
class GanConfig(JobConfig):
    """The sizes of the networks."""

    batch_size: int = 64
    z: int = 64
    style: int = 4  # last dimensions of z, used only for the fine half
    half: int = 64  # size of each half of w, coarse and fine
    maps: int = 64  # of the synthesis at 7×7
    judge_maps: int = 32  # of the discriminator at 14×14; three times as many at 7×7


class Gan(keras.Model):
    """All networks in one graph, so that each layer is in the card's table; images are in -1..1.

    Inputs: z [B, Z], digit int32 [B], images float32 [B, 28, 28, 1]. Outputs: w [B, W], images,
    logit [B, 1] of images being real, style_guess [B, S] of what z's last numbers were, guess [B, W] and digit_logits [B, 10] of the encoder, and the
    two layers of maps that the perceptual loss compares and the discriminator sees. precision: a Keras
    dtype policy for the convolutions.
    """

    def __init__(self, config: GanConfig, precision: str = "float32") -> None:
        z = keras.Input((config.z,), name="z")
        digit = keras.Input((), dtype="int32", name="digit")
        images = keras.Input((28, 28, 1), name="images")
        w, seen = _mapping(z, digit, config), _loss_maps(images, precision)
        outputs = {
            "w": w,
            "pictures": _synthesis(w, config, precision),
            **_discriminator(images, digit, seen["loss2"], config, precision),
            **_encoder(images, config),
            **seen,
        }
        super().__init__(inputs=[z, digit, images], outputs=outputs, name="gan")
        self.z_size, self.half = config.z, config.half
        self.samples: Any = None  # uint8 [T, 100, 28, 28, 1], samples during the training
        self.past: Any = None  # its history, one list for each column


def set_loss_maps(model: Gan, network: keras.Model) -> None:
    """Put the convolutions of the course's digit network into the perceptual loss and the discriminator."""
    for number in range(1, len(LOSS_MAPS) + 1):
        weights = network.get_layer(f"conv{number}").get_weights()
        model.get_layer(f"loss{number}").set_weights(weights)


def parts(model: Gan) -> Mapping[str, keras.Model]:
    """The networks by name: each shares the layers of `model`."""

    def output(name: str) -> Any:
        return model.get_layer(name).output

    z, digit, images = model.inputs
    return {
        "mapping": keras.Model([z, digit], output("w"), name="mapping"),
        "synthesis": keras.Model(output("w"), output("pictures"), name="synthesis"),
        "discriminator": keras.Model(
            [images, digit], [output("logit"), output("style_guess")], name="discriminator"
        ),
        "encoder": keras.Model(images, [output("guess"), output("digit_logits")], name="encoder"),
        "loss_maps": keras.Model(images, [output("loss1"), output("loss2")], name="loss_maps"),
    }


def _mapping(z: Any, digit: Any, config: GanConfig) -> Any:
    layers, content = keras.layers, config.z - config.style
    label = layers.Embedding(DIGITS, config.z, "random_normal", name="digit_embedding")(digit)
    coarse = UnitScale(name="content_scale")(Slice(0, content, name="content")(z))
    x = layers.Concatenate(name="content_and_digit")([coarse, UnitScale(name="digit_scale")(label)])
    for number in (1, 2):
        x = layers.Dense(2 * config.half, leaky_relu, name=f"map{number}")(x)
    fine = Slice(content, config.z, name="style")(z)
    fine = layers.Dense(config.half, leaky_relu, name="map_style")(fine)
    halves = [
        layers.Dense(config.half, name=name)(of) for name, of in (("w_coarse", x), ("w_fine", fine))
    ]
    return layers.Concatenate(name="w")(halves)


def _synthesis(w: Any, config: GanConfig, dtype: str) -> Any:
    layers, maps = keras.layers, config.maps
    coarse = Slice(0, config.half, name="coarse")(w)
    fine = Slice(config.half, 2 * config.half, name="fine")(w)
    x = layers.Dense(7 * 7 * maps, leaky_relu, dtype=dtype, name="layout")(coarse)
    x = layers.Reshape((7, 7, maps), dtype=dtype, name="layout_maps")(x)
    x = StyledConvolution(maps, dtype=dtype, name="conv7")([x, coarse])
    x = layers.UpSampling2D(2, interpolation="bilinear", dtype=dtype, name="up14")(x)
    x = StyledConvolution(maps * 3 // 4, dtype=dtype, name="conv14a")([x, coarse])
    x = StyledConvolution(maps // 2, dtype=dtype, name="conv14b")([x, fine])
    x = StyledConvolution(maps * 3 // 4, dtype=dtype, name="conv14c")([x, fine])
    x = DepthToSpace(dtype=dtype, name="up28")(x)
    return layers.Conv2D(1, 3, 1, "same", name="pictures")(x)  # tanh would saturate at black


def _discriminator(
    images: Any, digit: Any, seen: Any, config: GanConfig, dtype: str
) -> dict[str, Any]:
    layers, maps = keras.layers, config.judge_maps
    x = layers.Conv2D(maps, 5, 2, "same", activation=leaky_relu, dtype=dtype, name="judge1")(images)
    x = layers.Conv2D(
        maps * 3 // 2, 3, 1, "same", activation=leaky_relu, dtype=dtype, name="judge2"
    )(x)
    x = layers.Conv2D(maps * 3, 3, 2, "same", activation=leaky_relu, dtype=dtype, name="judge3")(x)
    x = layers.Conv2D(maps * 3, 3, 1, "same", activation=leaky_relu, dtype=dtype, name="judge4")(x)
    seen = layers.Flatten(name="seen_flat")(layers.MaxPooling2D(2, name="seen_pool")(seen))
    x = layers.Concatenate(name="judge_all")([layers.Flatten(name="judge_flat")(x), seen])
    x = layers.Dense(4 * maps, leaky_relu, name="judge5")(x)
    x = layers.Concatenate(name="judge_both")([x, GroupSpread(name="judge_spread")(x)])
    x = layers.Dense(4 * maps, leaky_relu, name="judge6")(x)
    label = layers.Embedding(DIGITS, 4 * maps, name="judge_embedding")(digit)
    agreement = RowProduct(name="judge_projection")([x, label])
    return {
        "logit": layers.Add(name="logit")([layers.Dense(1, name="judge_out")(x), agreement]),
        "style_guess": layers.Dense(config.style, name="style_guess")(x),
    }


def _encoder(images: Any, config: GanConfig) -> dict[str, Any]:
    layers, maps = keras.layers, config.judge_maps
    x = layers.Conv2D(maps, 5, 2, "same", activation="silu", name="encode1")(images)
    x = layers.Conv2D(maps * 2, 3, 1, "same", activation="silu", name="encode2")(x)
    x = layers.Conv2D(maps * 3, 3, 2, "same", activation="silu", name="encode3")(x)
    x = layers.Flatten(name="encode_flat")(x)
    x = layers.Dense(8 * maps, "silu", name="encode4")(x)
    guess = layers.Dense(2 * config.half, name="guess")(x)
    return {"guess": guess, "digit_logits": layers.Dense(DIGITS, name="digit_logits")(x)}


def _loss_maps(images: Any, dtype: str) -> dict[str, Any]:
    layers = keras.layers
    x = layers.Rescaling(0.5, 0.5, name="loss_scale")(images)
    first = layers.Conv2D(
        LOSS_MAPS[0], 5, activation="relu", trainable=False, dtype=dtype, name="loss1"
    )(x)
    x = layers.MaxPooling2D(2, name="loss_pool")(first)
    second = layers.Conv2D(
        LOSS_MAPS[1], 5, activation="relu", trainable=False, dtype=dtype, name="loss2"
    )(x)
    return {"loss1": first, "loss2": second}
