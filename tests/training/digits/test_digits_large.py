"""The larger recipe, whose network teaches and judges, on digits of Pillow's typeface: it learns, and what each layer sees is shown."""

import numpy as np
import pytest
import tensorflow as tf

from training.data.mnist import golden_digits, synthetic_digits
from training.job import Splits
from training.jobs import digits_large

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def network():
    return digits_large.build_model(digits_large.Config())


def test_network_maps_images_to_ten_logits(network):
    assert network(np.zeros((2, 28, 28, 1), np.float32), training=False).shape == (2, 10)
    assert network.count_params() == 326_826


def test_what_each_convolution_sees_is_shown_after_its_activation(network):
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((200, 60, 60))]
    measured = digits_large.JOB.evaluate(network, Splits(*parts, "synthetic"))
    shown = digits_large.JOB.signatures(network, measured["calibration"])["activations"]

    maps = shown.function(tf.constant(golden_digits()["images"]))

    assert list(maps) == [*(f"conv{n}" for n in range(1, 8)), "logits"]
    assert maps["conv1"].shape == (10, 26, 26, 32)
    assert all(tf.reduce_min(maps[f"conv{n}"]) >= 0 for n in range(1, 8))


def test_smoothing_spreads_a_share_of_the_target_over_all_classes():
    logits = tf.constant([[2.0, 0.0, 0.0, 0.0]])
    log_p = tf.nn.log_softmax(logits)[0].numpy()

    loss = digits_large.smoothed_cross_entropy(tf.constant([0.0]), logits, smoothing=0.2).numpy()

    assert loss == pytest.approx([-(0.85 * log_p[0] + 0.05 * log_p[1:].sum())])


@pytest.mark.nightly  # the larger network, which only teaches the released one
def test_it_learns_from_changed_images(tmp_path):
    config = digits_large.Config(epochs=2, batch_size=20, dropout=0.0, warmup_epochs=0.5)
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((240, 40, 40))]
    model = digits_large.build_model(config)

    history = digits_large.train(model, Splits(*parts, "synthetic"), config, tmp_path)

    assert history["loss"][-1] < 0.9 * history["loss"][0]
