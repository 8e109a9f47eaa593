"""Layers that a network calls with training=True: the service runs them as everywhere at inference."""

import keras
import pytest

from training.keras_import import determinism, network

pytestmark = pytest.mark.tensorflow


def noisy():
    image = keras.Input((4, 4, 1))
    inner_input = keras.Input((16,))
    inner = keras.Model(
        inner_input,
        keras.layers.GaussianNoise(0.1, name="inner_noise")(inner_input, training=True),
        name="inner",
    )
    x = keras.layers.Flatten()(image)
    x = keras.layers.Dropout(0.5, name="monte_carlo")(x, training=True)
    x = keras.layers.Dropout(0.5, name="plain")(inner(x))
    return keras.Model(image, keras.layers.Dense(2)(x))


def test_layers_called_with_training_are_named_and_no_others(tmp_path, capsys):
    path = tmp_path / "noisy.keras"
    noisy().save(path)

    model = network.load_model(path)

    names = determinism.trained_at_inference(model)
    assert sorted(names) == ["inner_noise (GaussianNoise)", "monte_carlo (Dropout)"]
    said = capsys.readouterr().out
    assert "monte_carlo (Dropout)" in said
    assert "with training=True, which the service does not" in said
    assert "plain" not in said


def test_an_ordinary_network_is_imported_without_a_warning(tmp_path, capsys):
    path = tmp_path / "plain.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)]).save(
        path
    )

    network.load_model(path)

    assert "warning" not in capsys.readouterr().out
