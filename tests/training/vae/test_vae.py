"""The autoencoders' arithmetic, a tiny training, and what is exported."""

import base64
import dataclasses
import io
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from training import run
from training.data.mnist import synthetic_digits, synthetic_images
from training.experiments import beta_sweep
from training.job import Splits
from training.jobs import ae_2d, vae, vae_2d
from training.vae import evaluation as vae_evaluation
from training.vae import fitting as vae_fitting
from training.vae import model as vae_model
from training.vae import signatures as vae_signatures

pytestmark = pytest.mark.tensorflow
SMALL = {"maps": 4, "units": 16, "epochs": 2, "batch_size": 20, "learning_rate": 3e-3, "cosine": 0}


def splits():
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((400, 60, 60))]
    return Splits(*parts, "synthetic")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return vae_model.build_model(vae.Config(**SMALL))


@pytest.fixture(scope="module")
def plain():
    keras.utils.set_random_seed(1)
    return vae_model.build_model(ae_2d.Config(**SMALL))


def reconstructed(model, noise, images=None):
    images = synthetic_digits(len(noise), seed=3).images if images is None else images
    signature = vae_signatures.signatures(model, {})["reconstruct"]
    return signature.function(tf.constant(images), tf.constant(noise, tf.float32))


def test_the_divergence_is_that_of_two_normal_distributions():
    mean, log_var = np.array([[0.0, 1.0]]), np.array([[0.0, np.log(4)]])

    kl = vae_model.kl_loss(tf.constant(mean), tf.constant(log_var)).numpy()

    assert kl == pytest.approx([0.5 * (1 + 4 - 1 - np.log(4))])


def test_the_reconstruction_loss_is_a_sum_over_pixels():
    ink, logits = np.ones((2, 28, 28, 1), np.float32), np.zeros((2, 28, 28, 1), np.float32)

    assert vae_model.reconstruction_loss(ink, logits).numpy() == pytest.approx(784 * np.log(2))


def test_without_noise_a_reconstruction_is_what_the_mean_decodes_to(model):
    images, done = synthetic_digits(5, seed=3).images, vae_signatures.signatures(model, {})
    mean = done["encode"].function(tf.constant(images))["z_mean"]

    decoded = done["decode"].function(mean)["images"].numpy()
    returned = reconstructed(model, np.zeros((5, 20)))["images"].numpy()

    assert np.abs(decoded.astype(int) - returned).max() <= 1
    assert decoded.dtype == np.uint8


def test_noise_moves_a_variational_autoencoder_and_no_plain_one(model, plain):
    for network, size, moves in ((model, 20, True), (plain, 2, False)):
        quiet = reconstructed(network, np.zeros((5, size)))["images"].numpy()
        noisy = reconstructed(network, np.full((5, size), 3.0))["images"].numpy()
        assert np.array_equal(quiet, noisy) is not moves


def test_no_latent_vector_breaks_the_decoder(model):
    decode = vae_signatures.signatures(model, {})["decode"].function

    for value in (0.0, -1e3, 1e30, np.inf):
        images = decode(tf.constant(np.full((1, 20), value, np.float32)))["images"]
        assert images.shape == (1, 28, 28, 1)


def test_the_divergence_is_let_in_by_and_by(model, tmp_path, monkeypatch):
    monkeypatch.setattr(vae_fitting.fitting, "fit", lambda *_: {})
    vae_fitting.train(model, splits(), vae.Config(**SMALL), tmp_path)

    weights = [float(model.kl_weight(step)) for step in (0, 2, 100)]
    assert weights == pytest.approx([0, 0.5, 1])  # 40 steps, a tenth of them


def test_the_same_seed_gives_the_same_network_and_a_finished_training_stays_as_it_is(tmp_path):
    config = vae_2d.Config(**{**SMALL, "epochs": 1, "depth": 0})
    weights = []
    for workdir in ("one", "one", "other"):
        keras.utils.set_random_seed(config.seed)
        network = vae_model.build_model(config)
        vae_fitting.train(network, splits(), config, tmp_path / workdir)
        weights.append(network.get_weights())

    for first, again, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, again)
        np.testing.assert_allclose(first, other, atol=1e-5)


