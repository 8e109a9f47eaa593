"""The only writer of `models/`: a release becomes `models/<name>/<version>/`, a SavedModel directory.

A version appears whole or not at all: it is written beside its place and then renamed. What it
promises is in `assets.extra/`: manifest, card, and golden outputs of the directory as written.
"""

import contextlib
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from training.job import Job, Signature
from training.release import Release, exported_versions, load_weights, read_calibration

MAX_BATCH_SIZE = 64


def export(job: Job, release: Release, models: Path, name: str, origin: str) -> Path:
    """Write the next free version of `name`; return its directory.

    origin: "released" (weights of this repository) or "trained" (a user's, never replaced).
    """
    model = job.build_model(job.Config(**release.card["configuration"]))
    load_weights(release, model)
    signatures = job.signatures(model, read_calibration(release))
    with _new_version(models / name) as (scratch, version):
        _write_saved_model(model, signatures, scratch)
        extra = scratch / "assets.extra"
        extra.mkdir()
        golden, described = _golden(scratch, signatures, job.golden_inputs())
        np.savez_compressed(extra / "golden.npz", allow_pickle=False, **golden)
        (extra / "card.json").write_text(json.dumps(release.card, ensure_ascii=False))
        manifest = {
            "name": name,
            "version": version,
            "task": job.TASK,
            "framework": f"tensorflow {tf.__version__}",
            **({"input": dict(job.INPUT)} if job.INPUT else {}),
            "labels": job.LABELS,
            "signatures": described,
            "max_batch_size": MAX_BATCH_SIZE,
            **_fields(job, model, release.card["calibration"]),
            "tolerance": {k: v for s in signatures.values() for k, v in s.tolerance.items()},
            "card": "card.json",
            "origin": origin,
            "release": release.digest,
            "files": _digests(scratch),
        }
        (extra / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False))
    return models / name / str(version)


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


def _write_saved_model(model: Any, signatures: dict[str, Signature], scratch: Path) -> None:
    module = tf.Module()
    module.variables_of_model = model.variables
    functions = {
        key: tf.function(signature.function, input_signature=list(signature.inputs.values()))
        for key, signature in signatures.items()
    }
    for key, function in functions.items():
        setattr(module, key, function)
    tf.saved_model.save(module, str(scratch), signatures=functions)


def _fields(job: Job, model: Any, calibration: dict[str, Any]) -> dict[str, Any]:
    """The job's own part of the manifest, if it has one."""
    fields = getattr(job, "manifest_fields", None)
    return fields(model, calibration) if fields else {}


def _golden(
    scratch: Path, signatures: dict[str, Signature], inputs: Any
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Outputs of the directory just written, as any reader will load it, and what it says it takes."""
    loaded = tf.saved_model.load(str(scratch))
    arrays: dict[str, np.ndarray] = {}
    described = {}
    for key, signature in signatures.items():
        function = loaded.signatures[key]
        given = {name: {**inputs, **signature.golden}[name] for name in signature.inputs}
        outputs = function(**{name: tf.constant(array) for name, array in given.items()})
        arrays |= {f"{key}/inputs/{name}": array for name, array in given.items()}
        arrays |= {f"{key}/outputs/{name}": outputs[name].numpy() for name in signature.tolerance}
        # TensorFlow sorts outputs by name; the job's order is that of the network.
        ordered = {**dict.fromkeys(signature.tolerance), **function.structured_outputs}
        described[key] = {
            "inputs": {name: _spec(spec) for name, spec in signature.inputs.items()},
            "outputs": {name: _spec(spec) for name, spec in ordered.items()},
        }
    return arrays, described


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
