"""Keeps a local copy of a models folder in an object store up to date, by the digests in its manifests."""

import logging
import shutil
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from service.runtime.manifest import EXTRA, ManifestError, read_manifest
from service.runtime.models_folder import NAME, VERSION
from service.runtime.version_files import check_files

MANIFEST = f"{EXTRA}/manifest.json"
SERVING = "serving.json"

log = logging.getLogger("vitrine.mirror")


class ModelMirror:
    """Copies `<url>/<name>/<version>/` into `<folder>/<name>/<version>/`.

    url: of any file system that fsspec knows: s3://bucket/models, gs://…, memory://…, file://…
    A version is downloaded to a temporary folder, compared with the digests of its manifest and moved into place
    in one step, so that a reader sees all of it or nothing. Versions without a manifest are ignored. Any
    number of processes may mirror into the same folder.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._store, root = fsspec.url_to_fs(url)
        self._root = PurePosixPath(root)
        self._folder = folder

    def synchronize(self) -> None:
        """Fetch new and changed versions, remove versions that are no longer in the store."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._store.invalidate_cache()
        names = self._children(self._root, NAME)
        for name in names:
            self._synchronize_model(name)
        for folder in self._folder.glob("*"):
            if NAME.fullmatch(folder.name) and folder.name not in names:
                shutil.rmtree(folder, ignore_errors=True)

    def fetch_version(self, name: str, number: str) -> Path:
        """Download one version; ManifestError if it is incomplete in the store."""
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / name / number
        source = self._root / name / number
        manifest = self._store.cat_file(str(source / MANIFEST))
        files = self._store.find(str(source), detail=True)
        sizes = {_below(path, source): about["size"] for path, about in files.items()}
        if not _is_same(place / MANIFEST, manifest) or sizes != _sizes(place):
            self._download(source, sizes, place)
        return place

    def keep_up(self, seconds: float) -> None:
        """Synchronize periodically, on a daemon thread."""

        def repeat() -> None:
            while True:
                pause.wait(seconds)
                try:
                    self.synchronize()
                except Exception:  # the store is unreachable: local versions continue to be served
                    log.exception("the model store cannot be read")

        pause = threading.Event()
        threading.Thread(target=repeat, name="mirror", daemon=True).start()

    def _synchronize_model(self, name: str) -> None:
        numbers = self._children(self._root / name, VERSION)
        for number in numbers:
            try:
                self.fetch_version(name, number)
            except (FileNotFoundError, ManifestError) as error:  # an upload in progress
                log.warning("not copied", extra={"model": f"{name}/{number}", "error": str(error)})
        for directory in (self._folder / name).glob("*"):
            if VERSION.fullmatch(directory.name) and directory.name not in numbers:
                shutil.rmtree(directory, ignore_errors=True)
        self._copy_serving(name)

    def _copy_serving(self, name: str) -> None:
        local = self._folder / name / SERVING
        try:
            content = self._store.cat_file(str(self._root / name / SERVING))
        except FileNotFoundError:
            local.unlink(missing_ok=True)
            return
        if not _is_same(local, content):
            local.parent.mkdir(parents=True, exist_ok=True)
            new = local.with_name(f".{SERVING}.{threading.get_native_id()}")
            new.write_bytes(content)
            new.replace(local)

    def _download(self, source: PurePosixPath, names: Iterable[str], place: Path) -> None:
        """Copy the files of a version, verify them, and move them into place in one step."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".") as scratch:
            new = Path(scratch) / place.parent.name / place.name
            for name in names:
                target = new / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self._store.cat_file(str(source / name)))
            check_files(new, read_manifest(new))
            if place.exists():
                place.rename(Path(scratch) / "old")
            try:
                new.rename(place)
            except OSError:
                if not place.exists():  # otherwise another process was faster
                    raise
        log.info("copied", extra={"model": f"{place.parent.name}/{place.name}"})

    def _children(self, folder: PurePosixPath, pattern: Any) -> set[str]:
        """Names in a folder of the store that match the pattern."""
        try:
            paths = self._store.ls(str(folder), detail=False)
        except FileNotFoundError:
            return set()
        names = {PurePosixPath(path).name for path in paths}
        return {name for name in names if pattern.fullmatch(name)}


def _below(path: str, folder: PurePosixPath) -> str:
    """A file's name inside a folder of the store; ManifestError if it leads out of it."""
    name = PurePosixPath(path).relative_to(folder)
    if ".." in name.parts:
        raise ManifestError(f"{str(name)!r} leaves the version directory")
    return str(name)


def _sizes(directory: Path) -> dict[str, int]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.stat().st_size for path in files}


def _is_same(file: Path, content: bytes) -> bool:
    try:
        return file.read_bytes() == content
    except OSError:
        return False
