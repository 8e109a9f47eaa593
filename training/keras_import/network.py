"""Loads an image classifier from a file: its graph, its shapes and its last layer."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from training.keras_import import archive_check, contents, determinism, keras2
from training.keras_import.contents import Contents
from training.keras_import.image_shape import Shape, image_shape, input_shape
from training.keras_import.options import say
from training.keras_import.saved_model_graph import read_graph
from training.pretrained import class_activation

# Function and device names that TensorFlow writes around a reason.
TENSORFLOW_ONLY = re.compile(r"\{\{.*?\}\}\s*| on /job:.*")


class Network(NamedTuple):
    """A loaded network and its properties."""

    call: Callable[[Any], Any]  # `dtype` [B, *taken] → floats [B, C]
    shape: Shape  # of the images
    taken: tuple[int, ...]  # of an input, which an image is reshaped to: [28, 28] or [784] too
    dtype: str
    output_dtype: str
    classes: int  # C
    activation: str | None  # of the last layer; None: not known
    features: Callable[[Any], Any] | None  # → what goes into the last layer [B, F]
    contents: Contents
    keras_model: Any = None  # None: it is a SavedModel
    head: class_activation.Head | None = None  # where it ends in global average pooling


def open_network(path: Path, shape: Shape | None) -> Network:
    """Open a `.keras` or `.h5` file or a SavedModel directory; ValueError if it cannot be served.

    shape: of the images, for a network that leaves its height or width free or takes them flat.
    """
    return _from_saved_model(path, shape) if path.is_dir() else _from_keras(path, shape)


def check_file(path: Path) -> None:
    """Refuse a file that is no `.keras` or `.h5` file of Keras alone; ValueError says why."""
    suffix = path.suffix.lower()
    if suffix not in archive_check.CHECKS:
        raise ValueError(
            f"{path} must be a .keras or .h5 file, or a folder that model.export writes, got "
            f"{suffix or 'no suffix'}"
        )
    archive_check.CHECKS[suffix](path)


def _from_keras(path: Path, wanted: Shape | None) -> Network:
    model = load_model(path)
    inputs, outputs = _ends(path, model)
    shape = image_shape(path, tuple(inputs[0].shape), wanted)
    whole = keras.Model(inputs[0], outputs[0])
    last, features = model.layers[-1], None
    is_last = any(tensor is outputs[0] for tensor in keras.tree.flatten(_output(last)))
    if is_last and isinstance(last, keras.layers.Dense) and len(last.input.shape) == 2:
        features = keras.Model(inputs[0], last.input)
    network = Network(
        call=lambda images: whole(images, training=False),
        shape=shape,
        taken=input_shape(tuple(inputs[0].shape), shape),
        dtype=keras.backend.standardize_dtype(inputs[0].dtype),
        output_dtype=keras.backend.standardize_dtype(outputs[0].dtype),
        classes=0,
        activation=_activation(last) if is_last else None,
        features=(lambda images: features(images, training=False)) if features else None,
        contents=contents.of_keras(model),
        keras_model=model,
        head=_head(outputs[0]),
    )
    return network._replace(classes=_count_classes(path, network))


def _head(output: Any) -> class_activation.Head | None:
    """The end of a network that has class activation maps."""
    try:
        return class_activation.find_head(output)
    except (AttributeError, ValueError):  # a layer that is used twice, or has no single input
        return None


def load_model(path: Path) -> Any:
    """Load a checked `.keras` or `.h5` file with Keras; ValueError says why it cannot."""
    check_file(path)
    try:
        with keras2.loadable(path) as file:
            model = keras.saving.load_model(
                file, custom_objects=None, compile=False, safe_mode=True
            )
    except Exception as error:  # noqa: BLE001 - a damaged file makes Keras raise anything at all
        version = keras2.version_of(path) or ""
        written = f", written by Keras {version}" if version.startswith("2") else ""
        raise ValueError(
            f"Keras {keras.__version__} cannot load {path}{written}: {first_sentence(error)} Export the "
            "model where it was trained, with model.export('folder'), and import that folder"
        ) from None
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            f"{path} must hold a network that knows its input; begin it with keras.Input and save it again"
        )
    if layers := determinism.trained_at_inference(model):
        say(
            f"warning: {path} calls {', '.join(layers)} with training=True, which the service does not: "
            "its answers are those without dropout, noise or augmentation"
        )
    return model


def load_saved_model(path: Path) -> Any:
    """Load a SavedModel directory with TensorFlow; ValueError says why it cannot."""
    try:
        return tf.saved_model.load(str(path))
    except Exception as error:  # noqa: BLE001 - TensorFlow has six kinds and more for a damaged folder
        raise ValueError(f"TensorFlow cannot load {path}: {first_sentence(error)}") from None


def first_sentence(error: Exception) -> str:
    """The reason in an error of Keras, which often follows a description of the whole layer."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith("Exception encountered:")]
    line = (
        reasons[-1].partition(":")[2].strip() if reasons else (lines or [type(error).__name__])[0]
    )
    line = TENSORFLOW_ONLY.sub("", line).replace("OOM when", "not enough memory when")
    return line[:300].rstrip(".") + "."


