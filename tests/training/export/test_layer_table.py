"""The layer tables of cards."""

import keras
import pytest

from training.export import release
from training.export.layer_table import layer_table
from training.jobs import load

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("name", ["digits", "digits-large", "digits-course", "labels", "vae"])
def test_released_cards_show_the_layers_as_they_are_described_now(name):
    card = release.read(release.RELEASED / name).card
    job = load(card["job"])
    model = job.build_model(job.config(**card["configuration"]))

    assert layer_table(model) == card["layers"]


def test_a_formula_counts_a_bias_only_where_there_is_one():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3),
            layers.Conv2D(4, 3, use_bias=False),
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            layers.DepthwiseConv2D(2, use_bias=False),
        ]
    )
    formulas = [row["formula"].partition(";")[0] for row in layer_table(model)]

    assert formulas == [
        "(3·3·3 + 1)·4 = 112",
        "(3·3·4)·4 = 144",
        "(3·3 + 1)·8 = 80",
        "(2·2)·8 = 32",
    ]
