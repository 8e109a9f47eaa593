"""The GAN's networks, a tiny training of all of it, and what is exported."""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from training import run
from training.data.mnist import synthetic_digits
from training.gan import directions as gan_directions
from training.gan import evaluation as gan_evaluation
from training.gan import fitting as gan_fitting
from training.gan import images as gan_images
from training.gan import latent_space as gan_latent_space
from training.gan import layers as gan_layers
from training.gan import model as gan_model
from training.gan import signatures as gan_signatures
from training.gan import train_on_generated as gan_train_on_generated
from training.job import Splits
from training.jobs import gan

pytestmark = pytest.mark.tensorflow
SMALL = {"z": 8, "half": 8, "maps": 16, "judge_maps": 4, "batch_size": 16, "epochs": 2}
SMALL |= {"epoch_images": 320, "encoder_images": 320, "lazy": 4}
SIZES = {
    gan_evaluation: {"GENERATED": 50, "TRAINED_ON": 50, "PROJECTED": 6, "STEPS": 3},
    gan_latent_space: {"MEAN_OF": 10, "MOVED": 20},
    gan_directions: {"STEPS": 3, "BATCH": 20, "SCALED_ON": 100},
    gan_train_on_generated: {"EPOCHS": 1},
}


def splits():
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((400, 60, 100))]
    return Splits(*parts, "synthetic")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return gan.build_model(gan.Config(**SMALL))


def calibration(model):
    width = 2 * model.half
    random = np.random.default_rng(1)
    return {
        "class_means": random.standard_normal((10, width)).astype(np.float32),
        "w_mean": [0.0] * width,
        "w_std": 0.5,
        "map_power": [1.0, 1.0],
        "directions": {},
    }


@pytest.fixture(scope="module")
def served(model):
    return {
        name: signature.function
        for name, signature in gan_signatures.signatures(model, calibration(model)).items()
    }


def projection(served, *, step, steps, state=None, loss=0, total=6):
    images = synthetic_digits(4, seed=3).images
    w, nothing = np.full((4, 16), 0.5, np.float32), np.zeros((4, 16), np.float32)
    state = (w, nothing, nothing) if state is None else state
    counts = [np.broadcast_to(np.int32(n), 4) for n in (step, steps, total, loss)]
    return served["project"](tf.constant(images), *map(tf.constant, (*state, *counts)))


def mapped(model, z, digit=0):
    return gan_model.parts(model)["mapping"]([z, np.full(len(z), digit, np.int32)]).numpy()


def test_only_the_direction_of_zs_content_says_something(model):
    z = np.random.default_rng(1).standard_normal((3, 8)).astype(np.float32)
    thrice = z.copy()
    thrice[:, :4] *= 3

    np.testing.assert_allclose(mapped(model, z), mapped(model, thrice), atol=1e-5)


def test_each_half_of_w_is_made_of_another_part_of_z_and_the_digit_is_in_the_coarse_one(model):
    z = np.random.default_rng(1).standard_normal((3, 8)).astype(np.float32)
    content, style = z.copy(), z.copy()
    content[:, :4] += 1
    style[:, 4:] += 1
    plain = mapped(model, z)

    for other, changed in (
        (mapped(model, content), slice(0, 8)),
        (mapped(model, z, digit=7), slice(0, 8)),
        (mapped(model, style), slice(8, 16)),
    ):
        same = np.ones(16, bool)
        same[changed] = False
        assert np.abs(other - plain)[:, changed].max() > 1e-3
        np.testing.assert_array_equal(other[:, same], plain[:, same])


def test_each_half_of_w_moves_the_image(model):
    synthesis = gan_model.parts(model)["synthesis"]
    w = np.ones((3, 16), np.float32)
    w[1, :8], w[2, 8:] = 2, -2

    plain, coarse, fine = synthesis(w).numpy()

    assert plain.shape == (28, 28, 1)
    assert np.abs(coarse - plain).max() > 1e-3
    assert np.abs(fine - plain).max() > 1e-3


def test_a_styles_size_leaves_the_size_of_the_maps():
    layer = gan_layers.StyledConvolution(6)
    maps = np.random.default_rng(1).standard_normal((1, 5, 5, 4)).astype(np.float32)
    layer.build([(None, 5, 5, 4), (None, 2)])
    layer.style_kernel.assign(np.zeros((2, 4)))

    made = []
    for size in (1.0, 10.0):
        layer.style_bias.assign(np.full(4, size))
        made.append(layer([maps, np.zeros((1, 2), np.float32)]).numpy())

    np.testing.assert_allclose(*made, rtol=1e-4)


