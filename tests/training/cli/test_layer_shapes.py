"""The arithmetic of `vitrine describe` gives what Keras' own layers give."""

import itertools
import re

import keras
import pytest

from training.cli.layer_shapes import describe_convolution, describe_pooling

pytestmark = pytest.mark.tensorflow
SIZES = list(itertools.product((7, 8, 28), (6, 9), (1, 2, 5), (1, 2, 3)))


def shapes(lines):
    return [
        tuple(int(size) for size in found.split("×"))
        for line in lines
        for found in re.findall(r"\d+(?:×\d+){3}", line)
    ]


@pytest.mark.parametrize("padding", [0, 2])
def test_a_convolution_has_the_parameters_and_the_shape_of_keras_layer(padding):
    for height, width, window, stride in SIZES:
        lines = describe_convolution((height, width, 3), (window, window, 3), padding, stride, 4)
        layer = keras.layers.Conv2D(1, window, strides=stride)
        padded = (4, height + 2 * padding, width + 2 * padding, 3)
        layer.build(padded)
        same = keras.layers.Conv2D(1, window, strides=stride, padding="same")
        plain = same.compute_output_shape((4, height, width, 3))
        valid, *rounded_up = shapes(lines)

        assert lines[0].endswith(f" = {layer.count_params()}")
        assert valid == layer.compute_output_shape(padded)
        assert rounded_up in ([], [plain])


def test_pooling_has_the_shape_of_keras_layer():
    for height, width, window, stride in SIZES:
        before, after = shapes(describe_pooling((height, width, 3), window, stride, 4))
        layer = keras.layers.MaxPooling2D(window, strides=stride)

        assert after == layer.compute_output_shape(before)
