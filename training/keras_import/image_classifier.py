"""An image classifier → task classify_image: its last layer's values become probabilities of the given labels."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from training.export.saved_model import Artefact
from training.job import Signature
from training.keras_import import label_file, output_activation
from training.keras_import.artefact import write
from training.keras_import.image_shape import Shape
from training.keras_import.network import Network
from training.keras_import.opened_network import OpenedNetwork, golden_images
from training.keras_import.options import ImportOptions
from training.pretrained import class_activation

SMALL_SIDE = 64  # up to here 64 images run at once, above 8
LABEL_TASK = "classify_image"


def import_labels(options: ImportOptions, models: Path) -> Path:
    """Write the next version of an image classifier; ValueError if it cannot be served."""
    if options.labels is None:
        raise ValueError("--labels must be a text file with one label per line to import labels")
    labels = label_file.read_labels(options.labels)
    opened = OpenedNetwork(options, golden_images)
    network = opened.network
    _check_labels(options, network, labels)
    artefact = Artefact(
        task=LABEL_TASK,
        input=_input(network.shape),
        labels=labels,
        signatures=_label_signatures(opened),
        tracked=network.contents.tracked,
        fields={"max_batch_size": 64 if max(network.shape[:2]) <= SMALL_SIDE else 8},
        card=opened.card(options, LABEL_TASK, ""),
    )
    return write(artefact, options, models)


def _check_labels(options: ImportOptions, network: Network, labels: list[tuple[str, str]]) -> None:
    wanted = 2 if network.classes == 1 else network.classes
    if len(labels) == wanted:
        return
    raise ValueError(
        f"{options.labels} must have {wanted} labels for the outputs of {options.path}, got {len(labels)}; "
        "write one label a line, in the order of the outputs"
    )


def _label_signatures(opened: OpenedNetwork) -> dict[str, Signature]:
    """`serving_default`, and `features` where the network has them; images uint8 [B, H, W, C]."""
    network, forward = opened.network, opened.forward(opened.network.call)

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": output_activation.to_probabilities(forward(images), opened.kind)}

    inputs = {"images": tf.TensorSpec([None, *network.shape], tf.uint8)}
    golden = {"images": opened.golden}
    found = {"serving_default": Signature(serving_default, inputs, {"probabilities": 1e-4}, golden)}
    if network.features is not None:
        inner = opened.forward(network.features)

        def features(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"features": inner(images)}

        found["features"] = Signature(features, inputs, {"features": 1e-3}, golden)
    return found | _map_signatures(opened)


def _map_signatures(opened: OpenedNetwork) -> dict[str, Signature]:
    """Class activation maps, where the network ends in global average pooling."""
    network, head = opened.network, opened.network.head
    if head is None:
        return {}
    model = network.keras_model
    both = keras.Model(model.inputs[0], [model.outputs[0], head.maps])
    kernel = tf.cast(tf.convert_to_tensor(head.dense.kernel), tf.float32)
    if network.classes == 1:  # one value: the second class has it, the first the opposite
        kernel = tf.concat([-kernel, kernel], axis=1)

    def scores_and_maps(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        raw, maps = both(opened.inputs(images), training=False)
        raw, maps = tf.cast(raw, tf.float32), tf.cast(maps, tf.float32)
        return output_activation.to_probabilities(raw, opened.kind), maps

    return class_activation.signatures(scores_and_maps, kernel, opened.golden)


def _input(shape: Shape) -> dict[str, Any]:
    height, width, channels = shape
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "resize": "bilinear",
        "crop": 1.0,
    }
