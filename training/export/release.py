"""The release of a training: weights in half precision and the model card, in one folder.

`training/released/<name>/` has the releases in git, `<workdir>/release/` those of a user's trainings.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

WEIGHTS, CARD = "weights.npz", "card.json"
CALIBRATION = "calibration/"  # prefix, in the weights file, of arrays that are not variables
RELEASED = Path(__file__).parents[1] / "released"
NAMES = tuple(sorted(card.parent.name for card in RELEASED.glob(f"*/{CARD}")))
ONLY_BY_NAME = frozenset({"digits-large"})  # only exported by name; it is the teacher of digits
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # what the service accepts


def usual_names() -> list[str]:
    """The models that are exported by default."""
    return [name for name in NAMES if name not in ONLY_BY_NAME]


class Release(NamedTuple):
    """The content of a release folder."""

    folder: Path
    card: dict[str, Any]
    digest: str  # sha256 of the weights file; without one, of the card


def check_name(name: str) -> str:
    """Return a valid model name; ValueError for others."""
    if not MODEL_NAME.fullmatch(name):
        raise ValueError(
            f"--name must be at most 64 letters, digits, '.', '_' and '-', got {name!r}"
        )
    return name


def round_weights(model: Any) -> None:
    """Round the weights to half precision, so that the evaluated model is the released one."""
    for variable in learned(model):
        variable.assign(variable.numpy().astype(np.float16).astype(np.float32))


def learned(model: Any) -> list[Any]:
    """All variables except those of frozen layers, which `build_model` sets."""
    frozen = {id(v) for layer in model.layers if not layer.trainable for v in layer.variables}
    return [variable for variable in model.weights if id(variable) not in frozen]


def write(
    folder: Path, model: Any, card: dict[str, Any], fitted: Mapping[str, np.ndarray]
) -> Release:
    """Write the weights (float16, compressed, by variable path) and the card.

    fitted: arrays of the calibration, too large for the card; stored unchanged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {v.path: v.numpy().astype(np.float16) for v in learned(model)}
    arrays |= {CALIBRATION + name: array for name, array in fitted.items()}
    np.savez_compressed(folder / WEIGHTS, allow_pickle=False, **arrays)
    return write_card(folder, card)


def write_card(folder: Path, card: dict[str, Any]) -> Release:
    """Write a card; alone, it is of a network that is built with its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return read(folder)


def annotate(card: Path, more: Mapping[str, Any]) -> None:
    """Add sections to a card that is already written; the weights stay as they are."""
    write_card(card.parent, json.loads(card.read_text()) | more)


def read(folder: Path) -> Release:
    """Read card and digest; the weights stay on disk. A pretrained network has only a card."""
    card = json.loads((folder / CARD).read_text())
    identity = folder / WEIGHTS if (folder / WEIGHTS).is_file() else folder / CARD
    digest = hashlib.sha256(identity.read_bytes()).hexdigest()
    return Release(folder, card, f"sha256:{digest}")


def load_weights(release: Release, model: Any) -> None:
    """Load the release's weights into `model` by name; a different shape is an error.

    Without a weights file the model was built with its weights and is not changed.
    """
    if not (release.folder / WEIGHTS).is_file():
        return
    with np.load(release.folder / WEIGHTS, allow_pickle=False) as arrays:
        for variable in learned(model):
            array = arrays[variable.path]
            if array.shape != tuple(variable.shape):
                raise ValueError(f"{variable.path}: {array.shape} released, {variable.shape} built")
            variable.assign(array.astype(np.float32))


def read_calibration(release: Release) -> dict[str, Any]:
    """The calibration: the card's values and the file's arrays."""
    if not (release.folder / WEIGHTS).is_file():
        return dict(release.card["calibration"])
    with np.load(release.folder / WEIGHTS, allow_pickle=False) as arrays:
        fitted = {k: arrays[k] for k in arrays.files if k.startswith(CALIBRATION)}
    named = {name.removeprefix(CALIBRATION): array for name, array in fitted.items()}
    return release.card["calibration"] | named


def choose(folders: list[Path], target: Path) -> Release:
    """Copy to `target` the best of several trainings of one recipe by *validation* accuracy.

    Its card gets `seeds`, the results of each training, to show the variance between seeds.
    """
    found = [read(folder) for folder in folders]
    if len({release.card["job"] for release in found}) != 1:
        raise ValueError("the trainings must be of one job, got several")
    if len({release.card["configuration"]["seed"] for release in found}) != len(found):
        raise ValueError("the trainings must have different seeds, got the same twice")
    best = max(found, key=lambda release: release.card["metrics"]["validation_accuracy"]["value"])
    seeds = [
        {"seed": release.card["configuration"]["seed"], **_scalars(release.card["metrics"])}
        for release in found
    ]
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(best.folder / WEIGHTS, target / WEIGHTS)
    return write_card(target, best.card | {"seeds": seeds})


def _scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that are one number each, without intervals."""
    numbers = {k: v["value"] if isinstance(v, dict) else v for k, v in metrics.items()}
    return {k: v for k, v in numbers.items() if isinstance(v, float)}


def is_exported(release: Release, models: Path, name: str) -> bool:
    """True if `name` already has this release, or any version that a user trained."""
    manifests = [_read_manifest(path) for path in exported_versions(models / name)]
    return any(m.get("origin") != "released" or m["release"] == release.digest for m in manifests)


def exported_versions(folder: Path) -> list[Path]:
    """Version directories below `models/<name>`, oldest first."""
    found = [p for p in folder.glob("*") if re.fullmatch(r"[0-9]{1,18}", p.name, re.ASCII)]
    return sorted(found, key=lambda path: int(path.name))


def _read_manifest(version: Path) -> dict[str, Any]:
    path = version / "assets.extra" / "manifest.json"
    return json.loads(path.read_text()) if path.is_file() else {}
