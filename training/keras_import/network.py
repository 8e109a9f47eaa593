"""A classifier of pictures out of somebody else's file. Knows no labels and no ranges of pixels."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from training.export.layer_table import LayerRow, layer_table
from training.keras_import import archive_check

Shape = tuple[int, int, int]  # height, width, channels
# Operations of a graph that reach out of it; a classifier of pictures needs none.
REACHING_OUT = re.compile(
    "PyFunc|ReadFile|WriteFile|MatchingFiles|Reader|Dataset|TextFile|Summary|Lmdb|Remote|Rpc|Debug"
)
SAVING = re.compile("SaveV2|SaveSlices|MergeV2Checkpoints|RestoreV2|RestoreSlice")


class Network(NamedTuple):
    """What runs, and what is known of it."""

    call: Callable[[Any], Any]  # `dtype` [B, *shape] → floats [B, C]
    shape: Shape
    dtype: str
    classes: int  # C
    activation: str | None  # of the last layer; None: not known
    features: Callable[[Any], Any] | None  # → what goes into the last layer [B, F]
    tracked: Any  # what holds the variables
    parameters: int
    weight_bytes: int
    layers: list[LayerRow]  # empty: not known


def open_network(path: Path, shape: Shape | None) -> Network:
    """Open a `.keras` or `.h5` file or a SavedModel directory; ValueError for what cannot be served.

    shape: of the pictures, for a network that leaves its height or width free.
    """
    if not path.exists():
        raise ValueError(f"there is no {path}")
    if path.is_dir():
        return _from_saved_model(path, shape)
    match path.suffix.lower():
        case ".keras":
            archive_check.check_archive(path)
        case ".h5" | ".hdf5":
            archive_check.check_h5(path)
        case suffix:
            raise ValueError(
                f"{path} ends in {suffix or 'nothing'}; adopt takes a .keras or .h5 file, or the folder "
                "that model.export writes"
            )
    return _from_keras(path, shape)


def _from_keras(path: Path, wanted: Shape | None) -> Network:
    model = _load(path)
    inputs, outputs = _ends(path, model)
    shape = _image_shape(path, tuple(inputs[0].shape), wanted)
    whole = keras.Model(inputs[0], outputs[0])
    last, features = model.layers[-1], None
    is_last = any(tensor is outputs[0] for tensor in keras.tree.flatten(_output(last)))
    if is_last and isinstance(last, keras.layers.Dense) and len(last.input.shape) == 2:
        features = keras.Model(inputs[0], last.input)
    network = Network(
        call=lambda images: whole(images, training=False),
        shape=shape,
        dtype=keras.backend.standardize_dtype(inputs[0].dtype),
        classes=0,
        activation=_activation(last) if is_last else None,
        features=(lambda images: features(images, training=False)) if features else None,
        tracked=whole.variables,
        parameters=model.count_params(),
        weight_bytes=sum(w.dtype.itemsize * w.size for w in model.get_weights()),
        layers=layer_table(model),
    )
    return network._replace(classes=_count_classes(path, network))


def _load(path: Path) -> Any:
    try:
        return keras.saving.load_model(path, custom_objects=None, compile=False, safe_mode=True)
    except Exception as error:  # noqa: BLE001 - a damaged file makes Keras raise anything at all
        raise ValueError(
            f"Keras cannot load {path}: {_first_sentence(error)} Export the model where it was trained, "
            "with model.export('folder'), and adopt that folder"
        ) from None


def _first_sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:300].rstrip(".") + "."


def _ends(path: Path, model: Any) -> tuple[list[Any], list[Any]]:
    """The one input and the one output, each as a list of Keras' tensors."""
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not isinstance(model, keras.Model) or not inputs or not outputs:
        raise ValueError(
            f"{path} holds a network that does not know its input; begin it with keras.Input and save "
            "it again"
        )
    for tensors, what in ((inputs, "inputs"), (outputs, "outputs")):
        if len(tensors) != 1:
            names = ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in tensors)
            raise ValueError(
                f"{path} has {len(tensors)} {what} ({names}); a classifier of pictures has one. Save "
                "keras.Model(picture, classes) of it"
            )
    return list(inputs), list(outputs)


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