def test_a_stopped_training_goes_on_where_it_was(tmp_path):
    for epochs in (1, 2):
        config = ae_2d.Config(**{**SMALL, "epochs": epochs})
        network = vae_model.build_model(config)
        history = vae_fitting.train(network, splits(), config, tmp_path)

    assert int(network.optimizer.iterations) == 40
    assert history["loss"][1] < history["loss"][0]


def test_a_second_cosine_starts_from_the_weights_of_the_first_with_the_whole_divergence(tmp_path):
    config = vae.Config(**{**SMALL, "epochs": 3, "cosine": 2})
    network = vae_model.build_model(config)
    vae_fitting.train_cosine(network, splits(), config, tmp_path, 0)
    end_of_first = network.get_weights()

    history = vae_fitting.train(network, splits(), config, tmp_path)

    moved = [np.abs(a - b).max() for a, b in zip(end_of_first, network.get_weights(), strict=True)]
    assert len(history["loss"]) == 3
    assert int(network.optimizer.iterations) == 20
    assert float(network.kl_weight(0)) == 1
    assert 0 < max(moved) < 0.2  # 20 steps of at most 3e-3 each


def test_binarised_images_are_new_in_every_epoch_and_noise_comes_with_them():
    grey = np.full((40, 28, 28, 1), 128, np.uint8)
    batches = vae_fitting.training_batches(grey, vae.Config(**SMALL))

    first, second = (next(iter(batches)) for _ in range(2))

    (ink, noise), target = first
    assert set(np.unique(ink)) == {0, 1}
    assert 0.45 < ink.numpy().mean() < 0.55
    assert noise.shape == (20, 20)
    assert np.array_equal(ink, target)
    assert not np.array_equal(ink, second[0][0])


def test_a_decoder_begins_at_the_mean_image():
    model = vae_model.build_model(vae_2d.Config(**SMALL))
    vae_fitting.start_at_mean(model, np.full((3, 28, 28, 1), 51, np.uint8))

    assert tf.sigmoid(model.get_layer("logits").bias).numpy() == pytest.approx([0.2], abs=1e-6)


def test_letters_are_drawn_like_digits():
    drawn = synthetic_images("AB", 4, seed=1)

    assert drawn.labels.tolist() == [0, 1, 0, 1]
    assert drawn.images.shape == (4, 28, 28, 1)
    assert drawn.images.max() == 255


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vae")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vae_evaluation, "IMPORTANCE_IMAGES", 10)
        patch.setattr(vae_evaluation, "PAIRS", 20)
        places = {"data": None, "workdir": folder / "work", "models": folder, "name": "mine"}
        job = dataclasses.replace(vae_2d.JOB, load_data=lambda config, data: splits())
        return folder, run.train(job, vae_2d.Config(**SMALL, depth=1), **places)


def image_size(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).size


def test_a_training_lowers_the_loss_and_is_measured(trained):
    card = json.loads((trained[1] / "assets.extra" / "card.json").read_text())
    history, metrics = card["history"], card["metrics"]

    assert history["loss"][-1] < history["loss"][0]
    assert {"kl_loss", "reconstruction_loss", "val_loss", "seconds"} <= history.keys()
    bound = metrics["test_rate"] + metrics["test_distortion"]
    assert metrics["test_negative_elbo"] == pytest.approx(bound, rel=1e-6)
    assert metrics["test_importance_weighted_nll_500"] < metrics["test_negative_elbo"] + 20
    assert len(metrics["test_rate_of_each_dimension"]) == 2
    assert 0 <= metrics["active_units"] <= 2
    assert metrics["latent_numbers"] == 2
    assert list(card["pictures"]) == ["reconstructions", "traversals", "manifold"]
    sizes = {name: image_size(uri) for name, uri in card["pictures"].items()}
    assert sizes == {"reconstructions": (280, 56), "traversals": (252, 56), "manifold": (280, 280)}
    assert metrics["found_again_drawn_from_the_prior"]["count"] == 20


