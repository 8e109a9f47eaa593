"""Pixels given as lists of numbers."""

import pytest

from service.codecs.pixel_lists import from_pixels
from service.errors import InvalidValue


def test_fractions_on_the_right_scale_are_rounded():
    assert from_pixels([[0, 1.6, 254.9]]).ravel().tolist() == [0, 2, 255]
    assert from_pixels([[0, 1], [2, 0]]).ravel().tolist() == [0, 1, 2, 0]
    assert from_pixels([[0.0, 0.0]]).ravel().tolist() == [0, 0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "got null"),
        (5, "got a number"),
        ({}, "got an object"),
        ([], "an empty list"),
        ([[]], "empty rows"),
        ([[[]]], "pixels of 0 values"),
        ([1, 2, 3], "a flat list of 3 numbers"),
        ([[1, 2], [3]], "rows of 1 and of 2 pixels"),
        ([[1, 2], 3], "a list that holds a number"),
        ([[[1, 2, 3], [1]]], "pixels of 1 and 3 values"),
        ([[[1, 2, 3, 4]]], "pixels of 4 values"),
        ([[[[1]]]], "got a list"),
        ([[1, [2]]], "got a list"),
        ([["5"]], "got the string '5'"),
        ([[1, True]], "got true or false"),
        ([[1, None]], "got null"),
        ([[0, 256]], "got 256"),
        ([[-1, 0.5]], "got -1"),
        ([[0, 1e300]], r"got 1e\+300"),
        ([[2**64 - 1]], r"got 1.8\S+e\+19"),
        ([[0.0, 0.5]], "fractions up to 0.5: multiply by 255"),
        ([[0.0, 1.0]], "fractions up to 1: multiply by 255"),
        ([[0, 1]], "only 0 and 1: multiply by 255"),
        ([[float("nan"), 5.0]], "got nan"),
    ],
    ids=str,
)
def test_pixels_that_are_none_say_what_came(value, said):
    with pytest.raises(InvalidValue, match=said):
        from_pixels(value)


def test_one_long_text_among_many_numbers_costs_nothing():
    row = [0] * 1000
    value = [row] * 999 + [[*row[1:], "x" * 1_000_000]]
    with pytest.raises(InvalidValue, match="the string 'xxx"):
        from_pixels(value)