def test_the_discriminator_sees_the_variety_within_a_group_only_while_it_learns():
    layer, size = gan_layers.GroupSpread(), gan_layers.GROUP
    same = np.ones((size, 3), np.float32)
    other = np.random.default_rng(1).standard_normal((size, 3)).astype(np.float32)
    features = tf.constant(np.concatenate([same, other]))

    spread = layer(features, training=True).numpy()

    assert spread[:size] == pytest.approx(1e-4, rel=1e-3)
    np.testing.assert_allclose(spread[size:], np.tile(other.std(axis=0), (size, 1)), rtol=1e-4)
    layer.remember(features)
    alone = layer(features[:1], training=False).numpy()
    np.testing.assert_allclose(alone[0], 0.01 * spread.mean(axis=0), rtol=1e-4)


def test_the_discriminator_sees_with_the_digit_networks_maps_and_leaves_them_as_they_are(model):
    names = {v.path for v in gan_model.parts(model)["discriminator"].trainable_variables}

    assert any("judge4" in name for name in names)
    assert not any("loss" in name for name in names)


def test_groups_of_a_batch_are_of_one_digit_each():
    of_digit = [np.arange(10 * digit, 10 * digit + 10) for digit in range(10)]

    chosen = gan_fitting.draw_groups(np.random.default_rng(1), of_digit, 64)

    assert (np.ptp(chosen.reshape(-1, gan_layers.GROUP) // 10, axis=1) == 0).all()


def test_without_truncation_w_is_the_mappings_and_with_all_of_it_the_digits_mean(model, served):
    z, digit = np.ones((2, 8), np.float32), np.array([3, 3], np.int32)
    answer = served["sample"](tf.constant(z), tf.constant(digit), tf.constant([1.0, 0.0]))

    np.testing.assert_allclose(answer["w"][0], mapped(model, z, digit=3)[0], atol=1e-5)
    np.testing.assert_allclose(answer["w"][1], calibration(model)["class_means"][3], atol=1e-6)


def test_a_faint_haze_is_shown_as_empty_paper():
    drawn = tf.constant([-1.3, -1.0, -0.9, 0.0, 1.0, 1.4])

    assert gan_images.to_greys(drawn).numpy().tolist() == [0, 0, 0, 119, 255, 255]


def test_what_is_too_dark_still_has_a_gradient():
    drawn = tf.constant([-1.3, 0.0])
    with tf.GradientTape() as tape:
        tape.watch(drawn)
        soft = gan_images.softened(drawn)

    slopes = tape.gradient(soft, drawn).numpy()
    assert slopes[0] == pytest.approx(0.1 * slopes[1])


def test_a_sample_is_what_its_w_makes(served):
    z = np.random.default_rng(2).standard_normal((10, 8)).astype(np.float32)
    answer = served["sample"](tf.constant(z), tf.range(10), tf.ones(10))

    again = served["synthesize"](answer["w"])["images"].numpy()

    assert answer["images"].dtype == tf.uint8
    assert np.array_equal(again, answer["images"])


def test_no_latent_vector_breaks_the_synthesis(served):
    for value in (0.0, -1e3, 1e30, np.inf):
        images = served["synthesize"](tf.constant(np.full((1, 16), value, np.float32)))["images"]
        assert images.shape == (1, 28, 28, 1)


def test_an_image_is_judged_the_same_alone_and_among_others(served):
    images = synthetic_digits(6, seed=3).images

    together = served["discriminate"](tf.constant(images))["probability_real"].numpy()
    alone = [
        served["discriminate"](images[n : n + 1])["probability_real"].numpy()[0] for n in range(6)
    ]

    assert together == pytest.approx(alone, abs=1e-5)
    assert ((together >= 0) & (together <= 1)).all()


@pytest.mark.parametrize("loss", [0, 1])
def test_a_projection_comes_nearer(served, loss):
    before = projection(served, step=0, steps=0, loss=loss)["losses"].numpy()
    after = projection(served, step=0, steps=40, loss=loss, total=40)["losses"].numpy()

    assert (after < before).all()


def test_a_projection_in_slices_ends_where_one_at_once_does(served):
    whole = projection(served, step=0, steps=6)
    first = projection(served, step=0, steps=2)
    state = [first[name].numpy() for name in ("w", "m", "v")]
    second = projection(served, step=2, steps=4, state=state)

    for name in ("w", "m", "v", "losses"):
        np.testing.assert_allclose(second[name], whole[name], atol=1e-4)


def test_rows_with_other_numbers_of_steps_share_a_batch(served):
    mixed = projection(served, step=0, steps=[0, 2, 6, 2], loss=[0, 1, 0, 0])
    sure = {
        (n, loss): projection(served, step=0, steps=n, loss=loss)
        for n, loss in ((2, 0), (2, 1), (6, 0))
    }

    np.testing.assert_array_equal(mixed["w"][0], np.full(16, 0.5))
    for row, key in ((1, (2, 1)), (2, (6, 0)), (3, (2, 0))):
        np.testing.assert_allclose(mixed["w"][row], sure[key]["w"][row], atol=1e-5)


def test_a_projection_of_nothing_by_no_steps_is_finite(served):
    """As the service's warm-up asks for it: zeros everywhere."""
    zeros = [tf.zeros((2, 16))] * 3 + [tf.zeros(2, tf.int32)] * 4

    answer = served["project"](tf.zeros((2, 28, 28, 1), tf.uint8), *zeros)

    assert all(np.isfinite(value.numpy()).all() for value in answer.values())


SMALL_JOB = dataclasses.replace(gan.JOB, load_data=lambda config, data: splits())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan")
    with pytest.MonkeyPatch.context() as patch:
        for module, sizes in SIZES.items():
            for name, size in sizes.items():
                patch.setattr(module, name, size)
        places = {"data": None, "workdir": folder / "work", "models": folder, "name": "mine"}
        return folder, run.train(SMALL_JOB, gan.Config(**SMALL), **places)


def extra(trained, name):
    return json.loads((trained[1] / "assets.extra" / name).read_text())


def test_a_training_is_measured_and_shown(trained):
    card = extra(trained, "card.json")
    metrics, history = card["metrics"], card["history"]

    assert {"d_loss", "g_loss", "accuracy_real", "accuracy_generated", "r1"} <= history.keys()
    assert all(len(history[name]) == 2 for name in gan_fitting.COLUMNS)
    for name in ("generated", "train_floor", "vae", "blurred_test"):
        assert metrics[f"frechet_{name}"] > 0
    assert 0 <= metrics["precision"] <= 1
    assert metrics["class_conditional_accuracy"]["count"] == 50
    assert metrics["precision_at_truncation_0.85"] >= 0 <= metrics["recall_at_truncation_0.85"]
    assert metrics["projection_perceptual_psnr"] > 0
    assert metrics["greys_changed_by_another_coarse_half"] > 0
    assert metrics["greys_changed_by_another_fine_half"] >= 0
    assert list(card["pictures"]) == [
        "samples_by_training_time", "discriminator_accuracy_by_training_time", "samples", "edits", "mixes", "projections",
        "most_like_a_training_picture_and_that_one_below",
    ]  # fmt: skip


def test_a_finished_training_stays_as_it_is(trained):
    config = gan.Config(**SMALL)
    weights = []
    for _ in range(2):
        network = gan.build_model(config)
        history = gan.train(network, splits(), config, trained[0] / "work")
        weights.append(network.get_weights())

    assert len(history["d_loss"]) == 2
    for first, again in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, again)


def test_what_is_exported_is_as_the_contract_says(trained):
    manifest = extra(trained, "manifest.json")

    images, w = "uint8 [B,28,28,1]", "float32 [B,16]"
    assert manifest["task"] == "generate_image"
    assert manifest["signatures"]["sample"] == {
        "inputs": {"z": "float32 [B,8]", "digit": "int32 [B]", "truncation": "float32 [B]"},
        "outputs": {"images": images, "w": w},
    }
    assert manifest["signatures"]["synthesize"] == {
        "inputs": {"w": w},
        "outputs": {"images": images},
    }
    assert list(manifest["signatures"]["project"]["inputs"]) == [
        "images", "w", "m", "v", "step", "steps", "total_steps", "loss",
    ]  # fmt: skip
    assert list(manifest["signatures"]["project"]["outputs"]) == ["w", "m", "v", "images", "losses"]
    assert manifest["latents"] == {"z": 8, "w": 16, "coarse": [0, 8], "fine": [8, 16]}
    assert len(manifest["w_mean"]) == 16
    assert manifest["batch_limits"] == {"project": 16}


def test_every_direction_is_of_length_1_and_says_how_well_it_was_measured(trained):
    directions = extra(trained, "manifest.json")["directions"]

    assert list(directions) == ["thickness", "slant", "width"]
    for name, one in directions.items():
        assert np.linalg.norm(one["vector"]) == pytest.approx(1, abs=1e-4)
        assert one["sigma"] > 0
        assert -1 <= one["rho"] <= 1
        assert one["leakage"].keys() == directions.keys() - {name}
        assert 0 <= one["class_kept"]["value"] <= 1


def test_the_golden_projection_takes_steps(trained):
    with np.load(Path(trained[1]) / "assets.extra" / "golden.npz") as golden:
        assert golden["project/inputs/steps"].tolist() == [3] * 10
        assert set(golden["project/inputs/loss"]) == {0, 1}
        assert not np.array_equal(golden["project/inputs/w"], golden["project/outputs/w"])
