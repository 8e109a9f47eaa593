"""Transfer learning with a support vector machine: features of EfficientNet-Lite0's stages, an RBF kernel.

The frozen network takes 96×96 pixels. The outputs of its stages 4 and 5 at each of 6×6 positions are
signed-square-rooted, standardized and projected on the first principal components. Means over the whole
image would be smaller, but the position of a collar or a heel distinguishes clothes. An exact kernel machine on
all training images would keep thousands of them; this one compares with a few random ones
(Nyström's approximation; Williams and Seeger, 2001), and a linear SVM of scikit-learn weights the
comparisons. Everything is folded into the graph: a projection, a kernel, a matrix.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import LinearSVC

from training import evaluation
from training.data import labelled_images
from training.evaluation import outliers
from training.evaluation.batches import in_batches
from training.export import batchnorm_folding
from training.job import Job, Signature, Splits
from training.pretrained import fashion_outliers, frozen_features
from training.pretrained.frozen_features import TransferConfig

MAPS = ("stage4", "stage5")  # whose outputs are the features, place by place
GRID = 6  # places a side at most; larger maps are averaged down to it
FITTED_ON = 10_000  # rows that mean, variance and principal components are computed from
BLOCK = 5000  # rows worked on at a time


@dataclass(frozen=True)
class Config(TransferConfig):
    """The recipe's numbers."""

    epochs: int = 0  # nothing is trained by descent
    components: int = 128
    landmarks: int = 3000  # training images that every image is compared with
    gamma: float = 1.0  # of exp(-γ · squared distance), of vectors whose mean squared length is 1
    c: float = 3.0  # of the linear SVM; larger: fewer errors in training, narrower margin


class RbfKernel(keras.layers.Layer):
    """Compare float32 [B, D] with landmarks [M, D]: exp(-γ |x - l|²), [B, M]."""

    def __init__(self, landmarks: int, gamma: float, **options: Any) -> None:
        super().__init__(**options)
        self.count, self.gamma = landmarks, gamma

    def build(self, input_shape: Any) -> None:
        """Make room for the landmarks."""
        self.landmarks = self.add_weight(
            shape=(self.count, input_shape[-1]), name="landmarks", initializer="zeros"
        )

    def call(self, inputs: Any) -> Any:
        """Float32 [B, D] → [B, M]."""
        ops = keras.ops
        products = ops.matmul(inputs, ops.transpose(self.landmarks))
        squares = ops.sum(inputs**2, axis=1, keepdims=True) + ops.sum(self.landmarks**2, axis=1)
        return ops.exp(-self.gamma * ops.maximum(squares - 2 * products, 0.0))


def build_model(config: Config) -> keras.Model:
    """Map float32 [B, H, W, C] in 0..255 to decision values [B, classes]."""
    layers, network = keras.layers, frozen_features.backbone(config)
    maps = [_at_most_grid(network.get_layer(name).output, name) for name in MAPS]
    x = layers.Concatenate(name="features")(maps)
    x = layers.Activation(signed_square_root, name="signed_square_root")(x)
    x = layers.Dense(config.components, name="principal_components")(x)
    x = RbfKernel(config.landmarks, config.gamma, name="kernel")(x)
    scores = layers.Dense(config.classes, name="decision")(x)
    model = keras.Model(network.input, scores, name="fashion_svm")
    for layer in model.layers:
        layer.trainable = layer.name in ("principal_components", "kernel", "decision")
    return model


def _at_most_grid(maps: Any, name: str) -> Any:
    """[B, h, w, C] as [B, F], neighbouring places averaged until there are GRID a side at most."""
    size = tuple(math.ceil(side / GRID) for side in maps.shape[1:3])
    if size != (1, 1):
        maps = keras.layers.AveragePooling2D(size, name=f"{name}_mean")(maps)
    return keras.layers.Flatten(name=f"{name}_flat")(maps)


def signed_square_root(x: Any) -> Any:
    """Long tails drawn in: sign(x) · √|x|."""
    return keras.ops.sign(x) * keras.ops.sqrt(keras.ops.abs(x))


def train(model: keras.Model, splits: Splits, config: Config, workdir: Path) -> dict[str, Any]:
    """Extract, project, compare, and fit the SVM; fill the model's three layers with what was found."""
    started = time.monotonic()
    network = keras.Model(model.input, model.get_layer("features").output)
    kept = frozen_features.extract(network, splits.train.images, workdir / "features-train")
    extracted = time.monotonic()
    # Rounded as they will be released, so that the SVM is fitted to what it will be given.
    kernel, bias = (half(array) for array in fit_projection(kept[:FITTED_ON], config))
    projected = project(kept, kernel, bias)
    landmarks = half(_draw(projected, config))
    coefficients, intercept = fit_machine(projected, splits.train.labels, landmarks, config)
    model.get_layer("principal_components").set_weights([kernel, bias])
    model.get_layer("kernel").set_weights([landmarks])
    model.get_layer("decision").set_weights([coefficients, intercept])
    seconds = [extracted - started, time.monotonic() - extracted]
    return {"seconds": [round(number, 1) for number in seconds]}


