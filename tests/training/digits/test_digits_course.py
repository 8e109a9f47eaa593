"""The first job, end to end, on digits of Pillow's typeface: train, resume, card, export, reload."""

import dataclasses
import json

import numpy as np
import pytest

from training import run
from training.data.mnist import synthetic_digits
from training.job import Splits
from training.jobs import digits_course

pytestmark = pytest.mark.tensorflow

CONFIG = digits_course.Config(epochs=2, batch_size=20, shift=1.0, degrees=3.0, scale=0.02)


def synthetic_splits(config, data):
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((800, 40, 40))]
    return Splits(*parts, "synthetic")


SMALL_JOB = dataclasses.replace(digits_course.JOB, load_data=synthetic_splits)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run of two epochs, stopped after the first and resumed."""
    folder = tmp_path_factory.mktemp("run")
    places = {
        "data": None,
        "workdir": folder / "work",
        "models": folder / "models",
        "name": "mine",
    }
    one_epoch = digits_course.Config(**{**vars(CONFIG), "epochs": 1})
    run.train(SMALL_JOB, one_epoch, **places)
    version = run.train(SMALL_JOB, CONFIG, **places)
    return folder, version


def test_network_maps_images_to_ten_logits():
    model = digits_course.build_model(CONFIG)

    assert model(np.zeros((1, 28, 28, 1), np.float32)).shape == (1, 10)
    assert model.count_params() == 1_672_570


def test_a_stopped_training_goes_on_where_it_was(trained):
    folder, _ = trained
    history = (folder / "work" / "history.csv").read_text().split()

    assert [row.split(",")[0] for row in history] == ["epoch", "0", "1"]


def test_other_numbers_never_go_on_with_an_old_checkpoint(trained):
    folder, _ = trained
    other = digits_course.Config(**{**vars(CONFIG), "learning_rate": 0.1})

    with pytest.raises(ValueError, match=r"another learning_rate \(0.001, now 0.1\)"):
        run.check_resume_config(folder / "work", other, "synthetic")
    with pytest.raises(ValueError, match="another data"):
        run.check_resume_config(folder / "work", CONFIG, "something else")


def test_a_finished_training_exports_the_next_free_version(trained):
    folder, version = trained

    assert version == folder / "models" / "mine" / "2"
    assert not list((folder / "models" / "mine").glob(".tmp-*"))


def test_training_writes_tensorboard_events_that_can_be_read_back(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, _ = trained
    events = EventAccumulator(str(folder / "work" / "logs" / "train"))
    events.Reload()
    names = events.Tags()["tensors"]

    assert "epoch_loss" in names
    assert [event.step for event in events.Tensors("epoch_loss")] == [0, 1]


def test_the_card_says_what_was_trained_and_how_well(trained):
    card = json.loads((trained[1] / "assets.extra" / "card.json").read_text())

    assert card["data"] == {"source": "synthetic", "train": 800, "validation": 40, "test": 40}
    assert card["configuration"]["epochs"] == 2
    assert card["metrics"]["test_accuracy"]["count"] == 40
    assert card["metrics"]["test_accuracy"]["value"] > 0.5
    assert len(card["history"]["loss"]) == len(card["history"]["seconds"]) == 2
    conv1 = next(row for row in card["layers"] if row["name"] == "conv1")
    assert (conv1["shape"], conv1["parameters"]) == ([24, 24, 20], 520)


def test_the_directory_gives_its_golden_numbers_with_nothing_but_saved_model_load(trained):
    import tensorflow as tf

    directory = trained[1]
    manifest = json.loads((directory / "assets.extra" / "manifest.json").read_text())
    golden = np.load(directory / "assets.extra" / "golden.npz")
    loaded = tf.saved_model.load(str(directory))

    assert set(manifest["signatures"]) == {"serving_default", "activations"}
    for name, signature in manifest["signatures"].items():
        outputs = loaded.signatures[name](images=tf.constant(golden[f"{name}/inputs/images"]))
        assert set(outputs) == set(signature["outputs"])
        for key, tensor in outputs.items():
            np.testing.assert_allclose(
                tensor, golden[f"{name}/outputs/{key}"], rtol=1e-5, atol=1e-5
            )


def test_the_exported_graph_takes_any_batch_size_and_computes_what_keras_does(trained):
    import tensorflow as tf

    from training.export import release

    folder, directory = trained
    model = digits_course.build_model(CONFIG)
    finished = release.read(folder / "work" / "release")
    release.load_weights(finished, model)
    images = synthetic_digits(7, seed=9).images
    signature = tf.saved_model.load(str(directory)).signatures["serving_default"]
    found = signature(images=tf.constant(images))["probabilities"]

    logits = model(images.astype(np.float32), training=False)
    expected = tf.nn.softmax(logits / finished.card["calibration"]["temperature"])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_manifest_is_as_the_contract_says(trained):
    manifest = json.loads((trained[1] / "assets.extra" / "manifest.json").read_text())

    assert (manifest["name"], manifest["version"], manifest["task"]) == (
        "mine",
        2,
        "classify_digit",
    )
    assert manifest["origin"] == "trained"
    assert manifest["framework"].startswith("tensorflow 2.")
    assert manifest["signatures"]["serving_default"] == {
        "inputs": {"images": "uint8 [B,28,28,1]"},
        "outputs": {"probabilities": "float32 [B,10]", "outlier_score": "float32 [B]"},
    }
    assert list(manifest["signatures"]["activations"]["outputs"]) == [
        "conv1", "pool1", "conv2", "pool2", "dense1", "dense2", "logits",
    ]  # fmt: skip
    assert manifest["max_batch_size"] == 64
    assert "saved_model.pb" in manifest["files"]
