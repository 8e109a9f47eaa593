"""What VITRINE_ANSWERS and VITRINE_SECTIONS leave out of the bytes that are sent."""

import re

import pytest

from service.routes import page
from service.routes.page_content import only_sections, questions_of, without_answers

HTML = (page.WEB / "index.html").read_text(encoding="utf-8")
COURSE = (page.DOCS / "course.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r'<section id="section-(\w+)"', HTML)


def test_hidden_answers_leave_the_questions():
    hidden = without_answers(HTML)

    assert "Can you draw a 4 that it reads as a 9?" in hidden
    assert "Close the top of the 4" not in hidden
    assert hidden.count('class="card question"') == HTML.count('class="card question"') > 0
    questions = re.findall(r'<details class="card question">(.*?)</details>', hidden, re.S)
    assert all(re.fullmatch(r"\s*<summary>.*</summary>", one, re.S) for one in questions)


def test_the_course_without_answers_is_its_headings():
    hidden = questions_of(COURSE)

    assert "### 5.1.1 How many weights has one 5×5×3 filter with its bias?" in hidden
    assert "76: 5" not in hidden
    assert "```" not in hidden
    assert re.findall(r"^#+ .*$", hidden, re.M) == re.findall(r"^#{1,3} .*$", COURSE, re.M)


@pytest.mark.parametrize("shown", [("digits",), ("text", "course"), ("models",)])
def test_only_the_named_sections_are_sent(shown):
    html = only_sections(HTML, shown)

    assert re.findall(r'<section id="section-(\w+)"', html) == [s for s in SECTIONS if s in shown]
    navigation = html[html.index("<nav") : html.index("</nav>")]
    assert re.findall(r'href="#(\w+)"', navigation) == [s for s in SECTIONS if s in shown]
    assert html.count("<section") == html.count("</section>")


def test_all_sections_are_sent_by_default():
    assert only_sections(HTML, ()) == HTML