def half(array: np.ndarray) -> np.ndarray:
    """Return what half precision keeps, as float32."""
    return array.astype(np.float16).astype(np.float32)


def project(features: np.ndarray, matrix: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Kept features [B, F] → float32 [B, D], what the kernel compares; a block at a time."""
    return in_batches(lambda b: _roots(b) @ matrix + bias, features, rows=BLOCK)


def _roots(features: np.ndarray) -> np.ndarray:
    return np.asarray(signed_square_root(features.astype(np.float32)))


def fit_projection(features: np.ndarray, config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Standardize and project [B, F]: a matrix [F, D] and a bias [D] after which |x|² is 1 on average."""
    rows = _roots(features)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    components = min(config.components, *rows.shape)
    fitted = PCA(components, svd_solver="randomized", random_state=config.seed)
    fitted.fit((rows - mean) / deviation)
    matrix = np.zeros((rows.shape[1], config.components), np.float32)
    matrix[:, :components] = fitted.components_.T / deviation[:, np.newaxis]
    bias = -mean @ matrix
    length = np.sqrt(((rows @ matrix + bias) ** 2).sum(axis=1).mean())
    return matrix / length, bias / length


def _draw(projected: np.ndarray, config: Config) -> np.ndarray:
    """Landmarks [M, D]: training rows at random; too few rows are drawn more than once."""
    random = np.random.default_rng(config.seed)
    few = len(projected) < config.landmarks
    return projected[random.choice(len(projected), config.landmarks, replace=few)]


def fit_machine(
    projected: np.ndarray, labels: np.ndarray, landmarks: np.ndarray, config: Config
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the linear SVM on Nyström's features; return weights [M, classes] of the comparisons, and bias.

    The features are k(x, landmarks) · K^(-1/2), so that their products are the kernel; the matrix is
    folded into the SVM's weights, and directions in which the landmarks hardly differ are left out.
    """
    values, vectors = np.linalg.eigh(rbf_kernel(landmarks, gamma=config.gamma).astype(np.float64))
    kept = values > 1e-4 * values.max()
    root = (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    features = _compare(projected, landmarks, config.gamma) @ root
    machine = LinearSVC(C=config.c, dual=True, tol=1e-3, max_iter=5000, random_state=config.seed)
    machine.fit(features, labels)
    weights, intercept = machine.coef_.T, machine.intercept_
    if weights.shape[1] == 1:  # two classes have one boundary; each class gets its side of it
        weights, intercept = np.hstack([-weights, weights]), np.hstack([-intercept, intercept])
    return (root @ weights).astype(np.float32), intercept.astype(np.float32)


def _compare(rows: np.ndarray, landmarks: np.ndarray, gamma: float) -> np.ndarray:
    """The kernel of [B, D] and [M, D] in float32, a block at a time."""
    return in_batches(lambda b: rbf_kernel(b, landmarks, gamma=gamma), rows, rows=BLOCK)


def evaluate(model: keras.Model, splits: Splits) -> dict[str, Any]:
    """Measure on the validation split, then touch the test split once."""
    validation = frozen_features.predict(model, splits.validation.images)
    test = frozen_features.predict(model, splits.test.images)
    metrics = {
        "validation_accuracy": evaluation.accuracy(validation, splits.validation.labels),
        "test_accuracy": evaluation.accuracy(test, splits.test.labels),
        "test_confusion": evaluation.confusion(test, splits.test.labels),
    }
    fitted = fashion_outliers.fit(model, splits, MAPS)
    metrics |= fashion_outliers.measure(model, splits, MAPS, fitted)
    calibration = {"labels": list(splits.labels), "scores": "decision", **fitted}
    return {"metrics": metrics, "calibration": calibration}


def signatures(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Signature]:
    """`serving_default`: images uint8 [B, H, W, C] → decision values [B, classes] and the outlier score."""
    outputs = {name: model.get_layer(name).output for name in MAPS}
    network = batchnorm_folding.fold(keras.Model(model.input, outputs | {"scores": model.output}))

    def serving_default(images: tf.Tensor) -> dict[str, tf.Tensor]:
        found = outliers.pool(network(tf.cast(images, tf.float32), training=False))
        features = {name: found[name] for name in MAPS}
        return {"scores": found["scores"], **fashion_outliers.scored(features, calibration)}

    inputs = {"images": tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8)}
    golden = frozen_features.golden_images(model)
    tolerance = {"scores": 1e-3, **fashion_outliers.tolerance(calibration)}
    return {"serving_default": Signature(serving_default, inputs, tolerance, golden)}


JOB = Job(
    name="fashion-svm",
    description=__doc__,
    task=frozen_features.TASK,
    config=Config,
    load_data=labelled_images.load,
    build_model=build_model,
    train=train,
    evaluate=evaluate,
    signatures=signatures,
    input=frozen_features.INPUT,
    labels=[(name, name) for name in labelled_images.FASHION_LABELS],
    manifest_fields=frozen_features.manifest_fields,
)
