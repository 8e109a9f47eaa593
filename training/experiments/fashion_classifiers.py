"""The classifiers of the clothing comparison: support vector machines, last layers, a small network.

Classifiers that are not released are trained and evaluated once on the test split; the results of the
released ones are in their cards.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from sklearn.svm import SVC, LinearSVC

from training import evaluation
from training.experiments import small_cnn
from training.export import release
from training.job import Splits
from training.jobs import fashion_dense, fashion_svm, load_released
from training.pretrained import frozen_features

Step = Callable[[np.ndarray], np.ndarray]
DENSE = fashion_dense.Config()
KERNEL_IMAGES = 10_000  # training images of the exact RBF machines


class Candidate(NamedTuple):
    """One evaluated classifier."""

    name: str
    network: str  # the part of the pretrained network before it
    train_images: int
    seconds: float  # training time, without feature extraction
    numbers: int  # parameters besides the pretrained network
    accuracy: evaluation.Proportion  # on the test split
    answer: Step  # images uint8 [B, H, W, C] → scores [B, classes], the largest first


def train_all(splits: Splits, workdir: Path) -> Iterator[Candidate]:
    """Train or load all classifiers."""
    yield _on_pixels(splits)
    yield _last_layer(splits, workdir)
    yield _small_network(splits, workdir)
    yield from _on_features(splits, workdir)
    yield _released("fashion-svm", "RBF SVM with landmarks", "stages 1 to 5")
    yield _released("fashion-dense", "last stages fine-tuned", "all of it")


def _on_pixels(splits: Splits) -> Candidate:
    train, test = (_pixels(split.images) for split in (splits.train, splits.test))
    machine, measured = _fit(SVC(C=10), train[:KERNEL_IMAGES], test, splits)
    return Candidate(
        name="RBF SVM on pixels",
        network="none",
        answer=partial(_decide, machine, _pixels),
        **measured,
    )


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255


def _on_features(splits: Splits, workdir: Path) -> Iterator[Candidate]:
    """A linear and an exact machine on the projected features of the released one."""
    released, _ = load_released("fashion-svm")
    projection = released.get_layer("principal_components")
    network = keras.Model(released.input, released.get_layer("features").output)
    project = _graph(keras.Model(released.input, projection.output))
    train, test = (
        fashion_svm.project(
            frozen_features.extract(network, split.images, workdir / f"features-{name}"),
            *projection.get_weights(),
        )
        for name, split in (("train", splits.train), ("test", splits.test))
    )
    exact = SVC(C=10, gamma=released.get_layer("kernel").gamma)
    for name, unfitted, rows in (
        ("linear SVM on features", LinearSVC(), train),
        ("RBF SVM on features", exact, train[:KERNEL_IMAGES]),
    ):
        machine, measured = _fit(unfitted, rows, test, splits)
        measured["numbers"] += projection.count_params()
        decide = partial(_decide, machine, project)
        yield Candidate(name=name, network="stages 1 to 5", answer=decide, **measured)


def _decide(machine: Any, see: Step, images: np.ndarray) -> np.ndarray:
    return np.asarray(machine.decision_function(see(images)))


def _fit(
    machine: Any, train: np.ndarray, test: np.ndarray, splits: Splits
) -> tuple[Any, dict[str, Any]]:
    """Fit a machine of scikit-learn to the first images [B, F], and measure it."""
    started = time.monotonic()
    machine.fit(train, splits.train.labels[: len(train)])
    seconds = time.monotonic() - started
    weights = ("support_vectors_", "dual_coef_") if isinstance(machine, SVC) else ("coef_",)
    return machine, {
        "train_images": len(train),
        "seconds": seconds,
        "numbers": sum(getattr(machine, name).size for name in (*weights, "intercept_")),
        "accuracy": evaluation.accuracy(machine.decision_function(test), splits.test.labels),
    }


def _released(name: str, what: str, network: str) -> Candidate:
    """The accuracy of a released model, from its card."""
    model, card = load_released(name)
    return Candidate(
        name=f"{name}: {what}",
        network=network,
        train_images=card["data"]["train"],
        seconds=card["training"]["seconds"],
        numbers=_count(model),
        accuracy=card["metrics"]["test_accuracy"],
        answer=_graph(model),
    )


def _count(model: keras.Model) -> int:
    return sum(int(np.prod(variable.shape)) for variable in release.learned(model))


def _graph(model: keras.Model) -> Step:
    """A network as one graph, on uint8 images."""
    graph = tf.function(
        lambda images: model(tf.cast(images, tf.float32), training=False),
        input_signature=[tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8)],
    )
    return lambda images: graph(tf.constant(images)).numpy()


def _last_layer(splits: Splits, workdir: Path) -> Candidate:
    """The whole network frozen, a new last layer on the means of its last maps."""
    model = fashion_dense.build_model(splits.complete_config(DENSE))
    pooled = keras.Model(model.input, model.get_layer("avg_pool").output)
    train, test = (
        frozen_features.extract(pooled, split.images, workdir / f"pooled-{name}").astype(np.float32)
        for name, split in (("train", splits.train), ("test", splits.test))
    )
    last, started = model.get_layer("logits"), time.monotonic()
    fashion_dense.fit_last_layer(last, train, splits.train.labels)
    return Candidate(
        name="new last layer alone",
        network="all of it",
        train_images=len(train),
        seconds=time.monotonic() - started,
        numbers=last.count_params(),
        accuracy=evaluation.accuracy(np.asarray(last(test)), splits.test.labels),
        answer=_graph(model),
    )


def _small_network(splits: Splits, workdir: Path) -> Candidate:
    config = small_cnn.Config()
    model = small_cnn.build_model(config)
    history = small_cnn.train(model, splits, config, workdir / "small-network")
    scores = frozen_features.predict(model, splits.test.images)
    return Candidate(
        name="small network from scratch",
        network="none",
        train_images=len(splits.train.labels),
        seconds=sum(history["seconds"]),
        numbers=_count(model),
        accuracy=evaluation.accuracy(scores, splits.test.labels),
        answer=_graph(model),
    )
