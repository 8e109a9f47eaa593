"""The names of a classifier's classes, as a person writes them down: one a line, in the model's order."""

from pathlib import Path

LARGEST_BYTES = 10_000_000


def read_labels(path: Path) -> list[tuple[str, str]]:
    """(id, description) of each class; a line is `description`, or `id<TAB>description`.

    Raises:
        ValueError: the file is no text, has no line, has an empty one or one that is there twice.
    """
    if path.is_file() and path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{path} has over {LARGEST_BYTES:,} bytes: is it a file of labels?")
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no UTF-8 text; write one label a line") from None
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ValueError(f"{path} is empty; write one label a line, in the order of the classes")
    labels = [_parse(path, number, line) for number, line in enumerate(lines, 1)]
    _check_unique(path, [identifier for identifier, _ in labels])
    return labels


def _parse(path: Path, number: int, line: str) -> tuple[str, str]:
    identifier, _, description = (part.strip() for part in line.partition("\t"))
    if not identifier:
        raise ValueError(f"{path}: line {number} is empty; each class needs a label")
    return identifier, description or identifier


def _check_unique(path: Path, identifiers: list[str]) -> None:
    first: dict[str, int] = {}
    for number, identifier in enumerate(identifiers, 1):
        if identifier in first:
            raise ValueError(
                f"{path}: {identifier!r} is on line {first[identifier]} and again on line {number}; "
                "every label must be different"
            )
        first[identifier] = number
