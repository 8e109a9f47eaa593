"""Scans the models folder: the version directories, and whether their files can be used.

It opens no file, so a FIFO or a device cannot block it. Links to places outside the folder are ignored.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
VERSION = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
GRAPH, MANIFEST = "saved_model.pb", "assets.extra/manifest.json"
MAX_FILES = 10_000

Fingerprint = tuple[tuple[str, int, int, int], ...]


class FoundVersion(NamedTuple):
    """One version directory; problem: why it cannot be loaded, empty if none was found yet."""

    directory: Path
    fingerprint: Fingerprint = ()
    problem: str = ""
    has_manifest: bool = False


FoundModels = dict[str, dict[int, FoundVersion] | None]  # None: the folder exists but is unreadable


def find_models(root: Path) -> FoundModels | None:
    """All `<name>/<version>` directories in `root`; None if `root` itself is unreachable."""
    try:
        real_root = root.resolve(strict=True)
        folders = [path for path in root.iterdir() if NAME.fullmatch(path.name)]
    except OSError:
        return None
    return {
        folder.name: _find_versions(folder, real_root)
        for folder in folders
        if _is_inside(folder, real_root) and folder.is_dir()
    }


def _find_versions(folder: Path, root: Path) -> dict[int, FoundVersion] | None:
    try:
        directories = [path for path in folder.iterdir() if VERSION.fullmatch(path.name)]
    except OSError:
        return None
    return {
        int(directory.name): _look_at(directory, root)
        for directory in directories
        if _is_inside(directory, root) and directory.is_dir()
    }


def _look_at(directory: Path, root: Path) -> FoundVersion:
    files: list[tuple[str, int, int, int]] = []
    problem = ""
    for path, status in _walk(directory, root):
        name = path.relative_to(directory).as_posix()
        if status is None:
            problem = problem or "a folder of it cannot be read"
        elif not stat.S_ISREG(status.st_mode):
            problem = problem or f"{name} must be a regular file"
        else:
            files.append((name, status.st_size, status.st_mtime_ns, status.st_ino))
    names = {name for name, *_ in files}
    if GRAPH not in names:
        problem = problem or f"{GRAPH} is missing"
    return FoundVersion(directory, tuple(sorted(files)), problem, MANIFEST in names)


def _walk(directory: Path, root: Path) -> Iterator[tuple[Path, os.stat_result | None]]:
    """All files in a directory, recursively; None instead of a status if it cannot be read."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)[:MAX_FILES]
    except OSError:
        yield directory, None
        return
    for entry in entries:
        path = Path(entry.path)
        try:
            if not _is_inside(path, root):
                continue
            status = entry.stat()
        except OSError:
            continue  # it was removed meanwhile: the next scan differs
        if not stat.S_ISDIR(status.st_mode):
            yield path, status
        elif not entry.is_symlink():
            yield from _walk(path, root)


def _is_inside(path: Path, root: Path) -> bool:
    """Whether a path is inside `root` after resolving links."""
    try:
        return not path.is_symlink() or path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False
