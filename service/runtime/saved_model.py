"""The content of `saved_model.pb`: its signatures and its operations. Does not need TensorFlow.

`python -m service.runtime.saved_model DIRECTORY [OPERATION …]` prints the operations that are not allowed, and exits with 1.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from service.codecs.tensor_types import BY_NAME
from service.codecs.wire_format import WireError, entries, integer, messages, text
from service.runtime.manifest import Manifest, ManifestError
from service.runtime.operations import ALLOWED
from service.runtime.signature import SignatureSpec

MAX_BATCH_SIZE = 64
INIT_OP = "__saved_model_init_op"
# Functions for checkpoints, which TensorFlow adds to every SavedModel and never calls.
SAVER = re.compile(r"__inference__traced_(save|restore)_\d+")
SAVER_OPERATIONS = {
    "SaveV2",
    "RestoreV2",
    "MergeV2Checkpoints",
    "ShardedFilename",
    "AssignVariableOp",
}
TYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string", 9: "int64",
    10: "bool", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip


def forbidden_operations(directory: Path, allowed: Iterable[str] = ()) -> list[str]:
    """The model's operations that are not allowed; `allowed` lists additional allowed ones.

    Raises ManifestError if the graph cannot be read, or has assets outside its directory.
    """
    graph = _read(directory)
    try:
        _check_assets(graph)
        functions = _functions(graph)
        callable_names = {name for objects in messages(graph, 7) for name in entries(objects, 2)}
        known = ALLOWED.union(allowed)
        found = set[str]()
        savers = {
            name for name in functions if SAVER.fullmatch(name) and name not in callable_names
        }
        for name, function in functions.items():
            more = SAVER_OPERATIONS if name in savers else set()
            nodes = messages(function, 3)
            found |= {text(node, 2) for node in nodes} - known - more - set(functions)
            if any(saver.encode() in bytes(node) for saver in savers for node in nodes):
                found.add("SaveV2")
    except WireError as error:
        raise ManifestError(f"saved_model.pb must be a SavedModel, got {error}") from None
    return sorted(found)


def check_operations(directory: Path, allowed: Iterable[str] = ()) -> None:
    """Raise ManifestError with the names of operations that are not allowed."""
    if forbidden := forbidden_operations(directory, allowed):
        raise ManifestError(
            f"the model must use allowed operations, got {', '.join(forbidden[:8])}; "
            "VITRINE_ALLOWED_OPERATIONS allows more by name"
        )


def describe(directory: Path) -> Manifest:
    """A manifest for a SavedModel without one: task `tensors`, with its own signatures.

    A signature whose tensors all have a free first dimension is batched; others run one request at a time.
    """
    try:
        signatures = _signatures(_read(directory))
    except WireError as error:
        raise ManifestError(f"saved_model.pb must be a SavedModel, got {error}") from None
    if not signatures:
        raise ManifestError(
            "the model must have a signature whose inputs and outputs are dense tensors of "
            f"{', '.join(TYPES.values())}, got none: cast outputs of other types in the graph"
        )
    alone = [name for name, spec in signatures.items() if not spec.is_batched]
    return Manifest(
        name=directory.parent.name,
        version=int(directory.name),
        task="tensors",
        signatures=signatures,
        steps=1,
        max_batch_size=MAX_BATCH_SIZE,
        batch_limits=dict.fromkeys(alone, 1),
    )


def _read(directory: Path) -> memoryview:
    """The graph tagged `serve`, a MetaGraphDef."""
    try:
        data = memoryview((directory / "saved_model.pb").read_bytes())
        graphs = messages(data, 2)
        for graph in graphs:
            tags = [bytes(tag) for info in messages(graph, 1) for tag in messages(info, 4)]
            if b"serve" in tags and messages(graph, 7):
                return graph
    except OSError:
        raise ManifestError("saved_model.pb cannot be read") from None
    except WireError as error:
        raise ManifestError(f"saved_model.pb must be a SavedModel, got {error}") from None
    raise ManifestError(
        "saved_model.pb must contain a serving graph written by TensorFlow 2, got none"
    )


def _check_assets(graph: memoryview) -> None:
    for asset in messages(graph, 6):
        name = text(asset, 2)
        if "/" in name or "\\" in name or name in ("", ".", ".."):
            raise ManifestError(
                "an asset of the model must be in its folder assets, got another path"
            )


def _functions(graph: memoryview) -> dict[str, memoryview]:
    """Function name → FunctionDef."""
    return {
        text(signature, 1): function
        for definition in messages(graph, 2)
        for library in messages(definition, 2)
        for function in messages(library, 1)
        for signature in messages(function, 1)[:1]
    }


def _signatures(graph: memoryview) -> dict[str, SignatureSpec]:
    found = {}
    for name, signature in sorted(entries(graph, 5).items()):
        inputs = {key: _tensor(info) for key, info in sorted(entries(signature, 1).items())}
        outputs = {key: _tensor(info) for key, info in sorted(entries(signature, 2).items())}
        if name != INIT_OP and inputs and outputs and all([*inputs.values(), *outputs.values()]):
            found[name] = SignatureSpec(inputs=inputs, outputs=outputs)
    return found


def _tensor(info: memoryview) -> str:
    """A tensor such as `float32 [B,10]`; empty if no protocol can send it."""
    dtype = TYPES.get(integer(info, 2), "")
    if dtype not in BY_NAME or not messages(info, 3):
        return ""
    shape = messages(info, 3)[-1]
    if integer(shape, 3):
        return ""
    sizes = [integer(one, 1) for one in messages(shape, 2)]
    free = ["B", *["N"] * len(sizes)]
    return f"{dtype} [{','.join(free[i] if n < 0 else str(n) for i, n in enumerate(sizes))}]"


def main(arguments: list[str]) -> int:
    """Print all operations that are not allowed."""
    try:
        forbidden = forbidden_operations(Path(arguments[0]), arguments[1:])
    except ManifestError as error:
        print(error)
        return 1
    print(*forbidden, sep="\n", end="\n" if forbidden else "")
    return 1 if forbidden else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
