"""Writes `models/<name>/<version>/`, a SavedModel directory; the only module that writes to `models/`.

A version appears completely or not at all: it is written to a temporary directory and then renamed. Its
`assets.extra/` contains manifest, card, and golden outputs computed from the written directory.
"""

import contextlib
import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from training.export import onnx_graphs
from training.export.memory_usage import resident_megabytes
from training.export.operations import check_operations
from training.export.release import Release, exported_versions, load_weights, read_calibration
from training.job import Arrays, Job, Signature

MAX_BATCH_SIZE = 64
FORMAT = 1  # version of the manifest; increased when the meaning of a key changes


class Artefact(NamedTuple):
    """The content of a version directory, for networks of any origin."""

    task: str
    signatures: Mapping[str, Signature]
    card: Mapping[str, Any]
    origin: str = "adopted"  # "released": weights of this repository; others are never replaced
    digest: str = ""  # of its source
    tracked: Any = None  # what TensorFlow must keep beside the signatures' variables
    input: Mapping[str, Any] = MappingProxyType({})  # the manifest's "input"; empty: it has none
    labels: Sequence[tuple[str, str]] = ()
    fields: Mapping[str, Any] = MappingProxyType({})  # of the manifest, over the usual ones
    convert: Callable[..., onnx_graphs.Engines] = (
        onnx_graphs.convert
    )  # function that writes the ONNX graphs
    filters: Arrays = MappingProxyType({})  # of `filters.describe`; empty: none is written


def export(job: Job, release: Release, models: Path, name: str, origin: str) -> Path:
    """Write the next free version of `name`; return its directory.

    origin: "released" (weights of this repository) or "trained" (a user's, never replaced).
    """
    model = job.build_model(job.config(**release.card["configuration"]))
    load_weights(release, model)
    artefact = Artefact(
        task=job.task,
        input=job.input,
        labels=job.labels,
        signatures=job.signatures(model, read_calibration(release)),
        fields=job.manifest_fields(model, release.card["calibration"]),
        card=release.card,
        origin=origin,
        digest=release.digest,
        filters=job.filters(model),
    )
    return write(artefact, models, name)


def write(artefact: Artefact, models: Path, name: str) -> Path:
    """Write the next free version of `name`; return its directory."""
    signatures = artefact.signatures
    with _new_version(models / name) as (scratch, version):
        _write_saved_model(artefact.tracked, signatures, scratch)
        check_operations(scratch, name)
        extra = scratch / "assets.extra"
        extra.mkdir()
        loaded = tf.saved_model.load(str(scratch))
        golden, described = _golden(loaded, signatures)
        engines = artefact.convert(loaded, signatures, golden, scratch)
        np.savez_compressed(
            extra / "golden.npz",
            allow_pickle=False,
            **_golden_arrays(golden, engines.golden, signatures),
        )
        if artefact.filters:
            np.savez_compressed(extra / "filters.npz", allow_pickle=False, **artefact.filters)
        manifest = {
            "format": FORMAT,
            "name": name,
            "version": version,
            "task": artefact.task,
            "framework": f"tensorflow {tf.__version__}",
            **({"input": dict(artefact.input)} if artefact.input else {}),
            "labels": artefact.labels,
            "signatures": described,
            "engines": engines.names,
            "max_batch_size": MAX_BATCH_SIZE,
            **artefact.fields,
            "tolerance": {k: v for s in signatures.values() for k, v in s.tolerance.items()},
            "card": "card.json",
            "origin": artefact.origin,
            "release": artefact.digest,
        }
        memory = {**artefact.card.get("memory", {}), **_memory(scratch, manifest)}
        card = {**artefact.card, "memory": memory, "engines": engines.report}
        (extra / "card.json").write_text(json.dumps(card, ensure_ascii=False))
        manifest["files"] = _digests(scratch)
        (extra / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False))
    return models / name / str(version)


def _memory(scratch: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The card's section on memory, for every signature at its largest batch."""
    limits, most = manifest.get("batch_limits", {}), manifest["max_batch_size"]
    rows = {name: limits.get(name, most) for name in manifest["signatures"]}
    grown = resident_megabytes(scratch, rows, manifest.get("steps", 1))
    return {"resident_megabytes": grown, "largest_batch": most}


@contextlib.contextmanager
def _new_version(folder: Path) -> Iterator[tuple[Path, int]]:
    folder.mkdir(parents=True, exist_ok=True)
    newest = [int(path.name) for path in exported_versions(folder)][-1:] or [0]
    version = newest[0] + 1
    scratch = folder / f".tmp-{uuid.uuid4().hex}"
    try:
        yield scratch, version
        scratch.rename(folder / str(version))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_saved_model(tracked: Any, signatures: Mapping[str, Signature], scratch: Path) -> None:
    module = tf.Module()
    module.tracked = tracked
    functions = {
        key: tf.function(signature.function, input_signature=list(signature.inputs.values()))
        for key, signature in signatures.items()
    }
    for key, function in functions.items():
        setattr(module, key, function)
    # Those that a signature reads, whichever network they are of; in one order, so that two exports of
    # the same variables are the same file.
    traced = [function.get_concrete_function() for function in functions.values()]
    read = {id(variable): variable for one in traced for variable in one.variables}
    module.variables_read = sorted(read.values(), key=lambda variable: variable.name)
    tf.saved_model.save(module, str(scratch), signatures=functions)


def _golden(
    loaded: Any, signatures: Mapping[str, Signature]
) -> tuple[dict[str, tuple[Arrays, Arrays]], dict[str, Any]]:
    """Inputs and TensorFlow's outputs of each signature as written, and its stated inputs."""
    arrays: dict[str, tuple[Arrays, Arrays]] = {}
    described = {}
    for key, signature in signatures.items():
        function = loaded.signatures[key]
        given = {name: signature.golden[name] for name in signature.inputs}
        outputs = function(**{name: tf.constant(array) for name, array in given.items()})
        arrays[key] = (given, {name: tensor.numpy() for name, tensor in outputs.items()})
        # TensorFlow sorts outputs by name; the job's order is the network's.
        ordered = {**dict.fromkeys(signature.tolerance), **function.structured_outputs}
        described[key] = {
            "inputs": {name: _spec(spec) for name, spec in signature.inputs.items()},
            "outputs": {name: _spec(spec) for name, spec in ordered.items()},
        }
    return arrays, described


def _golden_arrays(
    golden: Mapping[str, tuple[Arrays, Arrays]],
    outputs: Mapping[str, Arrays],
    signatures: Mapping[str, Signature],
) -> dict[str, np.ndarray]:
    """The arrays of golden.npz: inputs, and outputs of the chosen engine."""
    arrays: dict[str, np.ndarray] = {}
    for key, signature in signatures.items():
        arrays |= {f"{key}/inputs/{name}": array for name, array in golden[key][0].items()}
        arrays |= {f"{key}/outputs/{name}": outputs[key][name] for name in signature.tolerance}
    return arrays


def _spec(spec: tf.TensorSpec) -> str:
    """A tensor in words, such as "uint8 [B,28,28,1]"; a free size after the batch is called T."""
    sizes = ["B", *("T" if size is None else str(size) for size in spec.shape[1:])]
    return f"{spec.dtype.name} [{','.join(sizes)}]"


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): "sha256:"
        + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
