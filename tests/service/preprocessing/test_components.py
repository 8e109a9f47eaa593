"""The quick look at whether ink is one component, beside the labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from service.preprocessing.components import EIGHT_NEIGHBOURS, find_runs, is_surely_one


def surely_one(mask):
    return is_surely_one(find_runs(mask), mask.shape[1])


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.booleans()))
def test_what_is_surely_one_component_is_one(mask):
    assert not surely_one(mask) or ndimage.label(mask, EIGHT_NEIGHBOURS)[1] == 1


@pytest.mark.parametrize(
    ("rows", "is_one"),
    [
        (["###", "..#", ".#.", "#.."], True),  # a 7, by its top
        (["#..#", "#..#", "####", "...#"], True),  # a 4, by its foot
        ([".##.", "#..#", "#..#", ".##."], True),
        (["#.#", "...", "#.#"], False),
        (["##.##", "##.##"], False),
    ],
)
def test_a_digit_with_one_top_or_one_foot_is_known_at_a_look(rows, is_one):
    assert surely_one(np.array([[pixel == "#" for pixel in row] for row in rows])) == is_one
