"""A head of the page, imported on an exported model: the same probabilities, its backbone's input, errors in words."""

import base64
import json

import numpy as np
import pytest
import tensorflow as tf

from service.runtime.engines import engine_loader
from service.runtime.manifest import read_manifest
from service.runtime.model import load_model
from training.export import saved_model
from training.job import Signature
from training.keras_import import head

pytestmark = pytest.mark.tensorflow
KERNEL = np.array([[2.0, -1.0], [0.5, 1.0], [-1.0, 3.0]], np.float32)
BIAS = [0.25, -0.5]


class Backbone(tf.Module):
    """Features of 6×5 pixels: the mean of each channel."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable(1 / 255)

    def features(self, images):
        return {"features": tf.reduce_mean(tf.cast(images, tf.float32), [1, 2]) * self.scale}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder, backbone = tmp_path_factory.mktemp("models"), Backbone()
    inputs = {"images": tf.TensorSpec([None, 6, 5, 3], tf.uint8)}
    golden = {"images": np.full((2, 6, 5, 3), 9, np.uint8)}
    artefact = saved_model.Artefact(
        task="classify_image",
        input={"height": 6, "width": 5, "channels": 3, "resize": "bilinear", "crop": 0.875},
        labels=[("a", "a")],
        signatures={"features": Signature(backbone.features, inputs, {"features": 1e-3}, golden)},
        tracked=backbone,
        fields={"max_batch_size": 4},
        card={},
        origin="imported",
        digest="sha256:0",
    )
    saved_model.write(artefact, folder, "labels")
    return folder


def head_file(folder, **changes):
    content = {
        "format": 1,
        "on": "labels/1",
        "labels": ["cat", "dog"],
        "bias": BIAS,
        "accuracy": 0.9,
        "images": 20,
    }
    content["kernel"] = base64.b64encode(KERNEL.astype("<f4").tobytes()).decode()
    path = folder / "head.json"
    path.write_text(json.dumps(content | changes))
    return path


def test_a_head_becomes_a_model_with_its_backbones_input(models, tmp_path):
    version = head.import_head(head_file(tmp_path), "labels", "pets", models)
    manifest = read_manifest(version)
    images = np.random.default_rng(3).integers(0, 256, (4, 6, 5, 3), np.uint8)
    served = tf.saved_model.load(str(version)).signatures["serving_default"](
        images=tf.constant(images)
    )
    logits = images.mean(axis=(1, 2)) / 255 @ KERNEL + BIAS
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    assert manifest.labels == [("cat", "cat"), ("dog", "dog")]
    assert (manifest.input.crop, manifest.max_batch_size) == (0.875, 4)
    assert set(manifest.signatures) == {"serving_default", "features"}
    np.testing.assert_allclose(served["probabilities"], expected, atol=1e-5)
    shared = "assets.extra/onnx/backbone/images.onnx"
    assert (version / shared).samefile(models / "labels/1/assets.extra/onnx/images.onnx")
    model = load_model(version, engine_loader("onnx", lambda _: None))
    found = model.run("serving_default", {"images": images})["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    other = head.import_head(head_file(tmp_path, bias=[0, 0]), "labels", "toys", models)
    assert (other / head.VARIABLES).samefile(version / head.VARIABLES)
    card = json.loads((version / "assets.extra" / "card.json").read_text())
    assert card["metrics"] == {"cross_validated_accuracy": 0.9}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format 1, got 2"),
        ({"labels": ["cat", "cat"]}, "two different labels"),
        ({"kernel": "?"}, "head.json saved by the page"),
        ({"bias": [1, 2, 3]}, "one bias each"),
        ({"bias": [1, float("nan")]}, "finite"),
        ({"kernel": base64.b64encode(bytes(16)).decode()}, "has 3 features, got 2"),
    ],
)
def test_what_is_no_head_of_this_model_is_said(models, tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        head.import_head(head_file(tmp_path, **changes), "labels", "pets", models)


def test_a_base_that_is_not_there_is_said(models, tmp_path):
    with pytest.raises(ValueError, match="--on must be a model in"):
        head.import_head(head_file(tmp_path), "absent", "pets", models)
