"""A web page → the text that a reader sees."""

import re
from html.parser import HTMLParser

_START = r"\ufeff?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
# Nothing but a page begins with these; other texts, too, have the other tags, but close none.
_PAGE = re.compile(
    _START + r"<(?:!doctype\s+html|html|head|body|meta)\b", re.IGNORECASE | re.DOTALL
)
_PIECE = re.compile(
    _START + r"<(?:title|link|script|style|pre|div|p|h[1-6]|table|article|section)\b",
    re.IGNORECASE | re.DOTALL,
)
_CLOSING = re.compile(
    r"</(?:html|body|p|div|pre|span|title|table|h[1-6]|li)\s*>|<br", re.IGNORECASE
)
_ENDINGS = (".html", ".htm", ".xhtml", ".xht")
_TYPES = ("text/html", "application/xhtml+xml")


def is_named_html(name: str, content_type: str) -> bool:
    """True if a file's name, or the Content-Type it came with, says that it is a page."""
    return content_type in _TYPES or name.lower().endswith(_ENDINGS)


def looks_like_html(text: str) -> bool:
    """True for a page or a piece of one: it begins with a tag of HTML and, as a piece, closes some."""
    return bool(_PAGE.match(text)) or (bool(_PIECE.match(text)) and bool(_CLOSING.search(text)))


def html_to_text(page: str) -> str:
    """Return the visible text; only the <pre> if it contains most of it, as in screenplays."""
    reader = _PageReader()
    reader.feed(page)
    reader.close()
    whole, preformatted = "".join(reader.seen), "".join(reader.preformatted)
    text = preformatted if len(preformatted.strip()) > len(whole.strip()) / 2 else whole
    lines = [line.rstrip() for line in text.replace("\xa0", " ").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


class _PageReader(HTMLParser):
    """Collects the visible text of a page; white space is kept only inside <pre>."""

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
