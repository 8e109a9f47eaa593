"""Stop strings in a text that comes in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.codecs.stop_strings import StopScanner


def scan(stops, pieces):
    """What is shown in all, and the number of characters up to the end of the stop string."""
    scanner, shown, before = StopScanner(stops), "", 0
    for piece in pieces:
        scanned = scanner.scan(piece)
        shown += scanned.text
        if scanned.end is not None:
            return shown, before + scanned.end
        before += len(piece)
    return shown + scanner.pending, None


def by_hand(stops, text):
    """The same, one character after the other."""
    for end in range(1, len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            return text[: end - max(map(len, complete))], end
    return text, None


@pytest.mark.parametrize(
    ("stops", "text", "shown"),
    [
        ([], "anything", "anything"),
        (["b"], "abc", "a"),
        (["\n\n"], "a\nb\n\nc", "a\nb"),
        (["END", "E"], "the END", "the "),
        (["abcdef", "cd"], "abcdef", "ab"),
        (["bcd", "d"], "abcde", "a"),
        (["aab"], "aaaab", "aa"),
        (["xyz"], "xyxy", "xyxy"),
    ],
)
def test_the_first_stop_string_that_is_complete_ends_the_text(stops, text, shown):
    assert scan(stops, [text])[0] == shown
    assert scan(stops, list(text))[0] == shown


@given(
    st.lists(st.text("ab", min_size=1, max_size=4), max_size=3),
    st.lists(st.text("ab", min_size=1, max_size=5), max_size=8),
)
def test_pieces_make_no_difference(stops, pieces):
    assert scan(stops, pieces) == by_hand(stops, "".join(pieces))


def test_only_what_could_become_a_stop_string_is_held_back():
    scanner = StopScanner(["\n\n", "THE END"])

    assert scanner.scan("one\n").text == "one"
    assert scanner.scan("two").text == "\ntwo"
    assert scanner.scan(" THE").text == " "
    assert scanner.scan(" ENTRY").text == "THE ENTRY"


def test_a_scanner_goes_on_with_what_was_held_before():
    before = StopScanner(["halt"])
    before.scan("they ha")
    scanned = StopScanner(["halt"], before.pending).scan("lt here")

    assert (scanned.text, scanned.end) == ("", 2)
