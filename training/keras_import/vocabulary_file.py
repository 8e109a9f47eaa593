"""The characters of a character model in the order of their ids, from its corpus or from a list."""

import json
from pathlib import Path
from typing import Any

from training.keras_import.options import ImportOptions
from training.text import encodings


def read_vocabulary(options: ImportOptions, symbols: int) -> str:
    """The `symbols` characters of a model, from `--vocabulary` or `--corpus`.

    Raises:
        ValueError: neither was given, or the number of characters differs.
    """
    if options.vocabulary is not None:
        return _from_file(options.vocabulary, symbols)
    if options.corpus is not None:
        return _from_corpus(options, symbols)
    raise ValueError(
        "--corpus or --vocabulary must be given for text: the text that the model was trained on, or its "
        "characters in the order of their ids"
    )


def _from_corpus(options: ImportOptions, symbols: int) -> str:
    """The sorted characters of the text, in the variants of Keras' example and its copies."""
    assert options.corpus is not None
    content = options.corpus.read_bytes()
    text, _ = encodings.decode(content, options.encoding, options.corpus.name)
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    variants = [plain, plain.lower(), text, text.lower()]
    variants += [one.replace("\n", " ") for one in (plain, plain.lower())]
    counts = []
    for variant in variants:
        characters = sorted(set(variant))
        if len(characters) == symbols:
            return "".join(characters)
        counts.append(len(characters))
    raise ValueError(
        f"{options.corpus} must have the {symbols} different characters of the model, got {counts[0]} "
        f"({counts[1]} in lower case); give its characters in the order of their ids with --vocabulary"
    )


def _from_file(path: Path, symbols: int) -> str:
    text = path.read_bytes().decode("utf-8-sig")
    for found in _candidates(text):
        if len(found) == symbols and len(set(found)) == symbols and all(len(c) == 1 for c in found):
            return "".join(found)
    raise ValueError(
        f"{path} must hold the {symbols} different characters of the model in the order of their ids: one "
        'after the other, or as JSON, ["\\n", " ", …] or {"a": 0, …}'
    )


def _candidates(text: str) -> list[list[str]]:
    found = [list(text), list(text.removesuffix("\n").removesuffix("\r"))]
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    found.append([_unescaped(line) for line in lines])
    try:
        value: Any = json.loads(text)
    except ValueError:
        return found
    if isinstance(value, dict) and all(type(index) is int for index in value.values()):
        value = [name for name, _ in sorted(value.items(), key=lambda pair: pair[1])]
    elif isinstance(value, dict):
        value = [
            value[key] for key in sorted(value, key=lambda key: int(key) if key.isdigit() else 0)
        ]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        found.insert(0, value)
    return found


def _unescaped(line: str) -> str:
    return {"\\n": "\n", "\\t": "\t", "\\r": "\r", "": "\n"}.get(line, line)
