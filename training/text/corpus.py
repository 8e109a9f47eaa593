"""A text to learn from: a file or a web page, whatever its encoding, as numbers of characters.

Always says what it assumed, because a wrong encoding trains a model of garbage without an error.
"""

import codecs
import dataclasses
import hashlib
import re
import urllib.request
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.job import JobConfig

TRAIN_SHARE = 0.9  # the first nine tenths are learnt, the last tenth measures
SEED_CHARACTERS = 40  # of the beginning that every text is continued from, as in Keras' example
LEAST_CHARACTERS = 1_000
MOST_SYMBOLS = 512  # a rarer character becomes a space; a head of thousands would learn none
FETCH_SECONDS, MOST_BYTES = 30, 200_000_000
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class TextError(ValueError):
    """A text cannot be learnt from; the message names it and says why."""


class TextSplits(NamedTuple):
    """A text as ids, in its two parts. There is no third: the convention of this data set has none."""

    train: np.ndarray  # int32 [N]
    validation: np.ndarray  # int32 [M], what follows
    vocabulary: str  # the characters in the order of their ids
    source: str  # which text, how it was read; printed, and kept in the card

    def settle(self, config: Any) -> Any:
        """Return `config` with the vocabulary, which only the text can tell."""
        return dataclasses.replace(config, vocabulary=self.vocabulary)

    def describe(self) -> dict[str, Any]:
        """Return the card's section on the data."""
        return {
            "source": self.source,
            "train": len(self.train),
            "validation": len(self.validation),
            "symbols": len(self.vocabulary),
            "seed": self.text(self.seed),
            "note": "The vocabulary is that of both parts. The validation part also chose the epoch.",
        }

    @property
    def seed(self) -> np.ndarray:
        """The ids, int32 [40], that the samples of a training continue: the validation text's first."""
        return self.validation[:SEED_CHARACTERS]

    def text(self, ids: np.ndarray) -> str:
        """Return the characters of `ids`."""
        return "".join(self.vocabulary[token] for token in ids)


def load_text(config: JobConfig, place: str | None) -> TextSplits:
    """Read the text at `place`, a path or an http(s) address, and cut it in two."""
    if not place:
        raise TextError("which text? --text takes a file or the address of a web page")
    content, declared, name = _fetch(place)
    if not content.strip():
        raise TextError(f"{name} is empty")
    text, encoding = decode(content, declared, name)
    form = ""
    if looks_like_html(text):
        text, form = html_to_text(text), ", a web page reduced to its text"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text, vocabulary, note = _limit(text, name)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    ids = encode(text, vocabulary)
    cut = int(len(ids) * TRAIN_SHARE)
    source = f"{name} ({encoding}{form}), {len(text):,} characters, sha256 {digest}{note}"
    return TextSplits(ids[:cut], ids[cut:], vocabulary, source)


def encode(text: str, vocabulary: str) -> np.ndarray:
    """Return the ids, int32 [N], of a text whose every character is in the vocabulary."""
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    known = np.frombuffer(vocabulary.encode("utf-32-le"), np.uint32)  # in ascending order
    return np.searchsorted(known, points).astype(np.int32)


def decode(content: bytes, declared: str | None, name: str) -> tuple[str, str]:
    """Return the text and the encoding in words: a byte order mark, the declared one, UTF-8, Latin-1."""
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return _decode(
                content, encoding, name
            ), f"{encoding.removesuffix('-sig').upper()} by its mark"
    if b"\0" in content:
        raise TextError(f"{name} holds zero bytes: it is no text, or UTF-16 without its mark")
    if declared:
        return _decode(content, declared, name), f"{declared.upper()} as declared"
    try:
        text, encoding = content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        text, encoding = content.decode("cp1252", "replace"), "no UTF-8, so Windows-1252 assumed"
    odd = sum(not character.isprintable() and character not in "\n\r\t\f" for character in text)
    if odd > len(text) / 50:
        raise TextError(
            f"{name} is no text: {odd:,} of its {len(text):,} characters cannot be printed"
        )
    return text, encoding


def _decode(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise TextError(f"{name} says it is {encoding} and is not: {error}") from None


def _fetch(place: str) -> tuple[bytes, str | None, str]:
    """Bytes, the declared encoding, and the name without folders or query."""
    if not re.match(r"https?://", place, re.IGNORECASE):
        path = Path(place)
        return path.read_bytes(), None, path.name
    request = urllib.request.Request(place, headers={"User-Agent": "Mozilla/5.0 (vitrine)"})  # noqa: S310 - http(s), see above
    with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:  # noqa: S310
        content = answer.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise TextError(f"{place} is larger than {MOST_BYTES // 10**6} MB")
        return content, answer.headers.get_content_charset(), place.split("?")[0]


def _limit(text: str, name: str) -> tuple[str, str, str]:
    """The text, its vocabulary in code point order, and what was replaced, in words."""
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


def looks_like_html(text: str) -> bool:
    """True for a page, which begins with a tag that only pages begin with."""
    return bool(
        re.match(r"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|pre)\b", text, re.I | re.S)
    )


def html_to_text(page: str) -> str:
    """Return what a reader sees; only the <pre> if that holds most of it, as screenplays do."""
    reader = _PageReader()
    reader.feed(page)
    reader.close()
    whole, preformatted = "".join(reader.seen), "".join(reader.preformatted)
    text = preformatted if len(preformatted.strip()) > len(whole.strip()) / 2 else whole
    lines = [line.rstrip() for line in text.replace("\xa0", " ").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


class _PageReader(HTMLParser):
    """Collects what a page shows; white space counts only inside <pre>."""

    HIDDEN = frozenset({"script", "style", "head", "template", "noscript", "svg"})
    BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "tr", "table", "pre", "hr", "dd", "dt"})
    BLOCKS |= {"blockquote", "section", "article", "h1", "h2", "h3", "h4", "h5", "h6"}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.preformatted: list[str] = []
        self._hidden = 0
        self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self.HIDDEN
        self._pre += tag == "pre"
        if tag == "body":
            self._hidden = 0  # a <head> that was never closed
        if tag in self.BLOCKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in self.HIDDEN))
        self._pre = max(0, self._pre - (tag == "pre"))
        if tag in self.BLOCKS and tag != "br":
            self._break()

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._pre:
            self.preformatted.append(data)
            self.seen.append(data)
        else:
            self.seen.append(re.sub(r"\s+", " ", data))

    def _break(self) -> None:
        if not self._hidden and not self._pre:
            self.seen.append("\n")
