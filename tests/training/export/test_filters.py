"""A value of a map is the sum that its filter, its bias and the patch below it give."""

import json

import keras
import numpy as np
import pytest

from training.digits import classifier
from training.export import filters
from training.jobs import digits, digits_course

pytestmark = pytest.mark.tensorflow
PLACES = ((0, 0), (3, 5), (-1, -1))


def recompute(name, about, arrays, below, place, index):
    """What the map shows at a place, from what is written alone; below: [H, W, C]."""
    layer = about[name]
    top, left = (
        p * step - pad
        for p, step, pad in zip(place, layer["strides"], layer["padding"], strict=True)
    )
    height, width = layer["size"]
    padded = np.pad(below, ((9, 9), (9, 9), (0, 0)))
    patch = padded[top + 9 : top + 9 + height, left + 9 : left + 9 + width]
    if layer["kind"] == "pooling":
        return patch[..., index].max()
    value = (patch * arrays[f"{name}/kernel"][..., index]).sum() + arrays[f"{name}/bias"][index]
    return max(value, 0) if layer["relu"] else value


def check(shown, model, image, black_white):
    """Recompute values of every layer that is described; return their names."""
    arrays = filters.describe(shown, black_white)
    about = json.loads(str(arrays["about"]))
    outputs = keras.Model(model.inputs[0], {layer.name: layer.output for layer in shown})(image)
    maps = {name: np.asarray(output)[0] for name, output in outputs.items()}
    for name, layer in about.items():
        if layer["below"] == "input":
            low, high = layer["range"]
            black, white = black_white
            maps["input"] = low + (image[0] - black) / (white - black) * (high - low)
        for row, column in PLACES:
            height, width, count = maps[name].shape
            place = row % height, column % width
            expected = maps[name][place]
            for index in (0, count - 1):
                found = recompute(name, about, arrays, maps[layer["below"]], place, index)
                assert found == pytest.approx(expected[index], abs=1e-4)
    return list(about)


@pytest.mark.parametrize("job", [digits.JOB, digits_course.JOB])
def test_every_map_of_the_digit_networks_can_be_recomputed(job):
    keras.utils.set_random_seed(1)
    model = job.build_model(job.config())
    for layer in model.layers:  # a normalization that has seen something
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([w + 0.1 * (i + 1) for i, w in enumerate(layer.get_weights())])
    image = np.random.default_rng(1).uniform(0, 255, (1, 28, 28, 1)).astype(np.float32)

    names = check(classifier.shown_layers(model), model, image, (0.0, 255.0))

    maps = [each.name for each in classifier.shown_layers(model) if len(each.output.shape) == 4]
    assert names == maps


def test_layers_that_something_else_lies_below_are_left_out():
    inputs = keras.Input((28, 28))
    x = keras.layers.Reshape((28, 28, 1))(inputs)
    first = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="first")
    x = first(x)
    x = keras.layers.LayerNormalization()(x)
    second = keras.layers.Conv2D(2, 3, activation="relu", name="second")
    other = keras.layers.Conv2D(2, 3, activation="tanh", name="other")
    model = keras.Model(inputs, other(second(x)))
    image = np.random.default_rng(1).uniform(0, 1, (1, 28, 28)).astype(np.float32)

    arrays = filters.describe([first, second, other], (0.0, 1.0))

    assert list(json.loads(str(arrays["about"]))) == ["first"]
    assert model(image).shape == (1, 24, 24, 2)
    assert check([first], model, image[..., np.newaxis].reshape(1, 28, 28, 1), (0.0, 1.0)) == [
        "first"
    ]
