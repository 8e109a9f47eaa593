"""What a notebook shows of an answer, and of the page."""

import base64

import pytest

from vitrine_client import show
from vitrine_client.digits import DigitPrediction, DigitsAnswer
from vitrine_client.text import Generation, TextAnswer
from vitrine_client.types import ModelVersion, PreparedImage

PNG = b"\x89PNG\r\n\x1a\nand so on"
BY = ModelVersion("digits", 3)


def test_an_answer_shows_its_values_its_image_and_who_gave_it():
    seen = PreparedImage(PNG, ("inverted", "cropped"))
    prediction = DigitPrediction(7, 0.98765, tuple([0.1] * 10), False, 0.02, seen)

    shown = DigitsAnswer(BY, (prediction,), body=b"not shown")._repr_html_()

    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in shown
    assert "digits/3" in shown
    assert "0.9877" in shown
    assert "inverted<br>" in shown.replace("</span>", "")
    assert "not shown" not in shown


def test_a_generated_text_cannot_write_into_the_notebook():
    generation = Generation("<script>alert(1)</script>", 0.5, "length", "token")
    answer = TextAnswer(ModelVersion("text", 1), 42, (generation,))

    assert "&lt;script&gt;" in answer._repr_html_()
    assert "<script>" not in answer._repr_html_()


@pytest.mark.parametrize(
    ("url", "state", "address"),
    [
        (None, {}, "http://127.0.0.1:8000/#digits"),
        ("/proxy/8000/", {"model": "digits-course"}, "/proxy/8000/#digits?model=digits-course"),
        ("https://class.example/", {"a": '"'}, "https://class.example/#digits?a=%22"),
    ],
)
def test_show_frames_a_section_of_the_page(url, state, address, monkeypatch):
    monkeypatch.delenv("VITRINE_URL", raising=False)
    frame = show("digits", url=url, height=500, **state)

    assert frame.address == address
    assert f'<iframe src="{address}" width="100%" height="500"' in frame._repr_html_()
