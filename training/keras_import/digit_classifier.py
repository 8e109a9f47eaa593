"""A network of 28×28 grey images with ten outputs → task classify_digit."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.data.mnist import synthetic_digits
from training.digits import classifier as digits
from training.export import filters
from training.export.saved_model import Artefact
from training.job import Arrays, Signature
from training.keras_import import output_activation
from training.keras_import.artefact import write
from training.keras_import.opened_network import OpenedNetwork
from training.keras_import.options import ImportOptions

DIGIT_SHAPE = (28, 28, 1)


def import_digits(options: ImportOptions, models: Path) -> Path:
    """Write the next version of a digit classifier: 28×28 grey images, ten outputs."""
    if options.labels is not None:
        raise ValueError("--labels must be omitted for digits, whose labels are 0 to 9")
    options = options._replace(image_shape=options.image_shape or DIGIT_SHAPE)
    opened = OpenedNetwork(options, lambda shape: synthetic_digits(10, seed=7).images)
    network = opened.network
    if network.shape != DIGIT_SHAPE or network.classes != 10:
        size = "×".join(str(side) for side in network.shape)
        raise ValueError(
            f"{options.path} must take 28×28×1 images and give ten values to be imported as digits, got "
            f"{size} and {network.classes}"
        )
    note = (
        "The outlier score is one minus the highest probability: there are no training images to "
        "fit distances."
    )
    artefact = Artefact(
        task=digits.TASK,
        input=digits.INPUT,
        labels=digits.LABELS,
        signatures=_digit_signatures(opened),
        tracked=network.contents.tracked,
        card=opened.card(options, digits.TASK, note),
        filters=_filters(opened),
    )
    return write(artefact, options, models)


def _digit_signatures(opened: OpenedNetwork) -> dict[str, Signature]:
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
    golden = {"images": opened.golden}
    found = {"serving_default": Signature(serving_default, inputs, tolerance, golden)}
    shown = _shown(opened)
    if shown:
        layers = keras.Model(
            opened.network.keras_model.inputs[0], {layer.name: layer.output for layer in shown}
        )

        def activations(images: tf.Tensor) -> dict[str, tf.Tensor]:
            outputs = layers(opened.inputs(images), training=False)
            return {name: tf.cast(output, tf.float32) for name, output in outputs.items()}

        tolerance = {layer.name: 1e-3 for layer in shown}
        found["activations"] = Signature(activations, inputs, tolerance, golden)
    return found


def _filters(opened: OpenedNetwork) -> Arrays:
    """The filters of the shown layers."""
    pixels = tf.constant([0.0, 255.0], shape=(2, 1, 1, 1))
    black, white = np.asarray(opened.preprocess(pixels), np.float64).ravel()
    return filters.describe(_shown(opened), (float(black), float(white)))


def _shown(opened: OpenedNetwork) -> list[Any]:
    model = opened.network.keras_model
    return [layer for layer in model.layers if _is_shown(layer)] if model else []


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
