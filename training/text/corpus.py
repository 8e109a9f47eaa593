"""A training text from a file or a web page in any encoding, as character ids.

The assumed encoding is always reported, because a wrong one would train a useless model without an error.
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
from charset_normalizer import from_bytes

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


_PROPOSE_BYTES, _SHOWN_CHARACTERS = 100_000, 40
_MOST_BAD = 0.1  # of the bytes above 127 that may be bad in a text that is UTF-8 all the same
_MOST_HIGH = 0.2  # of the bytes of a text in Latin letters that are above 127
_DECLARATION = re.compile(
    rb"""(?:<\?xml[^>]{0,200}encoding\s*=|<meta[^>]{0,300}charset\s*=)\s*["']?\s*([\w.:-]{2,40})""",
    re.IGNORECASE,
)
# Labels that mean something else on the web than in Python (WHATWG, Encoding Standard).
_WEB_LABELS = {
    **dict.fromkeys(
        ("ascii", "us-ascii", "iso-8859-1", "iso8859-1", "latin1", "latin-1", "l1", "cp819"),
        "cp1252",
    ),
    **dict.fromkeys(("iso-8859-9", "iso8859-9", "latin5", "l5"), "cp1254"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80", "chinese", "csgb2312"), "gb18030"),
    **dict.fromkeys(
        ("shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j"), "cp932"
    ),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601", "korean", "windows-949"), "cp949"),
    **dict.fromkeys(("big5", "x-x-big5", "cn-big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("tis-620", "iso-8859-11", "dos-874"), "cp874"),
    "x-cp1252": "cp1252",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "koi8": "koi8-r",
    "koi": "koi8-r",
    "koi8-ru": "koi8-u",
    "x-mac-cyrillic": "mac-cyrillic",
    "macintosh": "mac-roman",
    "unicode": "utf-16-le",
    "utf-16": "utf-16-le",
}


class TextError(ValueError):
    """A text cannot be learnt from; the message names it and says why."""


class TextSource(NamedTuple):
    """Where a text is, and the encoding that whoever trains says it has; empty: find out."""

    place: str
    encoding: str = ""


class TextSplits(NamedTuple):
    """A text as ids, in its two parts. There is no third: the convention of this data set has none."""

    train: np.ndarray  # int32 [N]
    validation: np.ndarray  # int32 [M], what follows
    vocabulary: str  # the characters in the order of their ids
    source: str  # which text, how it was read; printed, and kept in the card

    def complete_config(self, config: Any) -> Any:
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


def load_text(config: JobConfig, source: TextSource | str | None) -> TextSplits:
    """Read the text at a place, a path or an http(s) address, and cut it in two."""
    place, given = source if isinstance(source, TextSource) else (source, "")
    if not place:
        raise TextError("--text must be a file or the address of a web page")
    content, declared, name = _fetch(place)
    if not content.strip():
        raise TextError(f"{name} is empty")
    text, encoding = (
        _decode_given(content, given, name) if given else decode(content, declared, name)
    )
    form = ""
    if looks_like_html(text):
        text, form = html_to_text(text), ", a web page reduced to its text"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text, vocabulary, note = _limit(text, name)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    ids = encode(text, vocabulary)
    cut = int(len(ids) * TRAIN_SHARE)
    said = f"{name} ({encoding}{form}), {len(text):,} characters, sha256 {digest}{note}"
    return TextSplits(ids[:cut], ids[cut:], vocabulary, said)


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
    if content.startswith(b"{\\rtf"):
        raise TextError(f"{name} must be plain text, got RTF: save it as plain text in UTF-8")
    if b"\0" in content:
        raise TextError(
            f"{name} has zero bytes: it is not text, or UTF-16 without a byte order mark"
        )
    declared = declared or _declared_inside(content)
    if declared:
        return _decode_declared(content, declared, name)
    text, encoding = _decode_undeclared(content, name)
    odd = sum(not character.isprintable() and character not in "\n\r\t\f" for character in text)
    if odd > len(text) / 50:
        raise TextError(
            f"{name} is not text: {odd:,} of its {len(text):,} characters cannot be printed"
        )
    return text, encoding


def _declared_inside(content: bytes) -> str | None:
    """The encoding that an XML declaration or a page's <meta> names, in the first 4 kB."""
    found = _DECLARATION.search(content[:4096])
    return found[1].decode("ascii") if found else None


def _decode_given(content: bytes, given: str, name: str) -> tuple[str, str]:
    """Decode as `--encoding` says, by Python's names or the web's."""
    label = given.strip().lower()
    encoding = _WEB_LABELS.get(label, label)
    try:
        "".encode(encoding)  # not every codec is one of texts
    except LookupError:
        raise TextError(
            f"--encoding must be a text encoding such as koi8-r or cp1251, got {given[:40]!r}"
        ) from None
    try:
        return content.decode(encoding), f"{given.upper()} as given"
    except (UnicodeDecodeError, LookupError) as error:
        raise TextError(f"{name} must be in the --encoding {given}, got {error}") from None


def _decode_declared(content: bytes, declared: str, name: str) -> tuple[str, str]:
    """Decode as declared, by the web's meaning of the label."""
    encoding = _WEB_LABELS.get(declared.strip().lower(), declared)
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        text, said = _decode_utf8(content)
        return text, f"{declared.upper()} as declared{said}"
    return _decode(content, encoding, name), f"{declared.upper()} as declared"


def _decode_utf8(content: bytes) -> tuple[str, str]:
    """UTF-8 whose bad bytes become U+FFFD, and how many there are, in words."""
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
        return text, f", {_bad_bytes(content):,} bad bytes replaced"


def _bad_bytes(content: bytes) -> int:
    return len(content) - len(content.decode("utf-8", "ignore").encode())


def _decode_undeclared(content: bytes, name: str) -> tuple[str, str]:
    """UTF-8, also slightly damaged; Windows-1252 for Latin letters; anything else is refused."""
    high = sum(byte > 127 for byte in content)
    bad = _bad_bytes(content)
    if bad <= high * _MOST_BAD or (bad <= 3 and _is_cut(content)):
        text, said = _decode_utf8(content)
        return text, f"UTF-8{said}"
    if high > _MOST_HIGH * len(content):
        raise TextError(
            f"{name} must say its encoding, got bytes that are neither UTF-8 nor Latin letters: "
            f"{_propose(content)}, or save it as UTF-8"
        )
    return content.decode("cp1252", "replace"), "no UTF-8, so Windows-1252 assumed"


def _propose(content: bytes) -> str:
    """What to try: the option with the encoding that the characters' frequencies speak for."""
    best = from_bytes(content[:_PROPOSE_BYTES]).best()
    if best is None:
        return "give its encoding, such as --encoding koi8-r"
    beginning = " ".join(str(best).split())[:_SHOWN_CHARACTERS]
    label = best.encoding.replace("_", "-")
    return f"try --encoding {label} if it begins with {beginning!r}"


def _is_cut(content: bytes) -> bool:
    """Whether only the last character is damaged, as where a file was cut off."""
    try:
        content[:-4].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end >= len(content) - 4
    return True


def _decode(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise TextError(f"{name} declares {encoding} but has other bytes: {error}") from None


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


_TAGS = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|title|meta|link|script|style|pre|div|p|h[1-6]|table|article|section)\b",
    re.IGNORECASE | re.DOTALL,
)
_CLOSING = re.compile(
    r"</(?:html|body|p|div|pre|span|title|table|h[1-6]|li)\s*>|<br", re.IGNORECASE
)


def looks_like_html(text: str) -> bool:
    """True for a page or a piece of one: it begins with a tag of HTML and closes some."""
    return bool(_TAGS.match(text)) and bool(_CLOSING.search(text))


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