def _image_shape(path: Path, found: tuple[int | None, ...], wanted: Shape | None) -> Shape:
    """The pictures' shape, from what the network says and the command line completes."""
    text = "[" + ", ".join("free" if size is None else str(size) for size in found) + "]"
    if len(found) != 4:
        raise ValueError(
            f"{path} takes {text}, which is no batch of pictures [free, height, width, channels]"
        )
    if found[0] is not None and not (found[0] == 1 and path.is_file()):  # Keras does not insist
        raise ValueError(
            f"{path} takes exactly {found[0]} pictures at once, {text}; build it with a free batch size"
        )
    if None in found[1:] and wanted is None:
        raise ValueError(
            f"{path} takes {text}: say which size its pictures have, such as --input-shape 180x180x3"
        )
    shape = wanted or found[1:]
    if any(size not in (None, given) for size, given in zip(found[1:], shape, strict=True)):
        came = "x".join(str(size) for size in shape)
        raise ValueError(f"{path} takes {text}, and --input-shape says {came}")
    height, width, channels = (int(size or 0) for size in shape)
    if channels not in (1, 3):
        hint = "; channels come last" if found[1] in (1, 3) else ""
        raise ValueError(f"{path} takes {text}: {channels} channels; a picture has 1 or 3{hint}")
    return height, width, channels


def _count_classes(path: Path, network: Network) -> int:
    """Run two black pictures; the number of outputs for each."""
    try:
        outputs = network.call(tf.zeros((2, *network.shape), network.dtype))
    except Exception as error:  # noqa: BLE001 - a graph of somebody else's, run for the first time
        size = "×".join(str(side) for side in network.shape)
        raise ValueError(
            f"{path} does not run on two pictures of {size}: {_first_sentence(error)}"
        ) from None
    if len(outputs.shape) != 2 or outputs.shape[0] != 2:
        raise ValueError(
            f"{path} gives {list(outputs.shape)} for 2 pictures; a classifier gives [2, classes]"
        )
    return int(outputs.shape[1])


def _from_saved_model(path: Path, wanted: Shape | None) -> Network:
    key = _signature_name(path)
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # noqa: BLE001 - TensorFlow has six kinds and more for a damaged folder
        raise ValueError(f"TensorFlow cannot load {path}: {_first_sentence(error)}") from None
    function = loaded.signatures[key]
    for name in _operations(function.graph.as_graph_def()):
        if SAVING.search(name):
            raise ValueError(f"{path}: the signature {key} does {name}; it is not run")
    [(name, spec)] = function.structured_input_signature[1].items()
    [output] = function.structured_outputs
    variables = {id(variable): variable for variable in function.variables}.values()
    network = Network(
        call=lambda images: function(**{name: images})[output],
        shape=_image_shape(path, tuple(spec.shape), wanted),
        dtype=spec.dtype.name,
        classes=0,
        activation=None,
        features=None,
        tracked=loaded,
        parameters=sum(int(np.prod(v.shape)) for v in variables),
        weight_bytes=sum(int(np.prod(v.shape)) * v.dtype.size for v in variables),
        layers=[],
    )
    return network._replace(classes=_count_classes(path, network))


def _signature_name(path: Path) -> str:
    """The signature to serve, found without running anything; ValueError names those there are."""
    graph = _read_graph(path)
    for name in _operations(graph.graph_def):
        if REACHING_OUT.search(name):
            raise ValueError(
                f"{path} holds the operation {name}, which reaches out of the graph; it is not loaded"
            )
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
        f"{path} has no signature serving_default with one input and one output; it has "
        f"{', '.join(described) or 'none'}. model.export('folder') writes one"
    )


def _read_graph(path: Path) -> Any:
    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString((path / "saved_model.pb").read_bytes())
    except FileNotFoundError:
        raise ValueError(
            f"{path} is no SavedModel: it holds no saved_model.pb. model.export('folder') writes one"
        ) from None
    except DecodeError:
        raise ValueError(f"{path}/saved_model.pb is damaged: it cannot be parsed") from None
    if not message.meta_graphs:
        raise ValueError(f"{path}/saved_model.pb holds no graph")
    return message.meta_graphs[0]


def _operations(graph: Any) -> set[str]:
    """Names of all operations of a graph and of the functions it calls."""
    inside = (node.op for function in graph.library.function for node in function.node_def)
    return {node.op for node in graph.node} | set(inside)
