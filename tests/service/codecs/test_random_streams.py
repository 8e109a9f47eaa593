"""Random numbers by position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.codecs.random_streams import uniforms


@given(st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(0, 300), st.integers(1, 300))
def test_a_position_has_the_same_number_whatever_the_stretch(random_seed, number, start, count):
    whole = uniforms(random_seed, number, 0, start + count)

    assert (uniforms(random_seed, number, start, count) == whole[start:]).all()


def test_numbers_fill_the_interval_and_never_reach_one():
    drawn = uniforms(42, 0, 0, 1_000_000)

    assert drawn.dtype == np.float32
    assert drawn.min() >= 0
    assert drawn.max() < 1
    np.testing.assert_allclose(np.histogram(drawn, 10, (0, 1))[0], 100_000, rtol=0.02)


def test_generations_and_seeds_draw_from_different_numbers():
    drawn = [uniforms(s, n, 0, 50) for s in (0, 1, 2**32 - 1) for n in (0, 1, 255)]

    assert len({array.tobytes() for array in drawn}) == 9


@pytest.mark.parametrize(("number", "first"), [(0, 0.3022847), (1, 0.8700464)])
def test_the_numbers_are_those_of_every_version_before(number, first):
    assert uniforms(42, number, 0, 1)[0] == pytest.approx(first, abs=1e-6)
