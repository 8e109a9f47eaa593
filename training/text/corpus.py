"""A training text from a file or a web page in any encoding, as character ids.

The assumed encoding is always reported, because a wrong one would train a useless model without an error.
"""

import dataclasses
import hashlib
import re
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.job import JobConfig
from training.text.encodings import TextError, decode, decode_as
from training.text.html_pages import html_to_text, is_named_html, looks_like_html

TRAIN_SHARE = 0.9  # the first nine tenths are for training, the last tenth for validation
SEED_CHARACTERS = 40  # of the beginning that every text is continued from, as in Keras' example
LEAST_CHARACTERS = 1_000
MOST_SYMBOLS = 512  # a rarer character becomes a space, to limit the size of the output layer
FETCH_SECONDS, MOST_BYTES = 30, 200_000_000


class TextSource(NamedTuple):
    """The location of a text, and its encoding; empty: detect it."""

    place: str
    encoding: str = ""


class _Fetched(NamedTuple):
    content: bytes
    charset: str | None  # as declared with it
    name: str  # without folders or query
    content_type: str  # as declared with it


class TextSplits(NamedTuple):
    """A text as ids, in two splits. By convention, this data set has no test split."""

    train: np.ndarray  # int32 [N]
    validation: np.ndarray  # int32 [M], the rest
    vocabulary: str  # the characters in the order of their ids
    source: str  # source and encoding, for the terminal and the card

    def complete_config(self, config: Any) -> Any:
        """Return `config` with the vocabulary of the text."""
        return dataclasses.replace(config, vocabulary=self.vocabulary)

    def describe(self) -> dict[str, Any]:
        """Return the card's section on the data."""
        return {
            "source": self.source,
            "train": len(self.train),
            "validation": len(self.validation),
            "symbols": len(self.vocabulary),
            "seed": self.text(self.seed),
            "note": "The vocabulary is that of both parts. The validation part also chose the epoch and the temperature.",
        }

    @property
    def seed(self) -> np.ndarray:
        """The prompt of a training's samples, int32 [40]: the start of the validation text."""
        return self.validation[:SEED_CHARACTERS]

    def text(self, ids: np.ndarray) -> str:
        """Return the characters of `ids`."""
        return "".join(self.vocabulary[token] for token in ids)


def load_text(config: JobConfig, source: TextSource | str | None) -> TextSplits:
    """Read the text at a path or an http(s) URL, and split it in two."""
    place, given = source if isinstance(source, TextSource) else (source, "")
    if not place:
        raise TextError("--text must be a file or the address of a web page")
    content, declared, name, content_type = _fetch(place)
    if not content.strip():
        raise TextError(f"{name} is empty")
    text, encoding = decode_as(content, given, name) if given else decode(content, declared, name)
    form = ""
    if is_named_html(name, content_type) or looks_like_html(text):
        text, form = html_to_text(text), ", a web page reduced to its text"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text, vocabulary, note = _limit(text, name)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    ids = encode(text, vocabulary)
    cut = int(len(ids) * TRAIN_SHARE)
    description = f"{name} ({encoding}{form}), {len(text):,} characters, sha256 {digest}{note}"
    return TextSplits(ids[:cut], ids[cut:], vocabulary, description)


def encode(text: str, vocabulary: str) -> np.ndarray:
    """Return the ids, int32 [N], of a text whose every character is in the vocabulary."""
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    known = np.frombuffer(vocabulary.encode("utf-32-le"), np.uint32)  # in ascending order
    return np.searchsorted(known, points).astype(np.int32)


def _fetch(place: str) -> _Fetched:
    if not re.match(r"https?://", place, re.IGNORECASE):
        path = Path(place)
        return _Fetched(path.read_bytes(), None, path.name, "")
    request = urllib.request.Request(place, headers={"User-Agent": "Mozilla/5.0 (vitrine)"})  # noqa: S310 - http(s), see above
    with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:  # noqa: S310
        content = answer.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise TextError(f"{place} is larger than {MOST_BYTES // 10**6} MB")
        declared = answer.headers
        return _Fetched(
            content,
            declared.get_content_charset(),
            place.split("?")[0],
            declared.get_content_type() if "content-type" in declared else "",
        )


def _limit(text: str, name: str) -> tuple[str, str, str]:
    """The text, its vocabulary in code point order, and a description of replacements."""
    if len(text) < LEAST_CHARACTERS:
        raise TextError(
            f"{name} has {len(text):,} characters; at least {LEAST_CHARACTERS:,} are needed, "
            "and a few hundred thousand make a good model"
        )
    counts = Counter(text)
    if len(counts) < 2:
        raise TextError(f"{name} consists of one character, {text[0]!r}: there is nothing to learn")
    kept = {character for character, _ in counts.most_common(MOST_SYMBOLS)}
    if len(kept) == len(counts):
        return text, "".join(sorted(counts)), ""
    kept.add(" ")
    rare = {ord(character): " " for character in counts.keys() - kept}
    lost = sum(counts[chr(point)] for point in rare)
    note = f"; {lost:,} characters of {len(rare):,} rare kinds became spaces"
    return text.translate(rare), "".join(sorted(kept)), note
