"""Words that the documentation and the errors do not use: the field has plain ones for each."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BANNED = {
    r"\bcame\b": "was given, was sent",
    r"\ba text is\b": "a string",
    r"\bpictures that nobody\b": "generated images",
    r"\bstrangers?\b": "out-of-distribution images",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\balone or in company\b": "regardless of batching",
    r"\bcomes? trained\b": "pretrained",
    r"\bgo(es)? on (where|with)\b": "resume, continue",
    r"\bby turns\b": "in turn",
    r"\bgarments?\b": "clothing",
    r"\bpupils?\b": "student network",
    r"\bload(s|ed|ing)? anew\b": "reload",
    r"\bstands? below\b": "follows",
    r"\bwho (leaves|waits|asks)\b": "a client that …",
    r"\bwhat (waits|lies)\b": "queued requests; name the thing",
    r"\bnothing to say\b": "no findings",
    r"\bat hand\b": "available",
    r"\bis told (of|that)\b": "learns, is reported",
    r"\bone another's\b": "each other's",
}
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("clients/*/*.md")]
    if path.name not in ("LICENSE.md",)
)
SOURCES = sorted((ROOT / "service").rglob("*.py"))


def found(text):
    return {
        f"{match[0]!r}: say {instead}"
        for pattern, instead in BANNED.items()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_documentation_uses_the_words_of_the_field(path):
    assert found(path.read_text(encoding="utf-8")) == set()


def test_the_texts_of_the_service_use_the_words_of_the_field():
    texts = {
        node.value: path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert len(texts) > 500
    assert {(name, word) for text, name in texts.items() for word in found(text)} == set()
