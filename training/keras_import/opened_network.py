"""A classifier of images with its preprocessing: it has run on golden images, and the kind of its outputs is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from training.keras_import import output_activation
from training.keras_import.artefact import card
from training.keras_import.determinism import finite_rows, run_twice
from training.keras_import.image_shape import Shape
from training.keras_import.input_range import Preprocess, preprocessing
from training.keras_import.network import Network, open_network
from training.keras_import.options import ImportOptions, say

Images = Callable[[tf.Tensor], tf.Tensor]


class OpenedNetwork:
    """A network that has run on golden images, and the kind of its outputs."""

    def __init__(self, options: ImportOptions, images: Callable[[Shape], np.ndarray]) -> None:
        """Open `options.path`; ValueError if it is not deterministic or the kind of its outputs cannot be detected."""
        if options.input_range is None:
            raise ValueError(
                f"--input-range must be given for {options.task}: 0..255, 0..1, -1..1 or a network of "
                "keras.applications, as in training"
            )
        self.network = open_network(options.path, options.image_shape)
        self.preprocess = _preprocessing(options, self.network)
        size = "×".join(str(side) for side in self.network.shape)
        say(
            f"{options.path}: images of {size} → {self.network.classes} values; "
            f"{self.network.contents.parameters:,} parameters"
        )
        golden = images(self.network.shape)
        forward = self.forward(self.network.call)
        raw = run_twice(
            options.path, lambda: {"the last layer": np.asarray(forward(tf.constant(golden)))}
        )["the last layer"]
        finite = finite_rows(options.path, raw, "images")
        self.golden, raw = golden[finite], raw[finite]
        self.kind = output_activation.find_kind(
            raw, self.network.activation, options.outputs, self.network.output_dtype
        )
        self.done = output_activation.describe(self.kind, self.network.classes)
        say(f"last layer: {self.done}")

    def forward(self, function: Callable[[Any], Any]) -> Images:
        """Put the preprocessing before a function of the network's inputs; float32 comes out."""

        def forward(images: tf.Tensor) -> tf.Tensor:
            return tf.cast(function(self.inputs(images)), tf.float32)

        return forward

    def inputs(self, images: tf.Tensor) -> tf.Tensor:
        """Images uint8 [B, H, W, C] as the network takes them."""
        pixels = self.preprocess(tf.cast(images, tf.float32))
        shaped = tf.reshape(pixels, [-1, *self.network.taken])
        return tf.cast(shaped, self.network.dtype)

    def card(self, options: ImportOptions, task: str, note: str) -> dict[str, Any]:
        """The card of the imported model."""
        configuration = {"input_range": options.input_range or "", "outputs": self.done}
        return {**card(options, task, note, configuration), **self.network.contents.card()}


def golden_images(shape: Shape) -> np.ndarray:
    """Four images uint8 [4, H, W, C]: soft coloured patches, from coarse to fine, always the same."""
    height, width, channels = shape
    random = np.random.default_rng(7)
    planes = []
    for side in (2, 4, 8, 16):
        patches = random.integers(0, 256, (channels, side, side), dtype=np.uint8)
        resized = [
            Image.fromarray(patch).resize((width, height), Image.Resampling.BILINEAR)
            for patch in patches
        ]
        planes.append(np.stack([np.asarray(plane) for plane in resized], axis=-1))
    return np.stack(planes)


def _preprocessing(options: ImportOptions, network: Network) -> Preprocess:
    assert options.input_range is not None
    if not tf.dtypes.as_dtype(network.dtype).is_floating and options.input_range != "0..255":
        raise ValueError(
            f"--input-range must be 0..255 for a network that takes {network.dtype}, got "
            f"{options.input_range}"
        )
    return preprocessing(options.input_range, network.shape[2])
