"""The checkpoint of a text training: all changing values in one NumPy file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Groups = Mapping[str, Sequence[Any]]  # name → variables


def save(path: Path, groups: Groups, seen: dict[str, Any], precision: str) -> None:
    """Write variables, history and precision; the file is replaced in one step."""
    arrays = {name: variable.numpy() for name, variable in _named(groups)}
    scratch = path.with_suffix(".tmp.npz")
    np.savez(
        scratch,
        seen=np.array(json.dumps(seen)),
        precision=np.array(precision),
        allow_pickle=False,
        **arrays,
    )
    scratch.replace(path)


def restore(path: Path, groups: Groups, precision: str) -> dict[str, Any]:
    """Assign the variables and return the history; ValueError if it was trained in another precision."""
    with np.load(path, allow_pickle=False) as arrays:
        kept = str(arrays["precision"])
        if kept != precision:
            raise ValueError(
                f"precision must be {kept}, as {path} was trained so far, got {precision}; resume "
                f"with --precision {kept}, or delete the file"
            )
        for name, variable in _named(groups):
            variable.assign(arrays[name])
        seen: dict[str, Any] = json.loads(str(arrays["seen"]))
    return seen


def _named(groups: Groups) -> Iterator[tuple[str, Any]]:
    for group, variables in groups.items():
        for number, variable in enumerate(variables):
            yield f"{group}{number}", variable
