"""The released recipe, on digits of Pillow's typeface: a light network that learns from a larger one."""

import numpy as np
import pytest
import tensorflow as tf

from training.data.mnist import golden_digits, synthetic_digits
from training.job import Splits
from training.jobs import digits, load_released

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def network():
    return digits.build_model(digits.Config())


def multiplications(model):
    """Count those of one image: each weight of a kernel once for each place of its map."""
    count = 0
    for layer in model.layers:
        if (kernel := getattr(layer, "kernel", None)) is not None:
            places = layer.output.shape[1:-1]
            count += int(np.prod(kernel.shape)) * int(np.prod(places))
    return count


def test_an_image_costs_less_than_a_third_of_what_the_larger_network_takes(network):
    larger, _ = load_released("digits-large")

    assert network(np.zeros((2, 28, 28, 1), np.float32), training=False).shape == (2, 10)
    assert network.count_params() == 299_930
    assert multiplications(network) <= 5_000_000
    assert multiplications(network) < multiplications(larger) / 3


def test_what_each_convolution_sees_is_shown_after_its_activation(network):
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((200, 60, 60))]
    measured = digits.JOB.evaluate(network, Splits(*parts, "synthetic"))
    shown = digits.JOB.signatures(network, measured["calibration"])["activations"]

    maps = shown.function(tf.constant(golden_digits()["images"]))

    assert list(maps) == [*(f"conv{n}" for n in range(1, 8)), "logits"]
    assert maps["conv1"].shape == (10, 26, 26, 16)
    assert all(tf.reduce_min(maps[f"conv{n}"]) >= 0 for n in range(1, 8))


def test_a_target_is_a_mixture_of_the_label_and_the_teachers_answer():
    def teacher(images, training):
        assert training is False
        return tf.math.log([[0.5, 0.3, 0.2]]) + 0 * images[:, :1, 0, 0]

    batch = (np.zeros((4, 2, 2, 1, 1), np.float32), np.full((4, 2), 2, np.int64))
    [_, (images, targets), *_] = digits.soft_targets(
        tf.data.Dataset.from_tensor_slices(batch), teacher, share=0.6
    )

    assert images.shape == (2, 2, 1, 1)
    assert targets.numpy() == pytest.approx(np.array([[0.3, 0.18, 0.52]] * 2))


def test_it_learns_from_changed_images(tmp_path):
    config = digits.Config(epochs=4, batch_size=20, dropout=0.0, warmup_epochs=0.5)
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((400, 40, 40))]
    model = digits.build_model(config)

    history = digits.train(model, Splits(*parts, "synthetic"), config, tmp_path)

    assert history["loss"][-1] < 0.7 * history["loss"][0]