def test_what_is_exported_is_as_the_contract_says(trained):
    manifest = json.loads((trained[1] / "assets.extra" / "manifest.json").read_text())

    images = {"images": "uint8 [B,28,28,1]"}
    assert manifest["task"] == "autoencode_image"
    assert manifest["signatures"]["encode"] == {
        "inputs": images,
        "outputs": {"z_mean": "float32 [B,2]", "z_log_var": "float32 [B,2]"},
    }
    assert manifest["signatures"]["decode"] == {"inputs": {"z": "float32 [B,2]"}, "outputs": images}
    assert manifest["signatures"]["reconstruct"]["inputs"] == {**images, "noise": "float32 [B,2]"}
    assert list(manifest["signatures"]["reconstruct"]["outputs"]) == [
        "images", "reconstruction_loss", "kl",
    ]  # fmt: skip


def test_every_layer_of_encoder_and_decoder_is_in_the_card(trained):
    card = json.loads((trained[1] / "assets.extra" / "card.json").read_text())

    rows = {row["name"]: row for row in card["layers"]}
    assert {"conv1", "z_mean", "z_log_var", "z", "dense2", "logits"} <= rows.keys()
    assert {"before1_add", "after1_add"} <= rows.keys()
    assert rows["logits"]["formula"] == "(6·6·4 + 1)·1 = 145; size 14·2 = 28"
    assert rows["logits"]["parameters"] == 145
    assert sum(row["parameters"] for row in card["layers"]) == card["parameters"]


def test_a_plain_autoencoders_numbers_have_the_spread_of_the_prior_and_its_images_stay(plain):
    images, done = synthetic_digits(50, seed=3).images, vae_signatures.signatures(plain, {})
    before = reconstructed(plain, np.zeros((50, 2)), images)["images"].numpy()

    vae_fitting.standardize(plain, images)

    z_mean = done["encode"].function(tf.constant(images))["z_mean"].numpy()
    assert z_mean.mean(axis=0) == pytest.approx([0, 0], abs=1e-3)
    assert z_mean.std(axis=0) == pytest.approx([1, 1], abs=1e-3)
    after = reconstructed(plain, np.zeros((50, 2)), images)["images"].numpy()
    assert np.abs(before.astype(int) - after).max() <= 1


def test_a_plain_autoencoder_is_measured_by_its_loss_alone(plain):
    ink, _ = vae_fitting.binarised(synthetic_digits(50, seed=3), 2, seed=2)

    measured = vae_evaluation.plain_loss(vae_evaluation.NumpyVae(plain), ink)

    logits = plain([ink, np.zeros((50, 2), np.float32)], training=False)["logits"]
    expected = vae_model.reconstruction_loss(ink, logits).numpy()
    assert measured["test_distortion"] == pytest.approx(expected.mean(), rel=1e-5)


def test_a_sweep_is_a_row_for_each_beta_in_table_and_image(tmp_path, monkeypatch):
    small = vae_model.VaeConfig(**{**SMALL, "epochs": 1, "latent_dim": 2})
    monkeypatch.setattr(beta_sweep, "BETAS", (0.0, 4.0))
    monkeypatch.setattr(beta_sweep, "SMALL", small)
    monkeypatch.setattr(vae_evaluation, "PAIRS", 20)
    card, sheet = tmp_path / "card.json", tmp_path / "sheet.png"
    card.write_text('{"job": "vae"}')

    beta_sweep.save(*beta_sweep.sweep(splits(), tmp_path / "work"), card, sheet)

    assert json.loads(card.read_text())["job"] == "vae"
    plain, strict = json.loads(card.read_text())["beta_sweep"]
    assert (plain["beta"], strict["beta"]) == (0.0, 4.0)
    assert "rate" in strict
    assert "rate" not in plain
    with Image.open(sheet) as shown:
        assert shown.size == (2 * (20 * 28 + 14), 2 * 3 * 28)
