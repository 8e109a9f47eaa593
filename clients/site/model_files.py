"""An exported version → its files for the page: a description, the card, golden outputs, graphs."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

EXTRA = "assets.extra"
FIELDS = (
    "name",
    "version",
    "task",
    "input",
    "labels",
    "vocabulary",
    "steps",
    "latents",
    "directions",
    "tolerance",
)
LEFT_OUT = {"prefill", "score"}  # `read` does the same, from the state that a text begins with
MOST_GOLDEN_BYTES = 300_000  # of a signature's second row: a page's first load counts

Arrays = dict[str, NDArray[Any]]


class SiteError(Exception):
    """The site cannot be written; the message has the remedy."""


def find_models(models: Path, wanted: list[str] | None) -> dict[str, Path]:
    """Find the newest version of each model that has ONNX graphs: name → its directory.

    Raises:
        SiteError: there is none, or a wanted one is not among them.
    """
    found: dict[str, Path] = {}
    for folder in sorted(path for path in models.glob("*") if path.is_dir()):
        versions = [path for path in folder.iterdir() if path.name.isdecimal()]
        versions = [path for path in versions if _has_own_graphs(path / EXTRA / "onnx")]
        if versions:
            found[folder.name] = max(versions, key=lambda path: int(path.name))
    missing = sorted(set(wanted or ()) - found.keys())
    if missing or not found:
        what = f"{missing[0]} in {models}" if missing else f"any model in {models}"
        raise SiteError(
            f"{what} must be an exported model with ONNX graphs, got none: vitrine export writes them"
        )
    return {name: found[name] for name in found if not wanted or name in wanted}


def _has_own_graphs(folder: Path) -> bool:
    """Whether the graphs take the signatures' inputs and not a backbone's features."""
    return any(folder.glob("*.onnx")) and not (folder / "backbone").is_dir()


def write_model(target: Path, directory: Path) -> tuple[dict[str, Any], int]:
    """Write one version; return its entry in the list of models, and its bytes."""
    extra = directory / EXTRA
    manifest = json.loads((extra / "manifest.json").read_text())
    signatures = {
        name: signature
        for name, signature in manifest["signatures"].items()
        if name not in LEFT_OUT and (extra / "onnx" / graph_file(signature)).is_file()
    }
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in {graph_file(signature) for signature in signatures.values()}:
        shutil.copyfile(extra / "onnx" / file, target / file)
    golden, content = _golden(extra / "golden.npz", signatures)
    (target / "golden.bin").write_bytes(content)
    described = {name: manifest[name] for name in FIELDS if name in manifest}
    described |= {"signatures": signatures, "golden": golden}
    if (extra / "filters.npz").is_file():
        described["filters"] = _write_filters(target, extra / "filters.npz")
    if "prefill" in manifest["signatures"]:
        described["beginning"] = _beginning(extra, manifest)
    (target / "model.json").write_text(json.dumps(described))
    (target / "card.json").write_text(json.dumps(_card(manifest, extra, signatures)))
    listed = {
        "id": manifest["name"],
        "object": "model",
        "created": 0,
        "owned_by": "vitrine",
        "task": manifest["task"],
        "versions": [manifest["version"]],
        "ready": True,
    }
    return listed, sum(path.stat().st_size for path in target.iterdir())


def graph_file(signature: dict[str, Any]) -> str:
    """Return the file of the graph that takes a signature's inputs."""
    return "+".join(sorted(signature["inputs"])) + ".onnx"


def _beginning(extra: Path, manifest: dict[str, Any]) -> list[float]:
    """The state of a text before its first character."""
    file = extra / "onnx" / graph_file(manifest["signatures"]["prefill"])
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    ids = np.zeros((1, manifest["steps"]), np.int32)
    [state] = session.run(["prefill/state"], {"token_ids": ids, "lengths": np.zeros(1, np.int32)})
    return [float(value) for value in state[0]]


def _card(manifest: dict[str, Any], extra: Path, signatures: dict[str, Any]) -> dict[str, Any]:
    """The answer of /v1/models/NAME/card."""
    card = json.loads((extra / manifest["card"]).read_text())
    return {
        "model": {"name": manifest["name"], "version": manifest["version"]},
        "task": manifest["task"],
        "framework": manifest["framework"],
        "signatures": signatures,
        "max_batch_size": manifest["max_batch_size"],
        **card,
        "engines": dict.fromkeys(signatures, "onnx"),
    }


def _golden(file: Path, signatures: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """One or two golden rows of each signature: where each array lies in the bytes, and the bytes."""
    described: dict[str, Any] = {}
    content = bytearray()
    with np.load(file, allow_pickle=False) as golden:
        for name in signatures:
            arrays = {key: golden[key] for key in golden.files if key.startswith(f"{name}/")}
            described[name] = {"inputs": {}, "outputs": {}}
            for key, rows in _few_rows(arrays).items():
                _, kind, tensor = key.split("/")
                described[name][kind][tensor] = {
                    "dtype": str(rows.dtype),
                    "shape": rows.shape,
                    "offset": len(content),
                }
                content += rows.tobytes()
                content += bytes(-len(content) % 4)  # JavaScript's typed arrays start at multiples
    return described, bytes(content)


def _write_filters(target: Path, file: Path) -> dict[str, Any]:
    """Write the filters of each layer, one file per layer; return their description."""
    with np.load(file, allow_pickle=False) as arrays:
        described: dict[str, Any] = json.loads(str(arrays["about"]))
        for index, (layer, about) in enumerate(described.items()):
            if f"{layer}/kernel" not in arrays:
                continue
            kernel, bias = (arrays[f"{layer}/{kind}"].astype("<f4") for kind in ("kernel", "bias"))
            about |= {"file": f"filter-{index}.bin", "shape": kernel.shape}
            (target / about["file"]).write_bytes(kernel.tobytes() + bias.tobytes())
    return described


def _few_rows(arrays: Arrays) -> Arrays:
    one = sum(array[:1].nbytes for array in arrays.values())
    count = 2 if 2 * one <= MOST_GOLDEN_BYTES else 1
    return {key: np.ascontiguousarray(array[:count]) for key, array in arrays.items()}
