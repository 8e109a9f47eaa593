"""Any Keras model or SavedModel → task tensors, with its own inputs and outputs.

For tabular data, time series, several inputs or outputs, and sequences; served by both standard protocols.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training.export.saved_model import Artefact
from training.job import Signature
from training.keras_import import contents
from training.keras_import.artefact import card, write
from training.keras_import.contents import Contents
from training.keras_import.determinism import finite_rows, run_twice
from training.keras_import.network import first_sentence, load_model, load_saved_model
from training.keras_import.options import ImportOptions, say
from training.keras_import.saved_model_graph import read_graph

TASK = "tensors"
ROWS, FREE = 2, 8  # golden inputs: number of rows, and size of free dimensions
TOLERANCE = 1e-4  # relative to the largest value, or to 1
SUPPORTED = ("f", "i", "u", "b", "S", "O")


class _Program(NamedTuple):
    call: Callable[..., Mapping[str, Any]]  # keyword arguments → outputs by name
    inputs: Mapping[str, tf.TensorSpec]
    contents: Contents


def import_tensors(options: ImportOptions, models: Path) -> Path:
    """Write the next version of a model with its own inputs and outputs; ValueError if it cannot be served."""
    path = options.path
    program = _from_saved_model(path) if path.is_dir() else _from_keras(path)
    golden = {
        name: golden_input(spec, seed) for seed, (name, spec) in enumerate(program.inputs.items())
    }
    outputs = run_twice(options.path, lambda: _run(options.path, program, golden))
    _check_outputs(options.path, program, outputs)
    say(
        f"{options.path}: {_described(program, outputs)}; {program.contents.parameters:,} parameters"
    )
    _offer_digits(options, program, outputs)
    tolerance = {
        name: TOLERANCE * max(1.0, float(np.max(np.abs(array), initial=0.0)))
        for name, array in outputs.items()
        if array.dtype.kind in "fiub" and np.isfinite(array).all()
    }
    signature = Signature(
        lambda *tensors: program.call(**dict(zip(program.inputs, tensors, strict=True))),
        program.inputs,
        tolerance,
        golden,
    )
    artefact = Artefact(
        task=TASK,
        signatures={"serving_default": signature},
        tracked=program.contents.tracked,
        card={**card(options, TASK, "", {}), **program.contents.card()},
    )
    return write(artefact, options, models)


def _from_keras(path: Path) -> _Program:
    model = load_model(path)
    inputs = model.inputs
    names = _unique([tensor.name.split(":")[0] for tensor in inputs])
    specs = {
        name: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype, name)
        for name, tensor in zip(names, inputs, strict=True)
    }
    # A loaded Sequential model has its tensors only as lists.
    structure = inputs[0] if isinstance(model, keras.Sequential) else model.input
    outputs = _output_names(model)

    def call(**tensors: Any) -> dict[str, Any]:
        given = keras.tree.pack_sequence_as(structure, [tensors[name] for name in names])
        flat = keras.tree.flatten(model(given, training=False))
        return dict(zip(outputs, flat, strict=True))

    return _Program(call, specs, contents.of_keras(model))


def _output_names(model: Any) -> list[str]:
    """The outputs' names if the model returns a dictionary, otherwise those of their layers."""
    if isinstance(model, keras.Sequential):
        return _unique([model.layers[-1].name])
    if isinstance(model.output, dict):
        return [str(name) for name in sorted(model.output)]
    if hasattr(model, "output_names"):
        return _unique([str(name) for name in model.output_names])
    return [f"output_{number}" for number in range(len(model.outputs))]


def _unique(names: list[str]) -> list[str]:
    """Valid and unique tensor names."""
    found: list[str] = []
    for name in names:
        plain = "".join(c if c.isalnum() or c == "_" else "_" for c in name) or "tensor"
        number = sum(one == plain or one.startswith(f"{plain}_") for one in found)
        found.append(f"{plain}_{number}" if number else plain)
    return found


def _from_saved_model(path: Path) -> _Program:
    graph = read_graph(path)
    keys = [key for key in graph.signature_def if not key.startswith("__")]
    key = "serving_default" if "serving_default" in keys else (keys or [""])[0]
    if not key:
        raise ValueError(
            f"{path} must have a signature, got none; model.export('folder') writes one"
        )
    loaded = load_saved_model(path)
    function = loaded.signatures[key]
    specs = {
        name: tf.TensorSpec(
            [None, *spec.shape[1:]] if spec.shape.rank else spec.shape, spec.dtype, name
        )
        for name, spec in function.structured_input_signature[1].items()
    }
    return _Program(function, specs, contents.of_saved_model(loaded, function))


def golden_input(spec: tf.TensorSpec, seed: int) -> np.ndarray:
    """A reproducible input for a spec: standard normal values, small whole numbers, short strings."""
    shape = [ROWS if axis == 0 else size or FREE for axis, size in enumerate(spec.shape)]
    random = np.random.default_rng(seed)
    if spec.dtype == tf.string:
        return np.full(shape, b"a", "S1")
    if spec.dtype.is_floating:
        return random.standard_normal(shape).astype(spec.dtype.as_numpy_dtype)
    if spec.dtype.is_integer or spec.dtype.is_bool:
        return random.integers(0, 2, shape).astype(spec.dtype.as_numpy_dtype)
    raise ValueError(
        f"the input {spec.name} must be of a type that a protocol carries, got {spec.dtype.name}"
    )


def _run(path: Path, program: _Program, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    try:
        outputs = program.call(**{name: tf.constant(array) for name, array in inputs.items()})
        return {name: np.asarray(output) for name, output in outputs.items()}
    except Exception as error:  # noqa: BLE001 - a graph of somebody else's, run for the first time
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in inputs.items())
        raise ValueError(
            f"{path} must run on {shapes}, got the error: {first_sentence(error)}"
        ) from None


def _check_outputs(path: Path, program: _Program, outputs: Mapping[str, np.ndarray]) -> None:
    for name, array in outputs.items():
        if array.dtype.kind not in SUPPORTED and array.dtype.name not in ("bfloat16",):
            raise ValueError(
                f"{path} must give {name} in a type that a protocol carries, got {array.dtype.name}; save "
                "real and imaginary parts as two outputs"
            )
        if array.ndim == 0 or len(array) != ROWS:
            raise ValueError(
                f"{path} must give one row of {name} for each row of the inputs, got {list(array.shape)} for "
                f"{ROWS} rows"
            )
        if array.dtype.kind == "f":
            finite_rows(path, array, "inputs")


def _described(program: _Program, outputs: Mapping[str, np.ndarray]) -> str:
    def shown(sizes: Any) -> str:
        return "[" + ", ".join("free" if s is None else str(s) for s in sizes) + "]"

    inputs = ", ".join(f"{n} {s.dtype.name} {shown(s.shape)}" for n, s in program.inputs.items())
    given = ", ".join(
        f"{n} {a.dtype.name} {shown([None, *a.shape[1:]])}" for n, a in outputs.items()
    )
    return f"{inputs} → {given}"


def _offer_digits(
    options: ImportOptions, program: _Program, outputs: Mapping[str, np.ndarray]
) -> None:
    """Suggest --task digits for a network of 28×28 images with ten outputs."""
    sizes = [tuple(spec.shape[1:]) for spec in program.inputs.values()]
    given = [array.shape[1:] for array in outputs.values()]
    if sizes in ([(28, 28)], [(28, 28, 1)], [(784,)]) and given == [(10,)]:
        say(
            "it takes 28×28 values and gives ten: if it reads digits, import it with --task digits "
            "--input-range 0..1 (or 0..255) for /v1/digits/classify"
        )
