"""Checks a SavedModel against the service's list of allowed operations, before anything is loaded."""

from pathlib import Path

from service.runtime.manifest import ManifestError
from service.runtime.saved_model import forbidden_operations


def check_operations(directory: Path, source: object) -> None:
    """Refuse a SavedModel whose operations do more than compute.

    source: the origin of the directory, for the message.

    Raises:
        ValueError: the service would not load it; names the operations.
    """
    try:
        forbidden = forbidden_operations(directory)
    except ManifestError as error:
        raise ValueError(f"{source} cannot be served: {error}") from None
    if forbidden:
        raise ValueError(
            f"{source} must use operations that only compute, got {', '.join(forbidden[:8])}; the service "
            "would not load it"
        )
