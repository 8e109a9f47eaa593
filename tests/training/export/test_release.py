"""What is exported when, and that a user's models are never replaced."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from training import jobs
from training.__main__ import main
from training.cli import parallel
from training.export import release

NAME = "digits-course"


def write_manifest(models, version, **fields):
    folder = models / NAME / str(version) / "assets.extra"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(fields))


@pytest.fixture
def released():
    return release.read(release.RELEASED / NAME)


def test_a_model_that_is_not_there_is_missing(tmp_path, released):
    assert not release.is_exported(released, tmp_path, NAME)


def test_the_same_release_is_not_exported_twice(tmp_path, released):
    write_manifest(tmp_path, 1, origin="released", release=released.digest)

    assert release.is_exported(released, tmp_path, NAME)


def test_newer_released_weights_are_exported_beside_the_older_ones(tmp_path, released):
    write_manifest(tmp_path, 1, origin="released", release="sha256:older")

    assert not release.is_exported(released, tmp_path, NAME)


def test_a_model_that_a_user_trained_is_never_replaced(tmp_path, released):
    write_manifest(tmp_path, 1, origin="released", release="sha256:older")
    write_manifest(tmp_path, 2, origin="trained", release="sha256:mine")

    assert release.is_exported(released, tmp_path, NAME)


def test_a_directory_without_a_manifest_is_not_ours_to_replace(tmp_path, released):
    (tmp_path / NAME / "1").mkdir(parents=True)

    assert release.is_exported(released, tmp_path, NAME)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["fashion-dense", "fashion-svm", "gan"])
def test_a_released_network_with_frozen_layers_has_the_same_weights_whenever_it_is_built(name):
    first, again = (jobs.load_released(name)[0].get_weights() for _ in range(2))

    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.tensorflow
def test_one_export_that_fails_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(release, "NAMES", ("broken", NAME))
    monkeypatch.setattr(parallel, "MOST_PROCESSES", 1)  # test_parallel.py has two

    assert main(["export", "--models", str(tmp_path / "models")]) == 1

    assert "broken: not exported" in capsys.readouterr().err
    assert (tmp_path / "models" / NAME / "1" / "saved_model.pb").is_file()


def test_the_teacher_is_exported_only_where_it_is_named(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        parallel, "run_each", lambda export, names, models: asked.append(list(names))
    )

    assert main(["export", "--models", str(tmp_path)]) == 0
    assert main(["export", "digits-large", "--missing", "--models", str(tmp_path)]) == 0

    everything, named = asked
    assert "digits" in everything
    assert "digits-large" not in everything
    assert named == ["digits-large"]


def test_released_weights_are_half_precision_and_small():
    for folder in release.RELEASED.iterdir():
        weights = folder / release.WEIGHTS
        if not weights.exists():  # it is pretrained; its card says whose weights they are
            assert release.read(folder).card["provenance"]["sha256"]
            continue
        assert weights.stat().st_size < 6_000_000
        with np.load(weights) as arrays:
            trained = [n for n in arrays.files if not n.startswith(release.CALIBRATION)]
            assert {arrays[name].dtype for name in trained} == {np.dtype(np.float16)}


@pytest.mark.parametrize("name", ["digits", "digits-large"])
def test_the_released_digits_are_the_best_of_three_seeds_by_validation(name):
    card = release.read(release.RELEASED / name).card
    best = max(card["seeds"], key=lambda seed: seed["validation_accuracy"])

    assert len(card["seeds"]) == 3
    assert card["configuration"]["seed"] == best["seed"]
    assert sum(seed["test_accuracy"] for seed in card["seeds"]) / 3 >= 0.996
    assert card["metrics"]["test_expected_calibration_error"] <= 0.003


def test_the_released_course_network_is_as_good_as_it_has_to_be(released):
    assert released.card["metrics"]["test_accuracy"]["value"] >= 0.993
    assert released.card["data"]["test"] == 10_000


def trained(folder, seed, validation, **more):
    """A finished training as `run.train` leaves it, with these numbers in its card."""
    card = {
        "job": "digits",
        "configuration": {"seed": seed},
        "calibration": {"temperature": 0.5},
        "metrics": {
            "validation_accuracy": {"value": validation, "interval_95": [0, 1], "count": 10},
            "test_negative_log_likelihood": 0.01 * seed,
            "test_confusion": [[1]],
        },
        **more,
    }
    return release.write(
        folder, SimpleNamespace(weights=[], layers=[]), card, {"means": np.float32([seed])}
    )


def test_the_best_seed_by_validation_is_released_with_what_every_seed_reached(tmp_path):
    for seed, validation in ((1, 0.99), (2, 0.996), (3, 0.995)):
        trained(tmp_path / str(seed), seed, validation)

    chosen = release.choose([tmp_path / "1", tmp_path / "2", tmp_path / "3"], tmp_path / "out")

    assert chosen.card["configuration"]["seed"] == 2
    assert release.read_calibration(chosen)["means"] == 2
    assert release.read_calibration(chosen)["temperature"] == 0.5
    assert chosen.card["seeds"][2] == {
        "seed": 3,
        "validation_accuracy": 0.995,
        "test_negative_log_likelihood": 0.03,
    }


def test_a_release_is_made_of_one_recipe_and_different_seeds(tmp_path):
    trained(tmp_path / "1", 1, 0.99)
    trained(tmp_path / "same", 1, 0.99)
    trained(tmp_path / "other", 2, 0.99, job="digits-course")

    with pytest.raises(ValueError, match="different seeds"):
        release.choose([tmp_path / "1", tmp_path / "same"], tmp_path / "out")
    with pytest.raises(ValueError, match="of one job, got several"):
        release.choose([tmp_path / "1", tmp_path / "other"], tmp_path / "out")


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", [name for name in release.NAMES if name != "labels"])
def test_a_released_card_names_the_command_that_repeats_its_training(name):
    from training.export.card import training_command  # which imports TensorFlow

    card = release.read(release.RELEASED / name).card
    job = jobs.load(card["job"])

    assert card["command"] == training_command(job, job.config(**card["configuration"]))