def _ends(path: Path, model: Any) -> tuple[list[Any], list[Any]]:
    """The one input and the one output, each as a list of Keras' tensors."""
    for tensors, what in ((model.inputs, "input"), (model.outputs, "output")):
        if len(tensors) != 1:
            names = ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in tensors)
            raise ValueError(
                f"{path} must have one {what} to be an image classifier, got {len(tensors)} ({names}); save "
                "keras.Model(image, classes) of it, or import it without --labels, as tensors"
            )
    return list(model.inputs), list(model.outputs)


def _output(layer: Any) -> Any:
    """Its output; nothing for a layer that is used twice."""
    try:
        return layer.output
    except (AttributeError, ValueError):
        return []


def _activation(layer: Any) -> str | None:
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _count_classes(path: Path, network: Network) -> int:
    """Run two black images; the number of outputs for each."""
    try:
        outputs = network.call(tf.zeros((2, *network.taken), network.dtype))
    except Exception as error:  # noqa: BLE001 - a graph of somebody else's, run for the first time
        size = "×".join(str(side) for side in network.shape)
        raise ValueError(
            f"{path} must run on two images of {size}, got the error: {first_sentence(error)}"
        ) from None
    if not outputs.dtype.is_floating:
        raise ValueError(
            f"{path} must give floating-point probabilities or logits, got {outputs.dtype.name}; save the "
            "network without the step that turns them into names or numbers"
        )
    if len(outputs.shape) != 2 or outputs.shape[0] != 2:
        raise ValueError(f"{path} must give [2, classes] for 2 images, got {list(outputs.shape)}")
    return int(outputs.shape[1])


def _from_saved_model(path: Path, wanted: Shape | None) -> Network:
    key = _signature_name(path)
    loaded = load_saved_model(path)
    function = loaded.signatures[key]
    [(name, spec)] = function.structured_input_signature[1].items()
    [output] = function.structured_outputs
    shape = image_shape(path, tuple(spec.shape), wanted)
    network = Network(
        call=lambda images: function(**{name: images})[output],
        shape=shape,
        taken=input_shape(tuple(spec.shape), shape),
        dtype=spec.dtype.name,
        output_dtype=function.structured_outputs[output].dtype.name,
        classes=0,
        activation=None,
        features=None,
        contents=contents.of_saved_model(loaded, function),
    )
    return network._replace(classes=_count_classes(path, network))


def _signature_name(path: Path) -> str:
    """The signature to serve, found without running anything; ValueError names those there are."""
    graph = read_graph(path)
    usable = [
        key
        for key, one in graph.signature_def.items()
        if len(one.inputs) == 1 and len(one.outputs) == 1 and not key.startswith("__")
    ]
    if "serving_default" in usable:
        return "serving_default"
    if len(usable) == 1:
        return str(usable[0])
    described = [
        f"{key} ({len(one.inputs)} in, {len(one.outputs)} out)"
        for key, one in sorted(graph.signature_def.items())
        if not key.startswith("__")
    ]
    raise ValueError(
        f"{path} must have a signature serving_default with one input and one output, got "
        f"{', '.join(described) or 'none'}; model.export('folder') writes one"
    )
