"""The files of a version beside its manifest: their digests, and the model card."""

import hashlib
import json
from pathlib import Path
from typing import Any

from service.runtime.manifest import EXTRA, Manifest, ManifestError


def check_files(directory: Path, manifest: Manifest) -> None:
    """Compare every listed file with its digest, so that a half-copied version is never loaded."""
    root = directory.resolve()
    for name, expected in manifest.files.items():
        path = (directory / name).resolve()
        if not path.is_relative_to(root):
            raise ManifestError(f"{name!r} leaves the version directory")
        try:
            found = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            raise ManifestError(f"{name} is missing") from None
        if found != expected:
            raise ManifestError(f"{name} does not match the manifest: its sha256 differs")


def read_card(directory: Path, manifest: Manifest) -> dict[str, Any]:
    """The model card, or an empty one."""
    if not manifest.card:
        return {}
    path = (directory / EXTRA / manifest.card).resolve()
    if not path.is_relative_to(directory.resolve()):
        raise ManifestError(f"the card {manifest.card!r} leaves the version directory")
    try:
        card = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ManifestError(f"the card {manifest.card} cannot be read: {error}") from None
    return card if isinstance(card, dict) else {}
