"""What is measured with networks: photo features, fresh ones, and the way back to a latent vector."""

import numpy as np
import pytest

from training import evaluation
from training.data.mnist import synthetic_digits
from training.gan import distances as gan_distances
from training.gan import inversion as gan_inversion
from training.gan import train_on_generated as gan_train_on_generated
from training.pretrained import frozen_features, photo_features

pytestmark = pytest.mark.tensorflow


class Mirror:
    """A generator whose images say their w, so that projections are known in advance."""

    def __init__(self, error=0.0):
        self.error = error

    def sample(self, digits, seed):
        w = np.random.default_rng(seed).integers(0, 200, (len(digits), 4)).astype(np.float32)
        images = np.zeros((len(digits), 28, 28, 1), np.uint8)
        images[:, 0, :4, 0] = w
        return images, w

    def __call__(self, signature, *, images):
        assert signature == "encode"
        return {"w": images[:, 0, :4, 0] + np.float32(20)}

    def project(self, images, w, *, steps, loss, rows):
        found = images[:, 0, :4, 0].astype(np.float32)
        found[:, 2:] += self.error
        return {"w": found, "images": images + np.uint8(self.error > 0)}


def test_a_projection_that_finds_w_is_at_home():
    told = gan_inversion.self_inversion(Mirror(), 50, 10)

    assert told["self_inversion_distance"] == 0
    assert told["self_inversion_within_0.3"]["value"] == 1
    assert told["self_inversion_distance_of_the_encoders_guess"] > 0
    assert told["self_inversion_psnr"] > 100


def test_a_projection_that_misses_half_of_w_says_which():
    told = gan_inversion.self_inversion(Mirror(error=100.0), 50, 10)

    assert told["self_inversion_distance_coarse"] == 0
    assert told["self_inversion_distance_fine"] > told["self_inversion_distance"] > 0.3
    assert told["self_inversion_within_0.3"]["value"] == 0
    assert told["self_inversion_psnr"] == pytest.approx(20 * np.log10(255))


def test_the_distance_of_latent_vectors_is_in_units_of_their_spread():
    wanted = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 3.0], [0.0, -3.0]])

    assert gan_inversion.distance(wanted + np.array([3.0, 0.0]), wanted) == pytest.approx(
        np.ones(4)
    )


def test_the_peak_signal_to_noise_ratio_is_in_decibels():
    black, grey = np.zeros((1, 28, 28, 1), np.uint8), np.full((1, 28, 28, 1), 51, np.uint8)

    assert gan_inversion.psnr(grey, black) == pytest.approx(20 * np.log10(5), rel=1e-6)


def test_digits_teach_what_they_show(monkeypatch, capsys):
    monkeypatch.setattr(gan_train_on_generated, "EPOCHS", 4)
    train, test = synthetic_digits(1_000, seed=1), synthetic_digits(100, seed=2)

    right = gan_train_on_generated.classifier_trained_on(*train, test, "real")
    wrong = gan_train_on_generated.classifier_trained_on(
        train.images, (train.labels + 1) % 10, test, "others"
    )

    assert evaluation.accuracy(right, test.labels)["value"] > 0.8
    assert evaluation.accuracy(wrong, test.labels)["value"] < 0.1
    assert "trained on real: epoch 4 of 4" in capsys.readouterr().err


def test_equal_sets_are_at_the_best_of_every_share():
    features = np.random.default_rng(1).standard_normal((200, 4))
    digits = np.arange(200) % 10

    shares = gan_distances.shares(features, features, "_of_train")
    variety = gan_distances.variety(features, digits, {"generated": features}, digits)

    assert shares == {
        "precision_of_train": 1.0,
        "recall_of_train": 1.0,
        "density_of_train": 1.0,
        "coverage_of_train": 1.0,
    }
    assert variety["diversity_within_a_digit"] == 1
    assert variety["diversity_of_each_digit"] == [1.0] * 10


def test_half_the_spread_is_half_the_diversity():
    features = np.random.default_rng(1).standard_normal((200, 4))
    digits = np.arange(200) % 10

    variety = gan_distances.variety(features, digits, {"generated": features / 2}, digits)

    assert variety["smallest_diversity_within_a_digit"] == pytest.approx(0.5)


@pytest.fixture(scope="module")
def network():
    return photo_features.make_network()


def test_photo_features_of_an_image_are_its_own(network):
    images = synthetic_digits(6, seed=1).images

    together, alone = (frozen_features.predict(network, part) for part in (images, images[2:3]))

    assert together.shape == (6, photo_features.SIZE)
    np.testing.assert_allclose(together[2], alone[0], atol=1e-4)


def test_blurred_images_are_farther_than_none_and_the_note_says_how_to_read_it(
    network, monkeypatch
):
    monkeypatch.setattr(photo_features, "make_network", lambda: network)
    images = synthetic_digits(12, seed=1).images

    told = gan_distances.by_photographs(images, {"same": images, "faint": images // 4})

    assert told["frechet_efficientnet_same"] == pytest.approx(0, abs=1e-3)
    assert told["frechet_efficientnet_faint"] > 1
    assert "1280 numbers from 12 images is noisy" in told["frechet_efficientnet_note"]
