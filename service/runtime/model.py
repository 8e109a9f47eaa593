"""One loaded version: named arrays in, named arrays out, padded to the batch sizes that are warm.

Knows no labels, no HTTP and no framework.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from service.codecs.tensor_types import TensorSpec
from service.engine import Arrays, Engine, LoadEngine
from service.runtime.manifest import (
    EXTRA,
    Manifest,
    ManifestError,
    check_files,
    parse_tensor,
    read_card,
    read_manifest,
)


class GoldenError(Exception):
    """A model does not give here what it gave where it was exported."""


class Model:
    """A version that can run. Not thread-safe: its owner calls it from one thread."""

    def __init__(self, manifest: Manifest, engine: Engine, card: dict[str, Any]) -> None:
        self.manifest = manifest
        self.card = card
        self._engine = engine
        self.batch_sizes = sorted(manifest.batch_sizes) or _batch_sizes(manifest.max_batch_size)

    def run(self, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Run a signature on `inputs` [B, …], B up to its batch limit; outputs have the same B.

        The batch is padded with zeros to the next warm size, so that no new shape is ever compiled.
        """
        rows = len(next(iter(inputs.values())))
        size = next(size for size in self._sizes(signature) if size >= rows)
        if size == rows:
            return self._engine.run(signature, inputs)
        padded = {name: _pad(array, size) for name, array in inputs.items()}
        outputs = self._engine.run(signature, padded)
        return {name: array[:rows] for name, array in outputs.items()}

    def warm_up(self) -> None:
        """Run every signature once at every batch size it will be run at."""
        for name, signature in self.manifest.signatures.items():
            specs = {key: parse_tensor(text) for key, text in signature.inputs.items()}
            for size in self._sizes(name):
                self.run(name, {key: self._zeros(spec, size) for key, spec in specs.items()})

    def _sizes(self, signature: str) -> list[int]:
        """The batch sizes that the signature is run at, the largest last."""
        limit = self.manifest.batch_limit(signature)
        return [*(size for size in self.batch_sizes if size < limit), limit]

    def check_golden(self, directory: Path) -> None:
        """Compare golden outputs, within the manifest's tolerance (absolute; for floats also relative)."""
        with np.load(directory / EXTRA / "golden.npz", allow_pickle=False) as golden:
            arrays = dict(golden.items())
        for signature in self.manifest.signatures:
            inputs = _below(arrays, f"{signature}/inputs/")
            expected = _below(arrays, f"{signature}/outputs/")
            if not inputs or not expected:
                raise GoldenError(f"golden.npz holds nothing for the signature {signature}")
            outputs = self.run(signature, inputs)
            for name, array in expected.items():
                self._compare(f"{signature}.{name}", outputs[name], array)

    def _zeros(self, spec: TensorSpec, rows: int) -> np.ndarray:
        """An input of that many rows; a size that is free otherwise is the manifest's `steps`."""
        free = self.manifest.steps
        return np.zeros((rows, *(free if n is None else n for n in spec.shape[1:])), spec.dtype)

    def _compare(self, where: str, found: np.ndarray, expected: np.ndarray) -> None:
        tolerance = self.manifest.tolerance.get(where.rpartition(".")[2], 1e-4)
        if found.shape != expected.shape:
            raise GoldenError(f"{where} has shape {found.shape}, golden is {expected.shape}")
        # Relative to a grey of 255, a tolerance of one grey would let every picture pass.
        relative = 0.0 if np.issubdtype(expected.dtype, np.integer) else tolerance
        if not np.allclose(found, expected, rtol=relative, atol=tolerance):
            worst = float(np.abs(found.astype(np.float64) - expected).max())
            raise GoldenError(f"{where} differs from golden by {worst:.2g}, allowed {tolerance:g}")


def load_model(
    directory: Path, load_engine: LoadEngine, report: Callable[[str], None] = lambda _: None
) -> Model:
    """Read, verify, load, warm up and check one version directory; any failure is an exception."""
    manifest = read_manifest(directory)
    check_files(directory, manifest)
    model = Model(manifest, load_engine(directory), read_card(directory, manifest))
    report("warm-up")
    model.warm_up()
    report("golden check")
    try:
        model.check_golden(directory)
    except (OSError, KeyError) as error:
        raise ManifestError(f"golden.npz cannot be used: {error}") from None
    return model


def _batch_sizes(largest: int) -> list[int]:
    """Powers of two up to `largest`, and `largest` itself."""
    return sorted({*(2**n for n in range(largest.bit_length()) if 2**n <= largest), largest})


def _pad(array: np.ndarray, size: int) -> np.ndarray:
    padded = np.zeros((size, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def _below(arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
