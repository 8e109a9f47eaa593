"""Characters are counted as `bytes.count` counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.codecs import byte_counts
from service.codecs.byte_counts import count_byte, has_surrogate_escape

TEXTS = st.text("ab\\udD", max_size=80).map(str.encode)


@pytest.fixture(autouse=True, scope="module")
def small_pieces():
    """So that short texts have several pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_counts, "PIECE_BYTES", 5)
        patch.setattr(byte_counts, "FEW", 3)
        yield


@given(TEXTS, st.none() | st.integers(0, 90))
def test_a_character_is_counted_up_to_the_end_given(text, end):
    assert count_byte(text, b"a", end) == text.count(b"a", 0, end)
    assert count_byte(bytearray(text), b"a", end) == text.count(b"a", 0, end)


@given(TEXTS)
def test_an_escaped_half_of_a_character_is_found_wherever_it_is(text):
    assert has_surrogate_escape(text) == (b"\\ud" in text or b"\\uD" in text)
