"""A head trained in the browser (`head.json`) on the features of a served model → a model.

The file has one dense layer and its labels. Backbone, preprocessing and input come from the exported
version that it was trained on, so the head gets the same features. The SavedModel is complete. Of the
ONNX graphs, the backbone's is a link to the base model's file, so the service runs all heads on one network.
"""

import base64
import filecmp
import json
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
import tensorflow as tf

from training.export import onnx_graphs, release, saved_model
from training.export.onnx_builder import Graph, to_model
from training.job import Arrays, Signature
from training.keras_import.artefact import digest
from training.keras_import.image_classifier import LABEL_TASK as TASK
from training.keras_import.opened_network import golden_images

FORMAT = 1
FEATURES = "features"
VARIABLES = "variables/variables.data-00000-of-00001"
GRAPH = "images.onnx"  # of the base: every signature that takes images


class HeadFile(NamedTuple):
    """The content of `head.json`."""

    labels: list[tuple[str, str]]
    kernel: np.ndarray  # float32 [F, N]
    bias: np.ndarray  # float32 [N]
    notes: dict[str, Any]  # accuracy and number of images, for the card


def read_head(path: Path) -> HeadFile:
    """Read and check the file; ValueError if it is invalid."""
    try:
        content = json.loads(path.read_bytes())
        labels = [(str(name), str(name)) for name in content["labels"]]
        kernel = np.frombuffer(base64.b64decode(content["kernel"], validate=True), "<f4")
        bias = np.array(content["bias"], np.float32)
        kernel = kernel.reshape(-1, len(labels)).astype(np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must be a head.json saved by the page, got {error}") from None
    if content.get("format") != FORMAT:
        raise ValueError(f"{path} must have format {FORMAT}, got {content.get('format')!r}")
    if not 2 <= len(set(labels)) == len(labels) or bias.shape != (len(labels),):
        raise ValueError(f"{path} must have at least two different labels, with one bias each")
    if not np.isfinite(kernel).all() or not np.isfinite(bias).all():
        raise ValueError(f"{path} must have only finite numbers: train it again")
    notes = {name: content[name] for name in ("accuracy", "images") if name in content}
    return HeadFile(labels, kernel, bias, notes)


def import_head(path: Path, base: str, name: str, models: Path) -> Path:
    """Write the next version of `name`, the head at `path` on the newest version of `base`; return its directory.

    Raises:
        ValueError: the file or the base cannot be used.
    """
    release.check_name(name)
    head = read_head(path)
    versions = release.exported_versions(models / base)
    if not versions:
        raise ValueError(f"--on must be a model in {models}, got {base!r}: export it first")
    manifest = json.loads((versions[-1] / "assets.extra" / "manifest.json").read_text())
    if FEATURES not in manifest["signatures"]:
        raise ValueError(f"--on must be a model with the signature features, got {base!r}")
    base_graph = versions[-1] / onnx_graphs.FOLDER / GRAPH
    is_shared = manifest.get("engines", {}).get(FEATURES) == "onnx" and base_graph.is_file()
    network = tf.saved_model.load(str(versions[-1]))
    extract = network.signatures[FEATURES]
    height, width, channels = (manifest["input"][key] for key in ("height", "width", "channels"))
    golden = golden_images((height, width, channels))
    size = extract(images=tf.constant(golden))[FEATURES].shape[1]
    if size != len(head.kernel):
        raise ValueError(
            f"{path} must have been trained on {base}, which has {size} features, got {len(head.kernel)}"
        )
    artefact = saved_model.Artefact(
        task=TASK,
        input=manifest["input"],
        labels=head.labels,
        signatures=_signatures(extract, head, golden),
        fields={"max_batch_size": manifest["max_batch_size"]}
        | ({"backbone": FEATURES} if is_shared else {}),
        card=_card(path, f"{base}/{versions[-1].name}", name, head),
        origin="imported",
        digest=digest(path),
        convert=partial(_convert, base_graph, head) if is_shared else onnx_graphs.convert,
    )
    written = saved_model.write(artefact, models, name)
    _share_variables(written, models)
    return written


def _signatures(extract: Any, head: HeadFile, images: np.ndarray) -> dict[str, Signature]:
    kernel, bias = tf.constant(head.kernel), tf.constant(head.bias)

    def features(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {FEATURES: extract(images=images)[FEATURES]}

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = features(images)[FEATURES] @ kernel + bias
        return {"probabilities": tf.nn.softmax(logits)}

    inputs, golden = (
        {"images": tf.TensorSpec([None, *images.shape[1:]], tf.uint8)},
        {"images": images},
    )
    return {
        "serving_default": Signature(serving_default, inputs, {"probabilities": 1e-4}, golden),
        FEATURES: Signature(features, inputs, {FEATURES: 1e-3}, golden),
    }


def _convert(
    base_graph: Path,
    head: HeadFile,
    loaded: Any,
    signatures: Mapping[str, Signature],
    expected: Mapping[str, tuple[Arrays, Arrays]],
    directory: Path,
) -> onnx_graphs.Engines:
    """Link the backbone's graph, write the head's; `onnx_graphs.convert` for a base with ONNX graphs."""
    del loaded
    folder = directory / onnx_graphs.FOLDER
    (folder / "backbone").mkdir(parents=True)
    _link(base_graph, folder / "backbone" / GRAPH)
    graph = _head_graph(head)
    onnx_graphs.check(graph)
    (folder / f"{FEATURES}.onnx").write_bytes(graph.SerializeToString())
    backbone = ort.InferenceSession(base_graph, providers=["CPUExecutionProvider"])
    dense = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = {}
    for name in signatures:
        [found] = backbone.run([f"{FEATURES}/{FEATURES}"], dict(expected[name][0]))
        if name != FEATURES:
            [found] = dense.run(None, {FEATURES: found})
        outputs[name] = {next(iter(signatures[name].tolerance)): found}
    return onnx_graphs.choose(signatures, outputs, expected)


def _head_graph(head: HeadFile) -> Any:
    """Features [B, F] → the softmax of features · kernel + bias."""
    graph, output = Graph(), "serving_default/probabilities"
    kernel, bias = graph.constant(head.kernel), graph.constant(head.bias)
    logits = graph.add("Gemm", FEATURES, kernel, bias)
    graph.rename(graph.add("Softmax", logits, axis=-1), output)
    size, classes = head.kernel.shape
    return to_model(
        graph, {FEATURES: ("float32", ["B", size])}, {output: ("float32", ["B", classes])}
    )


def _share_variables(version: Path, models: Path) -> None:
    """Keep the variables once for all heads on the same backbone: of one file they are links."""
    own = version / VARIABLES
    for other in sorted(models.glob(f"*/[0-9]*/{VARIABLES}")):
        if not other.samefile(own) and filecmp.cmp(other, own, shallow=False):
            scratch = own.with_name(".link")
            _link(other, scratch)
            scratch.replace(own)
            return


def _link(source: Path, target: Path) -> None:
    """The same file under a second name, which outlives the first; a copy where there are no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _card(path: Path, base: str, name: str, head: HeadFile) -> dict[str, Any]:
    return {
        "job": name,
        "task": TASK,
        "summary": f"A head trained in the browser on the features of {base}.",
        "description": f"Softmax regression, imported from {path.name}; its accuracy was estimated there.",
        "data": {"source": "images that stayed in the browser", **head.notes},
        "configuration": {"on": base},
        "metrics": {"cross_validated_accuracy": head.notes["accuracy"]}
        if "accuracy" in head.notes
        else {},
        "calibration": {},
        "parameters": int(head.kernel.size + head.bias.size),
        "layers": [],
        "history": {},
        "digest": digest(path),
    }
