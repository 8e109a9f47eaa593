"""Folded networks give what the unfolded ones give."""

import keras
import numpy as np
import pytest

from training.export import batchnorm_folding
from training.pretrained import backbone

pytestmark = pytest.mark.tensorflow


def varied(model):
    """Give every weight a value that makes a difference; variances stay positive."""
    random = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def both(model, images):
    return [
        np.asarray(network(images, training=False))
        for network in (model, batchnorm_folding.fold(model))
    ]


def normalizations(model):
    return sum(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)


@pytest.mark.parametrize(
    ("arch", "left"),
    [("EfficientNetLite0", 0), ("MobileNetV2", 0), ("ResNet50", 0), ("DenseNet121", 62)],
)
def test_a_folded_network_gives_the_same_with_fewer_layers(arch, left):
    model = varied(backbone.make(arch, weights="none", input_shape=(64, 64, 3), classes=1000))
    images = np.random.default_rng(2).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)

    plain, folded = both(model, images)

    assert normalizations(model) > left == normalizations(batchnorm_folding.fold(model))
    np.testing.assert_allclose(folded, plain, rtol=1e-3, atol=1e-6)


def test_what_is_read_before_it_is_normalized_stays():
    images = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3)(images)
    y = keras.layers.BatchNormalization()(x)
    model = varied(keras.Model(images, keras.layers.Concatenate()([x, y])))

    plain, folded = both(model, np.ones((1, 8, 8, 1), np.float32))

    assert normalizations(batchnorm_folding.fold(model)) == 1
    np.testing.assert_array_equal(folded, plain)


def test_a_normalization_after_an_activation_stays():
    images = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3, activation="relu")(images)
    model = varied(keras.Model(images, keras.layers.BatchNormalization()(x)))

    plain, folded = both(model, np.ones((1, 8, 8, 1), np.float32))

    assert normalizations(batchnorm_folding.fold(model)) == 1
    np.testing.assert_array_equal(folded, plain)


def test_a_normalization_without_scale_or_shift_and_a_convolution_with_bias_are_folded():
    images = keras.Input((8, 8, 2))
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="ones")(images)
    model = keras.Model(images, keras.layers.BatchNormalization(scale=False, center=False)(x))
    model.layers[-1].set_weights([np.array([1, 2, 3, 4.0]), np.array([4, 3, 2, 1.0])])
    images = np.random.default_rng(2).uniform(-1, 1, (1, 8, 8, 2)).astype(np.float32)

    plain, folded = both(model, images)

    assert normalizations(batchnorm_folding.fold(model)) == 0
    np.testing.assert_allclose(folded, plain, atol=1e-5)


def test_the_model_itself_stays_as_it_is():
    images = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(3, 3, use_bias=False, name="convolution")(images)
    model = varied(keras.Model(images, keras.layers.BatchNormalization()(x)))
    before = model.get_weights()

    for _ in range(2):
        batchnorm_folding.fold(model)

    assert len(model.get_layer("convolution").weights) == 1
    for weights, again in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, again)
