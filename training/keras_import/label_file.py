"""Reads a file of class labels.

One label per line in the model's order, optionally with an index or an identifier; or the JSON of
Keras' `class_indices`. UTF-8, or UTF-16 or UTF-32 with a byte order mark.
"""

import json
import re
from pathlib import Path
from typing import Any

from training.text.encodings import MARKS

LARGEST_BYTES = 10_000_000
_WAY_OUT = "write one label a line, in the order of the model's outputs"
_INDEX = re.compile(r"(\d+)[ \t:.)]+(?=\S)")


def read_labels(path: Path) -> list[tuple[str, str]]:
    """(id, description) of each class; a line is `description`, or `id<TAB>description`.

    Raises:
        ValueError: the file is no text, is CSV or another JSON than a list or `class_indices`, has no
            line, an empty one, or an identifier twice.
    """
    if path.is_file() and path.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"{path} must be a file of labels, got over {LARGEST_BYTES:,} bytes")
    text = _decode(path, path.read_bytes())
    if text.lstrip()[:1] in ("{", "["):
        lines = _from_json(path, text)
    else:
        # At line ends only: a description may hold U+2028 and other separators.
        lines = [line.strip() for line in re.split(r"\r\n|\n|\r", text)]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ValueError(f"{path} must have labels, got an empty file: {_WAY_OUT}")
    _refuse_csv(path, lines)
    lines = _without_marks(lines)
    labels = [_parse(path, number, line) for number, line in enumerate(_without_index(lines), 1)]
    return _unique(path, labels)


def _decode(path: Path, content: bytes) -> str:
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be UTF-8 text, got other bytes: save it as UTF-8") from None
    if "\0" in text:
        raise ValueError(f"{path} must be UTF-8 text, got zero bytes: save it as UTF-8")
    return text


def _from_json(path: Path, text: str) -> list[str]:
    """A list of names, or an object of names and indices either way round."""
    try:
        value: Any = json.loads(text)
    except ValueError:
        raise ValueError(f"{path} must be valid JSON if it begins like JSON: {_WAY_OUT}") from None
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [one.strip() for one in value]
    names = _by_index(value) if isinstance(value, dict) else None
    if names is None:
        raise ValueError(
            f"{path} must be a list of names or Keras' class_indices if it is JSON, got another "
            f"form: {_WAY_OUT}"
        )
    return names


def _by_index(value: dict[str, Any]) -> list[str] | None:
    """`{"daisy": 0, "rose": 1}`, or `{"0": "daisy"}`, also with the pairs of ImageNet's index."""
    if all(type(index) is int for index in value.values()):
        pairs = {index: name for name, index in value.items()}
    elif all(key.isdigit() for key in value):
        pairs = {int(k): "\t".join(v) if isinstance(v, list) else v for k, v in value.items()}
    else:
        return None
    if sorted(pairs) != list(range(len(value))):
        return None
    names = [pairs[index] for index in range(len(pairs))]
    return names if all(isinstance(name, str) for name in names) else None


def _refuse_csv(path: Path, lines: list[str]) -> None:
    """Comma-separated columns: every line with the same number of commas, a number or a header first."""
    columns = [line.count(",") + line.count(";") for line in lines]
    if len(lines) < 2 or columns[0] == 0 or len(set(columns)) > 1:
        return
    second = [re.split("[,;]", line) for line in lines[1:]]
    if any(
        all(cell.strip().strip('"').isdigit() for cell in column)
        for column in zip(*second, strict=True)
    ):
        raise ValueError(f"{path} must not be CSV, got {lines[0]!r}: {_WAY_OUT}")


def _without_marks(lines: list[str]) -> list[str]:
    """Without the quotes around every line, or the dash of a list before every one."""
    for form in (r'"(.+)"', r"'(.+)'", r"-\s+(.+)"):
        matches = [match for line in lines if (match := re.fullmatch(form, line))]
        if len(matches) == len(lines):
            return [match[1] for match in matches]
    return lines


def _without_index(lines: list[str]) -> list[str]:
    """In the order of a number at the beginning of each line, and without it, if they count from 0 or from 1."""
    matches = [match for line in lines if (match := _INDEX.match(line))]
    numbers = [int(match[1]) for match in matches]
    if len(numbers) < len(lines) or len(lines) < 2:
        return lines
    # From 1 they count only in order: "2 euros" may come before "1 euro".
    if sorted(numbers) != list(range(len(lines))) and numbers != list(range(1, len(lines) + 1)):
        return lines
    rests = [match.string[match.end() :] for match in sorted(matches, key=lambda one: int(one[1]))]
    return rests if len(set(rests)) == len(rests) else lines  # "1 cent", "2 cent"


def _parse(path: Path, number: int, line: str) -> tuple[str, str]:
    identifier, _, description = (part.strip() for part in line.partition("\t"))
    if not identifier:
        raise ValueError(f"{path} must have a label on each line, got an empty line {number}")
    return identifier, description or identifier


def _unique(path: Path, labels: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Labels with different identifiers; two classes may have the same description."""
    first: dict[str, int] = {}
    for number, (identifier, description) in enumerate(labels, 1):
        if identifier in first:
            raise ValueError(
                f"{path} must have different labels, got {identifier!r} on line {first[identifier]} and on "
                f"line {number}; give each class its own, as in {identifier}-{number}<TAB>{description}"
            )
        first[identifier] = number
    return labels
