"""Golden outputs: a model must reproduce here its outputs at export."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from service.engine import Arrays
from service.runtime.manifest import EXTRA, ManifestError

Run = Callable[[str, Arrays], Mapping[str, np.ndarray]]


class GoldenError(Exception):
    """A model does not reproduce its outputs at export."""


def read_golden(directory: Path) -> dict[str, np.ndarray]:
    """The arrays of a version's golden.npz: `<signature>/inputs/<name>` and `…/outputs/…`."""
    try:
        with np.load(directory / EXTRA / "golden.npz", allow_pickle=False) as golden:
            return dict(golden.items())
    except (OSError, ValueError) as error:
        raise ManifestError(f"golden.npz cannot be used: {error}") from None


def check_golden(run: Run, signature: str, golden: Arrays, tolerances: Mapping[str, float]) -> None:
    """Run a signature on its golden inputs, and compare.

    tolerances: of each output, absolute, for floats also relative; 1e-4 where none is given.
    """
    inputs = _below(golden, f"{signature}/inputs/")
    expected = _below(golden, f"{signature}/outputs/")
    if not inputs or not expected:
        raise GoldenError(f"golden.npz has no inputs for the signature {signature}")
    outputs = run(signature, inputs)
    for name, array in expected.items():
        if name not in outputs:
            raise GoldenError(f"{signature} has no output {name}, but golden.npz has")
        _compare(f"{signature}.{name}", outputs[name], array, tolerances.get(name, 1e-4))


def _compare(where: str, found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    if found.shape != expected.shape:
        raise GoldenError(f"{where} has shape {found.shape}, golden is {expected.shape}")
    # Relative to a grey of 255, a tolerance of one grey would let every image pass.
    relative = 0.0 if np.issubdtype(expected.dtype, np.integer) else tolerance
    if not np.allclose(found, expected, rtol=relative, atol=tolerance):
        worst = float(np.abs(found.astype(np.float64) - expected).max())
        raise GoldenError(f"{where} differs from golden by {worst:.2g}, allowed {tolerance:g}")


def _below(arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
