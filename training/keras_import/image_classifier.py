"""An image classifier → task classify_image, or classify_digit for one of 28×28 with ten outputs.

The preprocessing becomes part of the graph, and the last layer's values become probabilities.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from training.data.mnist import synthetic_digits
from training.digits import classifier as digits
from training.export import filters, saved_model
from training.job import Arrays, Signature
from training.keras_import import label_file, output_activation
from training.keras_import.determinism import finite_rows, run_twice
from training.keras_import.image_shape import Shape
from training.keras_import.input_range import Preprocess, preprocessing
from training.keras_import.network import Network, open_network
from training.keras_import.options import ImportOptions, card, digest, say
from training.pretrained import class_activation

SMALL_SIDE = 64  # up to here 64 images run at once, above 8
LABEL_TASK = "classify_image"
DIGIT_SHAPE = (28, 28, 1)
Images = Callable[[tf.Tensor], tf.Tensor]


class Opened:
    """A network that was run on golden images, and what its outputs are."""

    def __init__(self, options: ImportOptions, images: Callable[[Shape], np.ndarray]) -> None:
        """Open `options.path`; ValueError if it is not deterministic or its outputs cannot be told."""
        if options.input_range is None:
            raise ValueError(
                f"--input-range is needed for {options.task}: 0..255, 0..1, -1..1 or a network of "
                "keras.applications, as in training"
            )
        self.network = open_network(options.path, options.image_shape)
        self.preprocess = _preprocessing(options, self.network)
        size = "×".join(str(side) for side in self.network.shape)
        say(
            f"{options.path}: images of {size} → {self.network.classes} values; "
            f"{self.network.parameters:,} parameters"
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


def import_labels(options: ImportOptions, models: Path) -> Path:
    """Write the next version of an image classifier; ValueError says what cannot be served."""
    if options.labels is None:
        raise ValueError("--labels is needed for labels: a text file with one label per line")
    labels = label_file.read_labels(options.labels)
    opened = Opened(options, golden_images)
    network = opened.network
    _check_labels(options, network, labels)
    say("writing the SavedModel with its preprocessing, and its golden outputs")
    return saved_model.write(
        saved_model.Artefact(
            task=LABEL_TASK,
            input=_input(network.shape),
            labels=labels,
            signatures=_label_signatures(opened),
            golden_inputs={"images": opened.golden},
            tracked=network.tracked,
            fields={"max_batch_size": 64 if max(network.shape[:2]) <= SMALL_SIDE else 8},
            card=_card(options, opened, LABEL_TASK, ""),
            origin="adopted",
            digest=digest(options.path),
        ),
        models,
        options.name,
    )


def import_digits(options: ImportOptions, models: Path) -> Path:
    """Write the next version of a digit classifier: 28×28 grey images, ten outputs."""
    if options.labels is not None:
        raise ValueError("--labels has no meaning for digits: their labels are 0 to 9")
    options = options._replace(image_shape=options.image_shape or DIGIT_SHAPE)
    opened = Opened(options, lambda shape: synthetic_digits(10, seed=7).images)
    network = opened.network
    if network.shape != DIGIT_SHAPE or network.classes != 10:
        size = "×".join(str(side) for side in network.shape)
        raise ValueError(
            f"{options.path} must take 28×28×1 images and give ten values to be imported as digits, got "
            f"{size} and {network.classes}"
        )
    say("writing the SavedModel with its preprocessing, and its golden outputs")
    note = (
        "The outlier score is one minus the highest probability: there are no training images to "
        "fit distances."
    )
    return saved_model.write(
        saved_model.Artefact(
            task=digits.TASK,
            input=digits.INPUT,
            labels=digits.LABELS,
            signatures=_digit_signatures(opened),
            golden_inputs={"images": opened.golden},
            tracked=network.tracked,
            fields={},
            card=_card(options, opened, digits.TASK, note),
            origin="adopted",
            digest=digest(options.path),
            filters=_filters(opened),
        ),
        models,
        options.name,
    )


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
            f"{options.path} takes {network.dtype}, whole numbers, so that its pixels are 0..255; the "
            f"--input-range says {options.input_range}"
        )
    return preprocessing(options.input_range, network.shape[2])


def _check_labels(options: ImportOptions, network: Network, labels: list[tuple[str, str]]) -> None:
    wanted = 2 if network.classes == 1 else network.classes
    if len(labels) == wanted:
        return
    gives = "one value, which fits 2 labels" if network.classes == 1 else f"{wanted} values"
    raise ValueError(
        f"{options.labels} has {len(labels)} labels, and {options.path} gives {gives}; write one label a "
        "line, in the order of the network's outputs"
    )


def _label_signatures(opened: Opened) -> dict[str, Signature]:
    """`serving_default`, and `features` where the network has them; images uint8 [B, H, W, C]."""
    network, forward = opened.network, opened.forward(opened.network.call)

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": output_activation.to_probabilities(forward(images), opened.kind)}

    inputs = {"images": tf.TensorSpec([None, *network.shape], tf.uint8)}
    found = {"serving_default": Signature(serving_default, inputs, {"probabilities": 1e-4})}
    if network.features is not None:
        inner = opened.forward(network.features)

        def features(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"features": inner(images)}

        found["features"] = Signature(features, inputs, {"features": 1e-3})
    return found | _map_signatures(opened)


def _map_signatures(opened: Opened) -> dict[str, Signature]:
    """Class activation maps, where the network ends in global average pooling."""
    network, head = opened.network, opened.network.head
    if head is None:
        return {}
    output = network.keras_output
    both = keras.Model(network.keras_input, [output, head.maps])
    kernel = tf.cast(tf.convert_to_tensor(head.dense.kernel), tf.float32)
    if network.classes == 1:  # one value: the second class has it, the first the opposite
        kernel = tf.concat([-kernel, kernel], axis=1)

    def scores_and_maps(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raw, maps = both(opened.inputs(images), training=False)
        raw, maps = tf.cast(raw, tf.float32), tf.cast(maps, tf.float32)
        return output_activation.to_probabilities(raw, opened.kind), maps

    return class_activation.signatures(scores_and_maps, kernel, opened.golden)


def _digit_signatures(opened: Opened) -> dict[str, Signature]:
    """`serving_default`, and `activations` of the network's own layers where they are known."""
    forward = opened.forward(opened.network.call)

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = output_activation.to_probabilities(forward(images), opened.kind)
        return {
            "probabilities": probabilities,
            "outlier_score": 1.0 - tf.reduce_max(probabilities, axis=1),
        }

    inputs = {"images": tf.TensorSpec([None, *DIGIT_SHAPE], tf.uint8)}
    tolerance = {"probabilities": 1e-4, "outlier_score": 1e-4}
    found = {"serving_default": Signature(serving_default, inputs, tolerance)}
    shown = _shown(opened)
    if shown:
        layers = keras.Model(
            opened.network.keras_input, {layer.name: layer.output for layer in shown}
        )

        def activations(images: tf.Tensor) -> dict[str, tf.Tensor]:
            outputs = layers(opened.inputs(images), training=False)
            return {name: tf.cast(output, tf.float32) for name, output in outputs.items()}

        found["activations"] = Signature(activations, inputs, {layer.name: 1e-3 for layer in shown})
    return found


