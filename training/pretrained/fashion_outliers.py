"""The outlier score of both fashion jobs (whether an image shows clothing), and its evaluation.

Fitted on features that the network computes anyway, pooled over the positions of some stages. Measured on
images that need no data set: handwritten digits and crops of photographs from scikit-learn, noise.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import sklearn.datasets
from PIL import Image

from training import evaluation
from training.evaluation import outliers
from training.job import Split, Splits
from training.pretrained import frozen_features

FITTED_ON = 10_000  # number of training images to fit the score
IN_DISTRIBUTION = 0.98  # share of validation images below the threshold
CROPS, NOISE = 600, 500  # images of each kind
SMALLEST_CROP, LARGEST_CROP = 60, 400  # pixels of a photograph


def pooled(model: keras.Model, layers: Sequence[str]) -> keras.Model:
    """The same network with the means of some layers' maps as its outputs, [B, C] each."""
    pool = keras.layers.GlobalAveragePooling2D
    outputs = {
        name: pool(name=f"{name}_mean_of_all")(model.get_layer(name).output) for name in layers
    }
    return keras.Model(model.input, outputs)


def fit(model: keras.Model, splits: Splits, layers: Sequence[str]) -> dict[str, Any]:
    """Fit the score on training and validation images; return its numbers and arrays."""
    network, train = pooled(model, layers), Split(*(part[:FITTED_ON] for part in splits.train))
    return outliers.fit(
        frozen_features.predict(network, train.images),
        train.labels,
        frozen_features.predict(network, splits.validation.images),
        IN_DISTRIBUTION,
    )


def scored(features: Mapping[str, Any], calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The output `outlier_score` [B] from pooled features; none for older trainings without the score."""
    if "outlier_threshold" not in calibration:
        return {}
    return {"outlier_score": outliers.score(features, calibration)}


def tolerance(calibration: Mapping[str, Any]) -> dict[str, float]:
    """The tolerance of that output."""
    return {"outlier_score": 1e-3} if "outlier_threshold" in calibration else {}


def measure(
    model: keras.Model, splits: Splits, layers: Sequence[str], fitted: Mapping[str, Any]
) -> dict[str, Any]:
    """The share of test images flagged as outliers, and the AUROC against each kind of other image.

    Empty for images of another size than Fashion-MNIST's, which the others could not be compared with.
    """
    if splits.test.images.shape[1:] != (28, 28, 1):
        return {}
    network = pooled(model, layers)

    def score(images: np.ndarray) -> np.ndarray:
        return np.asarray(outliers.score(frozen_features.predict(network, images), fitted))

    test = score(splits.test.images)
    metrics: dict[str, Any] = {
        "test_called_outlier": evaluation.proportion(int((test > 0.5).sum()), len(test))
    }
    for name, images in out_of_distribution().items():
        other = score(images)
        metrics[f"test_outlier_auroc_{name}"] = round(evaluation.auroc(other, test), 4)
        metrics[f"{name}_called_outlier"] = round(float((other > 0.5).mean()), 4)
    return metrics


def out_of_distribution() -> dict[str, np.ndarray]:
    """Images uint8 [B, 28, 28, 1] that show no clothing, by kind."""
    random = np.random.default_rng(1)
    photos = [
        np.asarray(Image.fromarray(photo).convert("L"))
        for photo in sklearn.datasets.load_sample_images().images
    ]
    crops = [_crop(photos[number % len(photos)], random) for number in range(CROPS)]
    digits = [_digit(image) for image in sklearn.datasets.load_digits().images]
    noise = random.integers(0, 256, (NOISE, 28, 28), np.uint8)
    kinds = {"digits": np.stack(digits), "photos": np.stack(crops), "noise": noise}
    return {name: images[..., np.newaxis] for name, images in kinds.items()}


def _crop(photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A square crop of a photograph, of random position and size, as 28×28 pixels."""
    side = int(random.integers(SMALLEST_CROP, LARGEST_CROP))
    top, left = (int(random.integers(0, size - side)) for size in photo.shape)
    square = Image.fromarray(photo[top : top + side, left : left + side])
    return np.asarray(square.resize((28, 28), Image.Resampling.BOX))


def _digit(image: np.ndarray) -> np.ndarray:
    """One of scikit-learn's digits, 8×8 in 0..16, in MNIST's format: 20×20 in the middle of 28×28."""
    grey = Image.fromarray((image * (255 / 16)).astype(np.uint8))
    return np.pad(np.asarray(grey.resize((20, 20), Image.Resampling.BILINEAR)), 4)
