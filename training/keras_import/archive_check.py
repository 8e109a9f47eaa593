"""Checks a `.keras` or `.h5` file before Keras opens it: it must contain no code and no decompression bomb.

Keras' own safe mode applies afterwards. This check explains errors in words, and lists what is allowed
instead of what is forbidden.
"""

import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from training.keras_import import keras2

ENTRIES = ("config.json", "metadata.json", "model.weights.h5")
LARGEST_CONFIG = (
    64 << 20
)  # bytes of the description; the largest of keras.applications has under one
LARGEST_EXPANSION = 100  # times; Keras compresses nothing
SMALL = 64 << 20  # bytes that may expand as they like
# Where a network's parts may come from; `keras.src` is how some versions name the same modules.
MODULES = (
    "keras", "keras.activations", "keras.constraints", "keras.dtype_policies", "keras.initializers",
    "keras.layers", "keras.models", "keras.ops", "keras.quantizers", "keras.regularizers",
    "keras.src.activations", "keras.src.applications", "keras.src.constraints", "keras.src.dtype_policies",
    "keras.src.initializers", "keras.src.layers", "keras.src.models", "keras.src.ops",
    "keras.src.quantizers", "keras.src.regularizers",
)  # fmt: skip
CODE = {  # parts of Keras that run code which a file names
    "Lambda", "__lambda__", "__typespec__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer",
}  # fmt: skip
LOOKUPS = {"StringLookup", "IntegerLookup", "TextVectorization"}  # a vocabulary may name a file

UNREADABLE = (  # what a damaged, encrypted or oddly packed archive, or its JSON, makes Python raise
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, UnicodeDecodeError,
    json.JSONDecodeError,
)  # fmt: skip


def check_archive(path: Path) -> None:
    """Refuse a `.keras` file that is no archive of Keras, swells up or names foreign code; ValueError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(path, archive)
            config = keras2.modernize(json.loads(archive.read("config.json")))
    except UNREADABLE:
        raise ValueError(
            f"{path} is damaged or not a .keras file: it must be written by model.save('….keras')"
        ) from None
    if not isinstance(config, dict):
        raise ValueError(
            f"{path} must describe a network in config.json, got {type(config).__name__}"
        )
    check_config(path, {k: v for k, v in config.items() if k != "compile_config"})


def _check_entries(path: Path, archive: zipfile.ZipFile) -> None:
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    missing = [name for name in ENTRIES if name not in sizes]
    if missing:
        raise ValueError(
            f"{path} must be a .keras file, got an archive without {' and '.join(missing)}"
        )
    if len(sizes) != len(archive.infolist()):
        raise ValueError(
            f"{path} must hold one file of each name, got two; Keras never writes that"
        )
    if sizes["config.json"] > LARGEST_CONFIG:
        raise ValueError(
            f"{path} must have a config.json of at most {LARGEST_CONFIG:,} bytes, got "
            f"{sizes['config.json']:,}"
        )
    unpacked, packed = sum(sizes.values()), path.stat().st_size
    if unpacked > SMALL and unpacked > LARGEST_EXPANSION * packed:
        raise ValueError(
            f"{path} must unpack to at most {LARGEST_EXPANSION} times its size, got {packed:,} bytes "
            f"that unpack to {unpacked:,}; Keras compresses nothing that much"
        )


def check_h5(path: Path) -> None:
    """Refuse an `.h5` file without a network, with links out of it, or that names foreign code."""
    try:
        with h5py.File(path, "r") as file:
            _check_links(path, file)
            config = keras2.modernize(json.loads(file.attrs["model_config"]))
    except KeyError:
        raise ValueError(
            f"{path} must hold a network, got weights alone; save the whole model with model.save"
        ) from None
    except UNREADABLE:
        raise ValueError(
            f"{path} is damaged or not an HDF5 file of Keras: it must be written by model.save('….h5')"
        ) from None
    check_config(path, config)


def _check_links(path: Path, group: Any) -> None:
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{path} must hold {name} itself, got a link to somewhere else")
        entry = group[name]
        if isinstance(entry, h5py.Group):
            _check_links(path, entry)
        elif entry.external or entry.is_virtual:
            raise ValueError(f"{path} must hold {name} itself, got a reference to another file")
        elif entry.nbytes > max(SMALL, LARGEST_EXPANSION * path.stat().st_size):
            raise ValueError(
                f"{path} must unpack to at most {LARGEST_EXPANSION} times its size, got "
                f"{entry.nbytes:,} bytes of {name}"
            )


def check_config(path: Path, config: Any) -> None:
    """Refuse a description of a network with a part that is not Keras' own, or that is code."""
    for part in _parts(config):
        name, module = str(part["class_name"]), part.get("module")
        if name in CODE:
            what = part.get("config")
            called = (
                f" called {what['name']!r}" if isinstance(what, dict) and "name" in what else ""
            )
            raise ValueError(
                f"{path} must have only layers of Keras, got a {name.strip('_')} layer{called}: code inside "
                "a file is never run; use Rescaling, Activation or another layer instead, and save again"
            )
        if name in LOOKUPS and _names_a_file(part.get("config")):
            raise ValueError(
                f"{path} must hold the vocabulary of its {name} layer, got a reference to another file; give "
                "the layer the words themselves, or adapt it, and save again"
            )
        if not _is_of_keras(part, module):
            raise ValueError(
                f"{path} must need no code outside Keras, got {part.get('registered_name') or name} of "
                f"{module or 'your own program'}; export the model with model.export('folder') and import "
                "that folder"
            )


def _names_a_file(config: Any) -> bool:
    """Whether the vocabulary of a lookup layer is a path."""
    return isinstance(config, dict) and isinstance(config.get("vocabulary"), str)


def _is_of_keras(part: dict[str, Any], module: Any) -> bool:
    if part["class_name"] == "function":
        return module in ("builtins", *MODULES) and "." not in str(part.get("config"))
    if str(part["class_name"]).startswith("__"):  # tensors, slices and other plain values
        return True
    if "module" not in part:
        return True  # as .h5 files have it: Keras looks it up among its own
    registered = part.get("registered_name")
    is_registered = registered is not None and registered != part["class_name"]
    return not is_registered and _is_allowed(str(module))


def _is_allowed(module: str) -> bool:
    return module in MODULES or module.startswith(
        tuple(f"{one}." for one in MODULES if one.count(".") == 2 or one == "keras.ops")
    )


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """Every description of an object inside `config`, however deep."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
            if "class_name" in one:
                yield one
        elif isinstance(one, list):
            waiting.extend(one)


CHECKS = {".keras": check_archive, ".h5": check_h5, ".hdf5": check_h5}  # by suffix
