"""API keys: those of the settings, and those of a file that is read again when it changes."""

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Iterable
from pathlib import Path

from pydantic import SecretStr

BEARER = re.compile(
    rb"bearer +(\S+) *", re.IGNORECASE
)  # RFC 9110: the scheme's case does not matter
LOOK_SECONDS = 1.0

log = logging.getLogger("vitrine.keys")


class KeyRing:
    """A set of keys, stored as digests.

    file: one key per line; empty lines and lines that begin with # are ignored. While it cannot be
    read, its previous keys remain valid.
    """

    def __init__(self, keys: Iterable[SecretStr], file: Path | None = None) -> None:
        self.is_configured = file is not None
        self._fixed = [digest_of(key.get_secret_value().encode()) for key in keys]
        self.is_configured |= bool(self._fixed)
        self._file = file
        self._from_file: list[bytes] = []
        self._looked_at = -LOOK_SECONDS
        self._stamp: tuple[int, int, int] | None = None
        self._read_again()

    @property
    def count(self) -> int:
        """The number of keys."""
        return len(self._fixed) + len(self._from_file)

    def holds(self, digest: bytes) -> bool:
        """Whether a key with that digest is valid, in constant time."""
        if self._file and time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._read_again()
        known = [*self._fixed, *self._from_file]
        return any([hmac.compare_digest(digest, one) for one in known])

    def _read_again(self) -> None:
        self._looked_at = time.monotonic()
        if self._file is None:
            return
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp:
                return
            lines = [line.strip() for line in self._file.read_bytes().splitlines()]
        except OSError as error:
            log.warning("the file of keys cannot be read", extra={"error": error.strerror})
            return
        self._from_file = [digest_of(one) for one in lines if one and not one.startswith(b"#")]
        self._stamp = stamp
        log.info("keys read", extra={"keys": len(self._from_file)})


def digest_of(key: bytes) -> bytes:
    """SHA-256, so that keys of any length are compared in the same time."""
    return hashlib.sha256(key).digest()


def key_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key of a request: X-API-Key, or a bearer token; empty if there is none."""
    given = dict(headers)
    key = given.get(b"x-api-key")
    if key is None:
        bearer = BEARER.fullmatch(given.get(b"authorization", b""))
        key = bearer[1] if bearer else b""
    return key