def _filters(opened: Opened) -> Arrays:
    """What the values of the shown layers are computed from."""
    pixels = tf.constant([0.0, 255.0], shape=(2, 1, 1, 1))
    black, white = np.asarray(opened.preprocess(pixels), np.float64).ravel()
    return filters.describe(_shown(opened), (float(black), float(white)))


def _shown(opened: Opened) -> list[Any]:
    return [layer for layer in opened.network.keras_layers if _is_shown(layer)]


def _is_shown(layer: Any) -> bool:
    """Convolutions, pooling, activations and dense layers that are used once."""
    kinds = (
        keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.AveragePooling2D,
        keras.layers.ReLU, keras.layers.Activation, keras.layers.Dense,
    )  # fmt: skip
    if not isinstance(layer, kinds):
        return False
    try:
        return len(layer.output.shape) in (2, 4)
    except (AttributeError, ValueError):
        return False


def _input(shape: Shape) -> dict[str, Any]:
    height, width, channels = shape
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "resize": "bilinear",
        "crop": 1.0,
    }


def _card(options: ImportOptions, opened: Opened, task: str, note: str) -> dict[str, Any]:
    network = opened.network
    configuration = {"input_range": options.input_range or "", "outputs": opened.done}
    return {
        **card(options, task, note, configuration),
        "parameters": network.parameters,
        "memory": {"weights_bytes": network.weight_bytes},
        "layers": network.layers,
    }
