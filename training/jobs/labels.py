"""Photographs and their 1,000 ImageNet classes, with a pretrained network.

EfficientNet-Lite0 (Tan and Le, 2019) with the weights of its authors, read from a package. `--arch
efficientnet-lite2` selects the larger network of the family, and `--arch` with `--weights` any network of
keras.applications. There is no training: `export` builds the model. Its authors report 75.1 % top-1 on
ImageNet's validation photographs, and 77.6 % for Lite2. The photographs were not available, so this was not
measured again; known outputs, to 1e-4, prove that the networks are the originals. Photos are cropped to the
centre (0.875 for 224 pixels, 0.89 for 260) and resized bilinearly, as for the originals. Lite2 takes 1.9
times as long for a photo (11.0 ms of a core, Lite0 5.8) and 405 MB instead of 267. Builds in seconds.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.export import batchnorm_folding, card, release
from training.job import Dataset, Job, JobConfig, Signature
from training.pretrained import (
    backbone,
    class_activation,
    efficientnet_lite,
    imagenet_classes,
    known_outputs,
)

TASK = "classify_image"
INPUT = {"height": 224, "width": 224, "channels": 3, "resize": "bilinear", "crop": 0.875}
LABELS = imagenet_classes.read()
MAX_BATCH_SIZE = 8
TOLERANCE = {"features": 1e-3, "probabilities": 1e-4}


@dataclass(frozen=True)
class Config(JobConfig):
    """Which network; the numbers of a training are there and not used."""

    arch: str = backbone.LITE0
    weights: str = "imagenet"  # or none, or a file of Keras weights


def load_data(config: Config, data: Path | None) -> Dataset:
    """Refuse: this is the first step of a training."""
    raise ValueError(
        "labels is pretrained and cannot be trained: vitrine export labels builds it "
        "(--arch and --weights choose another network)"
    )


def pretraining(config: Config) -> dict[str, str]:
    """Describe the data that the weights were trained on, for the card."""
    known = {
        "none": "none: the weights are random",
        "imagenet": "ImageNet (ILSVRC-2012), by the authors of the weights",
    }
    return {
        "source": known.get(config.weights, f"whatever made {Path(config.weights).name}"),
        "note": "no ImageNet photographs are at hand: accuracy on them was not measured here",
    }


def build_model(config: Config) -> keras.Model:
    """Map float32 [B, H, W, 3] on the network's own scale to features [B, C] and probabilities [B, 1000]."""
    network = backbone.make(config.arch, weights=config.weights)
    # The body without its top ends at the same layer, whatever its family calls it.
    body = backbone.make(config.arch, include_top=False, weights="none")
    last = network.layers[len(body.layers) - 1].output
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(last)
    outputs = {"features": pooled, "probabilities": network.output}
    return keras.Model(network.input, outputs, name=config.arch.lower())


def train(model: keras.Model, splits: Any, config: Config, workdir: Path) -> dict[str, Any]:
    """Refuse, as `load_data` does."""
    raise ValueError("labels is pretrained and cannot be trained")


def evaluate(model: keras.Model, splits: Any) -> dict[str, Any]:
    """Compare with known outputs of the original network, if it is that one."""
    arch = next(name for name in backbone.architectures() if name.lower() == model.name)
    metrics: dict[str, Any] = {"megabytes_of_weights": 4e-6 * model.count_params()}
    if original := known_outputs.ORIGINALS.get(arch):
        sines = known_outputs.sines(backbone.LITES[arch].size)
        outputs = model(efficientnet_lite.preprocess_input(sines))
        metrics |= known_outputs.differences(outputs, original)
    return {"metrics": metrics, "calibration": {"arch": arch}}


def provenance(config: Config) -> dict[str, str]:
    """Say whose weights they are, for the card."""
    if config.weights != "imagenet":
        return {
            "weights": config.weights if config.weights == "none" else Path(config.weights).name
        }
    variant = backbone.LITES.get(config.arch)
    if variant is None:
        return {
            "weights": f"keras.applications' {config.arch}, see its documentation for the licence"
        }
    content = efficientnet_lite.package_file(variant).read_bytes()
    return {
        "weights": f"EfficientNet-Lite{variant.number} of the TensorFlow model garden, Apache-2.0 (see NOTICE)",
        "authors": "Mingxing Tan, Quoc V. Le and the TensorFlow authors",
        "package": f"{variant.package} 0.1.0",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def signatures(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """Take uint8 [B, H, W, 3] in RGB; give probabilities, features, both of one run, or a heat map."""
    height, width = model.input_shape[1:3]
    inputs = {"images": tf.TensorSpec([None, height, width, 3], tf.uint8)}
    golden = {"images": golden_images(height, width)}
    outputs = dict(model.output)
    head = class_activation.find_head(outputs["probabilities"])
    if head:
        outputs["maps"] = head.maps
    network = batchnorm_folding.fold(keras.Model(model.input, outputs))

    def run(images: tf.Tensor, wanted: tuple[str, ...]) -> dict[str, tf.Tensor]:
        found = network(backbone.preprocess(calibration["arch"], images), training=False)
        return {name: found[name] for name in wanted}

    made = {
        name: Signature(
            partial(run, wanted=wanted),
            inputs,
            {output: TOLERANCE[output] for output in wanted},
            golden,
        )
        for name, wanted in {
            "serving_default": ("probabilities",),
            "features": ("features",),
            "features_and_probabilities": ("features", "probabilities"),
        }.items()
    }
    if not head:
        return made
    dense = network.get_layer(head.dense.name)

    def scores_and_maps(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = run(images, ("probabilities", "maps"))
        return found["probabilities"], found["maps"]

    return made | class_activation.signatures(scores_and_maps, dense.kernel, golden["images"])


def golden_images(height: int, width: int) -> np.ndarray:
    """Make images of waves and edges, uint8 [2, height, width, 3]."""
    rows, columns = np.arange(height)[:, np.newaxis, np.newaxis], np.arange(width)[:, np.newaxis]
    waves = 127 + 100 * np.sin(0.05 * (rows + 1) * np.arange(1, 4) + 0.07 * columns)
    edges = (rows // 9 + columns // 13 + np.arange(3)) % 3 * 100
    return np.stack([waves, edges]).astype(np.uint8)


def manifest_fields(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The description of the input, and the batch size of a large network."""
    height, width = model.input_shape[1:3]
    variant = backbone.LITES.get(calibration["arch"])
    crop = round(variant.crop, 4) if variant else INPUT["crop"]
    return {
        "input": {**INPUT, "height": height, "width": width, "crop": crop},
        "max_batch_size": MAX_BATCH_SIZE,
    }


JOB = Job(
    name="labels",
    description=__doc__,
    task=TASK,
    config=Config,
    load_data=load_data,
    build_model=build_model,
    train=train,
    evaluate=evaluate,
    signatures=signatures,
    input=INPUT,
    labels=LABELS,
    manifest_fields=manifest_fields,
)


def prepare(config: Config, folder: Path) -> release.Release:
    """Build the network, measure it, and write its card to `folder`; its weights are those it was built with."""
    model = build_model(config)
    measured = evaluate(model, None)
    fitted = {"history": {}, "seconds": 0.0}
    made = card.make_card(JOB, config, pretraining(config), model, measured, fitted)
    changed = {"arch": config.arch, "weights": config.weights} if config != Config() else {}
    command = " ".join(["vitrine export labels", *(f"--{k} {v}" for k, v in changed.items())])
    return release.write_card(folder, made | {"command": command, "provenance": provenance(config)})
