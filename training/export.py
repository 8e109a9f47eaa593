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
from training.release import Release, exported_versions, load_weights

MAX_BATCH_SIZE = 64


def export(job: Job, release: Release, models: Path, name: str, origin: str) -> Path:
    """Write the next free version of `name`; return its directory.

    origin: "released" (weights of this repository) or "trained" (a user's, never replaced).
    """
    model = job.build_model(job.Config(**release.card["configuration"]))
    load_weights(release, model)
    signatures = job.signatures(model, release.card["calibration"])
    with _new_version(models / name) as (scratch, version):
        _write_saved_model(model, signatures, scratch)
        extra = scratch / "assets.extra"
        extra.mkdir()
        golden = _golden(scratch, signatures, job.golden_inputs())
        np.savez_compressed(extra / "golden.npz", allow_pickle=False, **golden)
        (extra / "card.json").write_text(json.dumps(release.card, ensure_ascii=False))
        manifest = {
            "name": name,
            "version": version,
            "task": job.TASK,
            "framework": f"tensorflow {tf.__version__}",
            "input": dict(job.INPUT),
            "labels": job.LABELS,
            "signatures": {
                key: _describe(signature, golden, key) for key, signature in signatures.items()
            },
            "max_batch_size": MAX_BATCH_SIZE,
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


def _golden(scratch: Path, signatures: dict[str, Signature], inputs: Any) -> dict[str, np.ndarray]:
    """Outputs of the directory just written, as any reader will load it."""
    loaded = tf.saved_model.load(str(scratch))
    arrays: dict[str, np.ndarray] = {}
    for key, signature in signatures.items():
        given = {name: inputs[name] for name in signature.inputs}
        outputs = loaded.signatures[key](**{n: tf.constant(a) for n, a in given.items()})
        arrays |= {f"{key}/inputs/{name}": array for name, array in given.items()}
        arrays |= {f"{key}/outputs/{name}": outputs[name].numpy() for name in signature.tolerance}
    return arrays


def _describe(signature: Signature, golden: dict[str, np.ndarray], key: str) -> dict[str, Any]:
    """The manifest's entry, e.g. {"inputs": {"images": "uint8 [B,28,28,1]"}, "outputs": …}."""
    inputs = {n: _spec(s.dtype.name, s.shape[1:]) for n, s in signature.inputs.items()}
    arrays = {name: golden[f"{key}/outputs/{name}"] for name in signature.tolerance}
    outputs = {name: _spec(array.dtype.name, array.shape[1:]) for name, array in arrays.items()}
    return {"inputs": inputs, "outputs": outputs}


def _spec(dtype: str, shape: Any) -> str:
    return f"{dtype} [{','.join(['B', *(str(size) for size in shape)])}]"


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): "sha256:"
        + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
