"""What every digit classifier shares: how it is measured, calibrated and exported.

A network here maps float32 [B, 28, 28, 1] in 0..255 to logits [B, 10]; its layers carry the names
under which `/v1/digits/activations` shows them.
"""

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training import evaluation
from training.datasets import synthetic_digits
from training.job import Arrays, Signature, Splits

TASK = "classify_digit"
INPUT = {"height": 28, "width": 28, "channels": 1}
LABELS = [(str(digit), str(digit)) for digit in range(10)]
IN_DISTRIBUTION = 0.995  # share of validation digits that must not be called outliers
SHOWN_LAYERS = (keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.Dense)


def predict_logits(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Logits float32 [B, 10] of images uint8 [B, 28, 28, 1]."""
    return np.concatenate(
        [
            model(images[start : start + 500].astype(np.float32), training=False).numpy()
            for start in range(0, len(images), 500)
        ]
    )


def evaluate(model: keras.Model, splits: Splits) -> dict[str, Any]:
    """Calibrate on the validation split, then touch the test split once."""
    validation = predict_logits(model, splits.validation.images)
    calibration = fix_outlier_score(validation)
    test = predict_logits(model, splits.test.images)
    labels = splits.test.labels
    probabilities = tf.nn.softmax(test).numpy()
    flagged = int((outlier_score(test, calibration).numpy() > 0.5).sum())
    metrics = {
        "validation_accuracy": evaluation.accuracy(validation, splits.validation.labels),
        "test_accuracy": evaluation.accuracy(probabilities, labels),
        "test_negative_log_likelihood": evaluation.negative_log_likelihood(probabilities, labels),
        "test_expected_calibration_error": evaluation.expected_calibration_error(
            probabilities, labels
        ),
        "test_called_outlier": evaluation.proportion(flagged, len(labels)),
        "test_confusion": evaluation.confusion(probabilities, labels),
    }
    return {"metrics": metrics, "calibration": calibration}


def fix_outlier_score(logits: np.ndarray) -> dict[str, float]:
    """Choose the energy at which a picture counts as no digit, from validation digits [B, 10] alone.

    Energy is -logsumexp(logits) (Liu et al., 2020): high where no class is supported.
    """
    energy = -tf.reduce_logsumexp(logits, axis=1).numpy()
    threshold = float(np.quantile(energy, IN_DISTRIBUTION))
    return {"energy_threshold": threshold, "energy_scale": float(energy.std()) or 1.0}


def outlier_score(logits: Any, calibration: Mapping[str, float]) -> Any:
    """Score in 0..1, [B]; above 0.5 means "probably no digit", whatever the network."""
    energy = -tf.reduce_logsumexp(logits, axis=1)
    return tf.sigmoid((energy - calibration["energy_threshold"]) / calibration["energy_scale"])


def signatures(model: keras.Model, calibration: Mapping[str, float]) -> dict[str, Signature]:
    """`serving_default` and `activations`, both on images uint8 [B, 28, 28, 1]."""
    shown = [layer for layer in model.layers if isinstance(layer, SHOWN_LAYERS)]
    layers = keras.Model(model.inputs, {layer.name: layer.output for layer in shown})

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = model(tf.cast(images, tf.float32), training=False)
        return {
            "probabilities": tf.nn.softmax(logits),
            "outlier_score": outlier_score(logits, calibration),
        }

    def activations(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return layers(tf.cast(images, tf.float32), training=False)

    inputs = {"images": tf.TensorSpec([None, 28, 28, 1], tf.uint8)}
    return {
        "serving_default": Signature(
            serving_default, inputs, {"probabilities": 1e-4, "outlier_score": 1e-3}
        ),
        "activations": Signature(activations, inputs, {layer.name: 1e-3 for layer in shown}),
    }


def golden_inputs() -> Arrays:
    """Ten digits of Pillow's typeface: every class, no data set."""
    return {"images": synthetic_digits(10, seed=7).images}


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Whole batches in an epoch, at least one."""
    return max(1, math.floor(images / batch_size))
