"""Removes parts of the page for teachers: answers to questions, and whole sections."""

import re
from typing import get_args

from service.settings import Section

QUESTION = re.compile(
    r'(<details class="card question">\s*<summary>.*?</summary>).*?(</details>)', re.S
)
SECTION = re.compile(r'\n    <section id="section-(\w+)".*?\n    </section>', re.S)
HEADING = re.compile(r"^#{2,3} .*$", re.M)


def without_answers(html: str) -> str:
    """The page with its questions, but without their answers."""
    return QUESTION.sub(r"\1\2", html)


def questions_of(course: str) -> str:
    """The course's headings (the questions) without the text below them."""
    introduction = HEADING.split(course, maxsplit=1)[0]
    return introduction + "\n\n".join(HEADING.findall(course)) + "\n"


def only_sections(html: str, sections: tuple[Section, ...]) -> str:
    """The page with only these sections and their links; all sections for an empty tuple."""
    shown = sections or get_args(Section)
    for name in set(get_args(Section)) - set(shown):
        html = re.sub(rf'\n +<a href="#{name}">[^<]*</a>', "", html)
    return SECTION.sub(lambda found: found[0] if found[1] in shown else "", html)
