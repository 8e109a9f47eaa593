"""The text jobs, end to end, on a text that is made on the spot: train, resume, card, export, reload."""

import dataclasses
import json
import random
import subprocess
import sys

import keras
import numpy as np
import pytest

from training import run
from training.export import card_text
from training.jobs import text, text_course
from training.text import corpus, lstm
from training.text import fitting as text_fitting
from training.text import model as text_model

pytestmark = pytest.mark.tensorflow
CONFIG = text_course.Config(
    epochs=3, batch_size=4, window=24, units=12, layers=2, dropout=0.2, weight_drop=0.1
)
LOAD_AND_WRITE = """
import sys, hashlib, numpy as np, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
golden = np.load(sys.argv[1] + "/assets.extra/golden.npz")
digest = hashlib.sha256()
for name in sorted(loaded.signatures):
    begin = name + "/inputs/"
    given = {k.removeprefix(begin): tf.constant(golden[k]) for k in golden if k.startswith(begin)}
    if name == "generate":
        given["temperature"] = tf.ones_like(given["temperature"])
        given["lengths"] = given["lengths"] * 0 + 20
    for key, output in sorted(loaded.signatures[name](**given).items()):
        digest.update(key.encode() + output.numpy().tobytes())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Six thousand characters of a language with twenty words."""
    rng = random.Random(1)
    words = ["".join(rng.choices("aeioubdgklmnrst", k=rng.randint(2, 7))) for _ in range(20)]
    lines = [" ".join(rng.choices(words, k=6)).capitalize() + "." for _ in range(200)]
    path = tmp_path_factory.mktemp("book") / "book.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def fit(config, book, work):
    """Train with bfloat16 without measuring or exporting; return the weights and the history."""
    work.mkdir(exist_ok=True)
    splits = corpus.load_text(config, str(book))
    config = splits.complete_config(config).resolve({"precision": "bfloat16"})
    keras.utils.set_random_seed(config.seed)
    model = text_model.build_model(config)
    return model, text_fitting.train(model, splits, config, work)


