"""A Keras model of your own → a served directory, without writing code.

The preprocessing goes into the graph, the last layer's numbers become probabilities, and what comes
out is written by `training.export` like everything else in `models/`.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from training.export import release, saved_model
from training.job import Signature
from training.keras_import import label_file, output_activation
from training.keras_import.input_range import Preprocess, preprocessing
from training.keras_import.network import Network, Shape, open_network

TASK = "classify_image"
SMALL_SIDE = 64  # up to here 64 pictures run at once, above 8


class Order(NamedTuple):
    """What a person asks for."""

    path: Path  # a .keras or .h5 file, or a SavedModel directory
    name: str
    labels: Path
    input_range: str  # see `training.keras_import.input_range`
    input_shape: Shape | None = None  # for a network whose height and width are free
    outputs: str = "auto"  # what the last layer gives, if it cannot be told


def adopt(order: Order, models: Path) -> Path:
    """Write the next version of `order.name`; return its directory.

    Raises:
        ValueError: something in the file, the labels or the options cannot be served; says what.
    """
    release.check_name(order.name)
    _check_task(models / order.name)
    labels = label_file.read_labels(order.labels)
    network = open_network(order.path, order.input_shape)
    preprocess = _preprocessing(order, network)
    size = "×".join(str(side) for side in network.shape)
    _say(
        f"{order.path}: pictures of {size} → {network.classes} numbers; {network.parameters:,} parameters"
    )
    golden = golden_images(network.shape)
    raw = _run(order.path, network, preprocess, golden)
    _check_labels(order, network, labels)
    kind = output_activation.find_kind(raw, network.activation, order.outputs)
    done = output_activation.describe(kind, network.classes)
    _say(f"last layer: {done}")
    _say("writing the SavedModel with its preprocessing, and its golden outputs")
    artefact = saved_model.Artefact(
        task=TASK,
        input=_input(network.shape),
        labels=labels,
        signatures=_signatures(network, preprocess, kind),
        golden_inputs={"images": golden},
        tracked=network.tracked,
        fields={"max_batch_size": 64 if max(network.shape[:2]) <= SMALL_SIDE else 8},
        card=_card(order, network, done),
        origin="adopted",
        digest=digest(order.path),
    )
    return saved_model.write(artefact, models, order.name)


def _say(line: str) -> None:
    print(line, flush=True)


def _check_task(folder: Path) -> None:
    """Refuse a name under which something else is served already."""
    for version in release.exported_versions(folder)[-1:]:
        path = version / "assets.extra" / "manifest.json"
        task = json.loads(path.read_text()).get("task") if path.is_file() else TASK
        if task != TASK:
            raise ValueError(f"{version} is a model that does {task}; take another --name")


def _preprocessing(order: Order, network: Network) -> Preprocess:
    if not tf.dtypes.as_dtype(network.dtype).is_floating and order.input_range != "0..255":
        raise ValueError(
            f"{order.path} takes {network.dtype}, whole numbers, so that its pixels are 0..255; the "
            f"--input-range says {order.input_range}"
        )
    return preprocessing(order.input_range, network.shape[2])


def golden_images(shape: Shape) -> np.ndarray:
    """Four pictures uint8 [4, H, W, C]: soft coloured patches, from coarse to fine, always the same."""
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


def _run(path: Path, network: Network, preprocess: Preprocess, images: np.ndarray) -> np.ndarray:
    """What the network itself gives for pictures, float32 [B, C]; ValueError if it is no number."""
    raw = np.asarray(_forward(network.call, network, preprocess)(tf.constant(images)))
    if not np.isfinite(raw).all():
        raise ValueError(
            f"{path} gives numbers that are not finite for {np.sum(~np.isfinite(raw).all(axis=1))} of "
            f"{len(raw)} pictures; its weights are broken, or the --input-range is not its own"
        )
    return raw


def _forward(
    function: Callable[[Any], Any], network: Network, preprocess: Preprocess
) -> Callable[[tf.Tensor], tf.Tensor]:
    def forward(images: tf.Tensor) -> tf.Tensor:
        pixels = preprocess(tf.cast(images, tf.float32))
        return tf.cast(function(tf.cast(pixels, network.dtype)), tf.float32)

    return forward


def _check_labels(order: Order, network: Network, labels: list[tuple[str, str]]) -> None:
    wanted = 2 if network.classes == 1 else network.classes
    if len(labels) == wanted:
        return
    gives = "one number, which fits 2 labels" if network.classes == 1 else f"{wanted} numbers"
    raise ValueError(
        f"{order.labels} has {len(labels)} labels, and {order.path} gives {gives}; write one label a "
        "line, in the order of the network's outputs"
    )


def _signatures(network: Network, preprocess: Preprocess, kind: str) -> dict[str, Signature]:
    """`serving_default`, and `features` where the network has them; images uint8 [B, H, W, C]."""
    forward = _forward(network.call, network, preprocess)

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": output_activation.to_probabilities(forward(images), kind)}

    inputs = {"images": tf.TensorSpec([None, *network.shape], tf.uint8)}
    found = {"serving_default": Signature(serving_default, inputs, {"probabilities": 1e-4})}
    if network.features is not None:
        inner = _forward(network.features, network, preprocess)

        def features(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"features": inner(images)}

        found["features"] = Signature(features, inputs, {"features": 1e-3})
    return found


def _input(shape: Shape) -> dict[str, Any]:
    height, width, channels = shape
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "resize": "bilinear",
        "crop": 1.0,
    }


def _card(order: Order, network: Network, done: str) -> dict[str, Any]:
    """What is known of a model that came ready; nothing is measured, for there are no data."""
    return {
        "job": order.name,
        "task": TASK,
        "summary": f"Adopted from {order.path.name}.",
        "description": "Trained elsewhere: how well it does was not measured here.",
        "data": {"source": "not known here"},
        "configuration": {"input_range": order.input_range, "outputs": done},
        "metrics": {},
        "calibration": {},
        "parameters": network.parameters,
        "memory": {"weights_bytes": network.weight_bytes},
        "layers": network.layers,
        "history": {},
        "digest": digest(order.path),
    }


def digest(path: Path) -> str:
    """`sha256:…` of a file, or of a directory's files with their names."""
    whole = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            whole.update(file.relative_to(path).as_posix().encode() if path.is_dir() else b"")
            with file.open("rb") as stream:
                for part in iter(lambda: stream.read(1 << 20), b""):
                    whole.update(part)
    return f"sha256:{whole.hexdigest()}"
