"""Rewrites files of Keras 2, such as those of Teachable Machine, so that Keras 3 loads them."""

import contextlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

_MODULES = {  # of Keras 2 → of Keras 3
    "keras.src.engine.functional": "keras.src.models.functional",
    "keras.src.engine.sequential": "keras.src.models.sequential",
    "keras.engine.functional": "keras.src.models.functional",
    "keras.engine.sequential": "keras.src.models.sequential",
    "keras.src.engine.training": "keras.src.models.model",
}
# Written by some versions for layers that never took them; dropped where they say nothing.
_EMPTY = {"groups": 1}
_WITHOUT_GROUPS = ("DepthwiseConv2D", "DepthwiseConv1D", "SeparableConv2D", "Conv2DTranspose")


def version_of(path: Path) -> str | None:
    """The version of Keras that wrote a `.keras` or `.h5` file; None if it does not say."""
    try:
        if path.suffix.lower() == ".keras":
            with zipfile.ZipFile(path) as archive:
                found = json.loads(archive.read("metadata.json")).get("keras_version")
        else:
            with h5py.File(path, "r") as file:
                found = file.attrs.get("keras_version")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    return None if found is None else str(found)


def modernize(config: Any) -> Any:
    """The description of a network, with modules of Keras 3 and without arguments that say nothing."""
    if isinstance(config, list):
        return [modernize(one) for one in config]
    if not isinstance(config, dict):
        return config
    changed = {key: modernize(value) for key, value in config.items()}
    if changed.get("module") in _MODULES:
        changed["module"] = _MODULES[changed["module"]]
    inner = changed.get("config")
    if changed.get("class_name") in _WITHOUT_GROUPS and isinstance(inner, dict):
        changed["config"] = {k: v for k, v in inner.items() if _EMPTY.get(k) != v}
    return changed


@contextlib.contextmanager
def loadable(path: Path) -> Iterator[Path]:
    """A file that Keras 3 loads: the given one, or a copy with a rewritten description.

    The copy ends in lower case, because Keras accepts no other endings.
    """
    suffix = path.suffix.lower().replace(".hdf5", ".h5")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"model{suffix}"
        rewrite = _rewrite_archive if suffix == ".keras" else _rewrite_h5
        yield copy if rewrite(path, copy) else path


def _rewrite_archive(path: Path, copy: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        changed = modernize(config)
        if changed == config and path.suffix == ".keras":
            return False
        with zipfile.ZipFile(copy, "w") as written:
            for name in archive.namelist():
                content = archive.read(name)
                written.writestr(name, json.dumps(changed) if name == "config.json" else content)
    return True


def _rewrite_h5(path: Path, copy: Path) -> bool:
    with h5py.File(path, "r") as file:
        config = json.loads(file.attrs["model_config"])
    changed = modernize(config)
    if changed == config and path.suffix == ".h5":
        return False
    shutil.copyfile(path, copy)
    with h5py.File(copy, "a") as file:
        file.attrs["model_config"] = json.dumps(changed)
    return True
