"""The written-out LSTM is Keras' LSTM, forwards and backwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.text import lstm

pytestmark = pytest.mark.tensorflow
STEPS, ROWS, INPUTS, UNITS = 5, 3, 4, 6


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(1)
    layer = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    layer.build((ROWS, STEPS, INPUTS))
    return layer


def ours(layer, x, h, c):
    weights = lstm.Layer(*(weight.value for weight in layer.trainable_weights))
    inputs = lstm.multiply(x, weights.kernel, tf.float32) + weights.bias
    return lstm.run(inputs, weights.recurrent_kernel, h, c, tf.float32)


def keras_own(layer, x, h, c):
    hs, h, c = layer(tf.transpose(x, [1, 0, 2]), initial_state=[h, c])
    return tf.transpose(hs, [1, 0, 2]), h, c


def test_outputs_and_gradients_are_those_of_keras(layer):
    rng = np.random.default_rng(2)
    shapes = [(STEPS, ROWS, INPUTS), (ROWS, UNITS), (ROWS, UNITS)]
    given = [tf.constant(rng.normal(size=shape), tf.float32) for shape in shapes]
    weights = [weight.value for weight in layer.trainable_weights]
    found = []
    for run in (ours, keras_own):
        with tf.GradientTape() as tape:
            tape.watch(given)
            hs, h, c = run(layer, *given)
            score = tf.reduce_sum(hs**2) + tf.reduce_sum(tf.sin(h)) + tf.reduce_sum(c * c * c)
        found.append([hs, h, c, *tape.gradient(score, [*given, *weights])])

    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-5)


def test_rounded_factors_change_little(layer):
    x = tf.constant(np.random.default_rng(3).normal(size=(STEPS, INPUTS)), tf.float32)
    kernel = layer.trainable_weights[0].value

    exact, rounded = (lstm.multiply(x, kernel, kind) for kind in (tf.float32, tf.bfloat16))

    np.testing.assert_allclose(exact, rounded, atol=0.05)
    assert rounded.dtype == tf.float32


@pytest.mark.parametrize(
    ("info", "precision"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 avx512_vnni\n", "bfloat16"),
        ("flags\t\t: fpu amx_bf16 amx_tile\n", "bfloat16"),
        ("flags\t\t: fpu avx2 avx512f\n", "float32"),
        ("processor\t: 0\nFeatures\t: fp asimd bf16\n", "float32"),
        (None, "float32"),
    ],
    ids=["avx512_bf16", "amx_bf16", "neither", "arm", "no list of features"],
)
def test_the_precision_follows_from_the_processors_features(info, precision, tmp_path, monkeypatch):
    monkeypatch.setattr(lstm, "CPU_INFO", tmp_path / "cpuinfo")
    if info is not None:
        lstm.CPU_INFO.write_text(info)

    assert lstm.precision_for(lstm.cpu_flags()) == precision
