"""Loads ONNX graphs once, before workers are forked, so that they share the memory of the weights.

A session with one thread creates no threads, and its read-only weights remain one copy in all forks.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service.engine import Engine
from service.onnx_engine import GRAPHS, OnnxEngine
from service.runtime.engines import Choice, Steps, onnx_signatures
from service.runtime.manifest import ManifestError, read_manifest
from service.runtime.models_folder import find_models
from service.runtime.serving_config import ServingConfigError
from service.runtime.serving_files import ServingFiles
from service.runtime.version_files import check_files

LOADERS = 2
Key = tuple[tuple[str, int, int, int, int], ...]  # for each graph: path, inode, size, two times


class PreloadedEngines:
    """The engines of versions that are served at the start; each is used once per process."""

    def __init__(self) -> None:
        self._engines: dict[Key, Engine] = {}

    def preload(self, models: Path, files: ServingFiles, choice: Choice) -> None:
        """Load the served versions; failures are left to the workers to report. Leaves no thread running."""
        with ThreadPoolExecutor(LOADERS) as pool:
            for _ in pool.map(lambda one: self._load_quietly(one, choice), _served(models, files)):
                pass

    def load(self, directory: Path, signatures: Steps) -> Engine:
        """The engine loaded from the same files before the fork, otherwise a new one."""
        key = _key(directory, signatures)
        return self._engines.pop(key, None) or OnnxEngine(directory, signatures)

    def _load_quietly(self, directory: Path, choice: Choice) -> None:
        try:
            manifest = read_manifest(directory)
            check_files(directory, manifest)
            if signatures := onnx_signatures(directory, manifest, choice):
                key = _key(directory, signatures)
                self._engines[key] = OnnxEngine(directory, signatures)
        except Exception:  # noqa: BLE001, S110 - the worker tries again, and reports it
            pass


def _served(models: Path, files: ServingFiles) -> Iterator[Path]:
    for name, versions in (find_models(models) or {}).items():
        found = {number: one for number, one in (versions or {}).items() if not one.problem}
        try:
            wanted = files.read(name).wanted(found, lambda _: False)
        except (ServingConfigError, ManifestError):
            continue
        yield from (found[number].directory for number in wanted)


def _key(directory: Path, signatures: Steps) -> Key:
    graphs = sorted({step.file for steps in signatures.values() for step in steps})
    found = []
    for path in (directory / GRAPHS / graph for graph in graphs):
        if not path.is_file():
            return ()
        status = os.stat(path)  # noqa: PTH116 - all fields of one moment
        times = status.st_mtime_ns, status.st_ctime_ns
        found.append((str(path), status.st_ino, status.st_size, *times))
    return tuple(found)
