"""Storage of the serving configurations: read on every check of the models folder, written atomically."""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from service.errors import PreconditionFailed, ReadOnly
from service.runtime.serving_config import (
    DEFAULT,
    MAX_BYTES,
    ServingConfig,
    ServingConfigError,
    parse_config,
)


class ServingFiles:
    """`<models>/<name>/serving.json`, or `<serving_dir>/<name>.json` if that folder is set."""

    def __init__(self, models: Path, serving_dir: Path | None) -> None:
        self._models = models
        self._serving_dir = serving_dir

    def path(self, name: str) -> Path:
        """The configuration file of one model."""
        if self._serving_dir:
            return self._serving_dir / f"{name}.json"
        return self._models / name / "serving.json"

    def read(self, name: str) -> ServingConfig:
        """Read the configuration; the default without a file; ServingConfigError if it is invalid."""
        try:
            text = _read_regular_file(self.path(name))
        except FileNotFoundError:
            return DEFAULT
        except OSError as error:
            raise ServingConfigError(f"the file cannot be read: {error.strerror}") from None
        return parse_config(text)

    def write(self, name: str, config: ServingConfig, if_match: str | None) -> None:
        """Replace the file, if its configuration has the ETag `if_match`.

        Raises:
            PreconditionFailed: the file has changed.
            ReadOnly: the file cannot be written.
        """
        path = self.path(name)
        setting = "VITRINE_SERVING_DIR" if self._serving_dir else "VITRINE_MODELS"
        try:
            path.parent.mkdir(exist_ok=True)  # a model whose folder is gone is still served
            with _locked(path.parent):
                self.check(name, if_match)
                _replace(path, config.encode())
        except OSError:
            raise ReadOnly(
                f"{path} must be writable to change the served versions: change its permissions, or set "
                f"{'another ' if self._serving_dir else ''}VITRINE_SERVING_DIR (now from {setting})"
            ) from None

    def check(self, name: str, if_match: str | None) -> None:
        """Raise PreconditionFailed if the file's configuration does not have the ETag `if_match`."""
        if if_match is None:
            return
        try:
            current = self.read(name).etag
        except ServingConfigError:
            current = None
        given = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
        if current not in given and not (if_match.strip() == "*" and current):
            raise PreconditionFailed(
                f"If-Match must be the ETag of the current configuration, {current}, got {if_match[:80]}: "
                "read it again"
            )


def _read_regular_file(path: Path) -> bytes:
    """Read a file; OSError for a FIFO or device, which could block for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(MAX_BYTES + 1)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Allow one writer at a time, in any process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    """Replace the file atomically."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".serving-", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
