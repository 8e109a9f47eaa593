"""Transfer learning both ways, on a few coloured squares: train, resume, export, reload."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import LinearSVC

from training import run
from training.data import image_folder
from training.data.mnist import synthetic_digits
from training.export import release
from training.jobs import fashion_dense, fashion_svm
from training.pretrained import fashion_outliers, frozen_features

pytestmark = pytest.mark.tensorflow

JOBS = {
    "dense": (fashion_dense.JOB, fashion_dense.Config(epochs=1, batch_size=8, side=32)),
    "svm": (fashion_svm.JOB, fashion_svm.Config(components=16, landmarks=40, side=32)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of images, which a look at the colour tells apart."""
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for name, colour in (("grass", (30, 160, 40)), ("night", (20, 20, 90))):
        (folder / name).mkdir()
        for number in range(12):
            noise = random.integers(0, 40, (64, 64, 3)) + np.array(colour)
            Image.fromarray(noise.astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module", params=JOBS)
def trained(request, folder, tmp_path_factory):
    job, config = JOBS[request.param]
    places = tmp_path_factory.mktemp(request.param)
    version = run.train(
        job, config, data=folder, workdir=places / "work", models=places / "models", name="mine"
    )
    return job, places, version


def manifest(version):
    return json.loads((version / "assets.extra" / "manifest.json").read_text())


def test_a_folder_of_images_becomes_a_model_of_its_classes(trained):
    job, _, version = trained
    written = manifest(version)

    assert written["task"] == "classify_image"
    assert written["labels"] == [["grass", "grass"], ["night", "night"]]
    assert written["input"] == {
        "height": 160, "width": 160, "channels": 3, "resize": "bilinear", "crop": 1.0,
    }  # fmt: skip
    assert written["max_batch_size"] == 8
    assert written["scores"] == ("probability" if job is fashion_dense.JOB else "decision")


def test_it_tells_the_classes_apart_at_any_batch_size(trained, folder):
    _, _, version = trained
    serve = tf.saved_model.load(str(version)).signatures["serving_default"]
    images = np.stack([image_folder.read_photo(folder / n / "3.png") for n in ("grass", "night")])

    scores = serve(images=tf.constant(images))["scores"].numpy()
    alone = serve(images=tf.constant(images[:1]))["scores"].numpy()

    assert scores.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(alone, scores[:1], atol=1e-4)


def test_frozen_layers_are_not_released_and_come_back_from_their_package(trained):
    job, places, _ = trained
    finished = release.read(places / "work" / "release")
    with np.load(finished.folder / release.WEIGHTS) as arrays:
        names = [name for name in arrays.files if not name.startswith(release.CALIBRATION)]

    assert names
    assert not [
        name for name in names if name.startswith(("stem", "stage1", "stage5")) or "_bn" in name
    ]
    model = job.build_model(job.config(**finished.card["configuration"]))
    release.load_weights(finished, model)
    again = job.build_model(job.config(**finished.card["configuration"]))
    kernel = model.get_layer("stem").get_weights()[0]
    np.testing.assert_array_equal(kernel, again.get_layer("stem").get_weights()[0])
    assert np.abs(kernel).max() > 0


def test_the_dense_head_gives_probabilities(trained):
    job, _, version = trained
    serve = tf.saved_model.load(str(version)).signatures["serving_default"]
    scores = serve(images=tf.zeros((3, 160, 160, 3), tf.uint8))["scores"].numpy()
    if job is fashion_dense.JOB:
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    else:
        np.testing.assert_allclose(scores[:, 0], -scores[:, 1], atol=1e-4)


def small_model(config):
    """A model with every part but the network: projection, kernel and decision are what is tested."""
    model = fashion_svm.build_model(config)
    random = np.random.default_rng(3)
    shapes = [array.shape for array in model.get_layer("principal_components").get_weights()]
    model.get_layer("principal_components").set_weights(
        [random.normal(0, 0.02, shape).astype(np.float32) for shape in shapes]
    )
    return model


def test_the_folded_machine_decides_as_scikit_learns_does():
    config = fashion_svm.Config(components=12, landmarks=30, side=32)
    model = small_model(config)
    images = synthetic_digits(60, seed=1).images
    labels = np.arange(60) % 10
    projector = keras.Model(model.input, model.get_layer("principal_components").output)
    projected = projector.predict(images.astype(np.float32), verbose=0)
    landmarks = fashion_svm.half(projected[:30])
    weights, intercept = fashion_svm.fit_machine(projected, labels, landmarks, config)
    model.get_layer("kernel").set_weights([landmarks])
    model.get_layer("decision").set_weights([weights, intercept])
    release.round_weights(model)

    machine = LinearSVC().fit(rbf_kernel(projected, landmarks, gamma=config.gamma), labels)
    rounded_weights, rounded_intercept = model.get_layer("decision").get_weights()
    machine.coef_, machine.intercept_ = rounded_weights.T, rounded_intercept
    again = projector.predict(images.astype(np.float32), verbose=0).astype(np.float64)
    expected = machine.decision_function(rbf_kernel(again, landmarks, gamma=config.gamma))

    served = fashion_svm.signatures(model, {})["serving_default"].function(tf.constant(images))
    np.testing.assert_allclose(served["scores"], expected, atol=1e-4)


def test_the_released_machine_decides_as_scikit_learns_does():
    finished = release.read(release.RELEASED / fashion_svm.JOB.name)
    config = fashion_svm.Config(**finished.card["configuration"])
    model = fashion_svm.build_model(config)
    release.load_weights(finished, model)
    images = synthetic_digits(10, seed=4).images
    projector = keras.Model(model.input, model.get_layer("principal_components").output)
    projected = np.asarray(projector(images.astype(np.float32))).astype(np.float64)
    [landmarks] = model.get_layer("kernel").get_weights()
    machine = LinearSVC()
    machine.classes_ = np.arange(10)
    weights, machine.intercept_ = model.get_layer("decision").get_weights()
    machine.coef_ = weights.T.astype(np.float64)

    served = fashion_svm.signatures(model, {})["serving_default"].function(tf.constant(images))

    compared = rbf_kernel(projected, landmarks.astype(np.float64), gamma=config.gamma)
    np.testing.assert_allclose(served["scores"], machine.decision_function(compared), atol=1e-4)


def test_larger_images_have_no_more_features_than_small_ones():
    small = fashion_svm.build_model(fashion_svm.Config())
    photos = fashion_svm.build_model(fashion_svm.Config(height=160, width=160, channels=3))

    assert small.get_layer("features").output.shape == (None, 6 * 6 * (80 + 112))
    assert photos.get_layer("features").output.shape == (None, 5 * 5 * (80 + 112))


def test_before_rounding_the_machine_is_one_on_scikit_learns_nystroem_features():
    """Both turn the features differently, which a linear machine notices no more than to its tolerance."""
    random = np.random.default_rng(5)
    config = fashion_svm.Config(landmarks=20)
    rows = random.normal(0, 1, (200, 6)).astype(np.float32)
    labels = (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0)
    landmarks = rows[:20]

    weights, intercept = fashion_svm.fit_machine(rows, labels, landmarks, config)

    features = Nystroem(gamma=config.gamma, n_components=20).fit(landmarks).transform(rows)
    machine = LinearSVC(C=config.c, dual=False).fit(features, labels)
    decided = rbf_kernel(rows, landmarks, gamma=config.gamma) @ weights + intercept
    np.testing.assert_allclose(decided, machine.decision_function(features), atol=0.02)


def test_features_are_extracted_once(tmp_path, capsys):
    network = frozen_features.backbone(frozen_features.TransferConfig(side=32))
    images = synthetic_digits(5, seed=2).images

    first = frozen_features.extract(network, images, tmp_path / "features")
    assert "0 of 5" in capsys.readouterr().err
    second = frozen_features.extract(network, images, tmp_path / "features")
    assert capsys.readouterr().err == ""
    frozen_features.extract(network, images[:4], tmp_path / "features")

    assert "0 of 4" in capsys.readouterr().err
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float16


def test_fashion_images_are_enlarged_and_photos_are_not():
    small = frozen_features.backbone(frozen_features.TransferConfig(side=32))
    large = frozen_features.backbone(
        frozen_features.TransferConfig(height=160, width=160, channels=3)
    )

    assert small.get_layer("resize").output.shape == (None, 32, 32, 1)
    assert "resize" not in {layer.name for layer in large.layers}
    assert not small.trainable_weights


@pytest.mark.parametrize("job", [fashion_dense.JOB, fashion_svm.JOB])
def test_the_released_heads_tell_garments_from_what_is_none(job):
    finished = release.read(release.RELEASED / job.name)
    model = job.build_model(job.config(**finished.card["configuration"]))
    release.load_weights(finished, model)
    signature = job.signatures(model, release.read_calibration(finished))["serving_default"]
    for kind, images in fashion_outliers.out_of_distribution().items():
        scores = signature.function(tf.constant(images[:20]))["outlier_score"].numpy()
        assert (scores > 0.5).mean() > 0.9, kind
    metrics = finished.card["metrics"]
    assert metrics["test_called_outlier"]["value"] < 0.03
    assert (
        min(metrics[f"test_outlier_auroc_{kind}"] for kind in ("digits", "photos", "noise")) > 0.99
    )
