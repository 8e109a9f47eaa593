"""The NumPy loop, and how both ways are timed; the notebook's own needs Keras."""

import numpy as np
import pytest

from clients.benchmark import text_baselines


@pytest.mark.parametrize("model", text_baselines.NETWORKS)
def test_the_loop_writes_as_many_characters_as_asked_for(model):
    text = text_baselines.numpy_loop(text_baselines.NETWORKS[model])(50)

    assert len(text) == 51
    assert set(text) <= set(range(text_baselines.SYMBOLS))


def test_a_likely_character_is_drawn_more_often():
    generator = np.random.default_rng(1)
    drawn = [text_baselines.sample(np.array([0.0, 1.0]), generator) for _ in range(500)]

    assert 0.83 < np.mean(drawn) < 0.93  # e² to 1 at diversity 0.5


def test_a_rate_is_characters_by_seconds():
    assert text_baselines.characters_per_s(lambda characters: None, 1000) > 1000


@pytest.mark.tensorflow
@pytest.mark.parametrize("model", text_baselines.NETWORKS)
def test_the_notebooks_way_writes_too(model):
    assert (
        len(text_baselines.notebook(text_baselines.NETWORKS[model])(2)) == text_baselines.WINDOW + 2
    )