def run_job(book, folder):
    places = {"workdir": folder / "work", "models": folder / "models", "name": "mine"}
    return run.train(text_course.JOB, CONFIG, data=str(book), **places)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, book):
    """A run of three epochs, stopped after the second and resumed on another processor."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lstm, "precision_for", lambda _: "bfloat16")
        patch.setattr(text_fitting._Training, "_gave_up", stop_after(2))
        patch.setattr(run.release, "round_weights", stop)
        with pytest.raises(Stopped):
            run_job(book, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lstm, "precision_for", lambda _: "float32")
        return folder, run_job(book, folder)


class Stopped(Exception):
    """A training was stopped before it was measured."""


def stop(*_, **__):
    raise Stopped


def stop_after(epochs):
    return lambda training: len(training.seen["history"]) == epochs


def read_card(version):
    return json.loads((version / "assets.extra" / "card.json").read_text())


def read_manifest(version):
    return json.loads((version / "assets.extra" / "manifest.json").read_text())


def test_the_released_network_has_the_parameters_of_its_formula():
    config = text.Config(vocabulary="".join(map(chr, range(65, 130))))

    model = text_model.build_model(config)

    first, second, head = 4 * (65 + 385) * 384, 4 * (384 + 385) * 384, 385 * 65
    assert model.count_params() == first + second + head


def test_a_stopped_training_goes_on_as_if_it_had_not_been(trained, book, tmp_path):
    folder, version = trained
    model, history = fit(CONFIG, book, tmp_path)

    assert history["validation_nats"] == read_card(version)["history"]["validation_nats"]
    assert history["samples"] == read_card(version)["history"]["samples"]
    with np.load(folder / "work" / "release" / "weights.npz") as released:
        for variable in model.weights:
            np.testing.assert_array_equal(released[variable.path], variable.numpy().astype("f2"))


def test_it_learns(trained):
    _, version = trained
    losses = read_card(version)["history"]["validation_nats"]

    assert losses[2] < losses[1] < losses[0] < np.log(30)


def test_a_finished_training_has_nothing_left_to_do(trained, book):
    folder, version = trained
    before = (folder / "work" / "checkpoint.npz").read_bytes()

    _, history = fit(CONFIG, book, folder / "work")

    assert (folder / "work" / "checkpoint.npz").read_bytes() == before
    assert history == read_card(version)["history"]


def test_the_precision_is_decided_once_and_kept(trained):
    folder, version = trained

    assert read_card(version)["configuration"]["precision"] == "bfloat16"
    assert str(np.load(folder / "work" / "checkpoint.npz")["precision"]) == "bfloat16"


def test_a_checkpoint_of_another_precision_is_refused(book, tmp_path):
    config = text_course.Config(epochs=1, batch_size=4, window=24, units=4, precision="float32")
    fit(config, book, tmp_path)

    with pytest.raises(ValueError, match="resume with --precision float32"):
        fit(dataclasses.replace(config, precision="bfloat16"), book, tmp_path)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision must be auto, float32 or bfloat16, got 'half'"):
        text_course.Config(precision="half")


def test_another_text_never_goes_on_with_an_old_checkpoint(trained, book, tmp_path):
    folder, _ = trained
    other = tmp_path / "other.txt"
    other.write_text(book.read_text().upper())

    with pytest.raises(ValueError, match="another"):
        run_job(other, folder)


def test_it_gives_up_when_nothing_improves(book, tmp_path, capsys):
    fit(text_course.Config(epochs=9, units=4, learning_rate=0.0, patience=1), book, tmp_path)

    assert "stopped: no better for 1 epochs" in capsys.readouterr().out


def test_the_card_says_how_good_it_is_beside_what(trained):
    _, version = trained
    made = read_card(version)
    metrics = made["metrics"]

    assert metrics["validation_nats_per_character"] < np.log(
        len(made["configuration"]["vocabulary"])
    )
    assert 0.25 <= made["calibration"]["temperature"] <= 4
    assert metrics["commonest_character"] == "' '"
    assert metrics["validation_accuracy"]["count"] == made["data"]["validation"]
    assert 0 < metrics["kneser_ney_7_gram_nats_per_character"] < 2
    assert (
        metrics["written_at_0.5_longest_copy"] >= metrics["written_at_0.5_longest_copy_95_percent"]
    )
    assert made["history"]["shapes"] == {
        "x": "int32 [2, 24]",
        "y": "int32 [2, 24]",
        "preds": f"float32 [2, 24, {made['data']['symbols']}]",
    }


def test_the_card_has_samples_on_the_way_and_reads_well(trained):
    _, version = trained
    samples = read_card(version)["history"]["samples"]

    assert [sample["when"] for sample in samples[:2]] == ["step 10", "step 30"]
    assert samples[-1]["when"] == "epoch 3"
    steps = [sample["step"] for sample in samples]
    assert steps == sorted(set(steps)), "an epoch that ends at such a step is told once"
    assert {
        len(sample[diversity]) for sample in samples for diversity in ("0.2", "0.5", "1.0")
    } == {200}
    shown = card_text.render(read_card(version))
    assert "four gates, each of input, own output and bias" in shown
    assert "preds" in shown


def test_the_manifest_says_all_that_serving_needs(trained):
    _, version = trained
    manifest = read_manifest(version)

    assert manifest["format"] == 1
    assert manifest["task"] == "generate_text"
    assert "input" not in manifest
    assert manifest["labels"] == []
    assert manifest["vocabulary"] == sorted(manifest["vocabulary"])
    assert (manifest["batch_sizes"], manifest["max_batch_size"]) == ([2, 4, 8, 16, 32], 32)
    assert manifest["compiled"] is True
    assert manifest["signatures"]["prefill"] == {
        "inputs": {"token_ids": "int32 [B,T]", "lengths": "int32 [B]"},
        "outputs": {"state": "float32 [B,48]"},
    }
    assert manifest["signatures"]["generate"]["outputs"] == {
        "token_ids": "int32 [B,T]",
        "logprobs": "float32 [B,T]",
        "top_ids": "int32 [B,T,5]",
        "top_logprobs": "float32 [B,T,5]",
        "state": "float32 [B,48]",
    }


def test_golden_outputs_are_of_given_characters_and_states_only(trained):
    _, version = trained
    with np.load(version / "assets.extra" / "golden.npz") as golden:
        outputs = {name for name in golden if "/outputs/" in name}
        steps = read_manifest(version)["steps"]
        assert golden["generate/inputs/uniforms"].shape == (4, steps)
        assert golden["score/inputs/token_ids"].shape == (4, steps)
        assert not golden["generate/inputs/temperature"].any()

    assert outputs == {
        "prefill/outputs/state",
        "read/outputs/logprobs",
        "read/outputs/state",
        "generate/outputs/logprobs",
        "generate/outputs/state",
        "score/outputs/logprobs",
    }


@pytest.mark.nightly  # TensorFlow once more; tests/contract/test_text.py compares texts of two processes at every change
def test_two_processes_write_the_same_bits(trained, monkeypatch, capsys):
    _, version = trained
    command = [sys.executable, "-c", LOAD_AND_WRITE, str(version)]
    theirs = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    monkeypatch.setattr(sys, "argv", command[2:])
    exec(LOAD_AND_WRITE, {})

    assert capsys.readouterr().out == theirs
    assert len(theirs.strip()) == 64
