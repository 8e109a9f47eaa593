"""One short training of each family, twice: the same figures, which are also those of another machine.

The figures were measured on two cores with AVX-512, in float32. A recipe that changes them on purpose
states the new ones here.
"""

import keras
import numpy as np
import pytest
from PIL import Image

from tests.contract.pages import ROOT
from training import jobs
from training.data.mnist import synthetic_digits
from training.export import release
from training.job import Splits

pytestmark = [pytest.mark.tensorflow, pytest.mark.nightly]
SPREAD = 0.02  # of a figure, between machines
SHORT_VAE = {"maps": 8, "units": 32, "batch_size": 20, "epochs": 2, "cosine": 1}
SHORT_TEXT = {"units": 24, "window": 32, "batch_size": 16, "epochs": 1, "precision": "float32"}
SHORT = {
    "digits": {"epochs": 2, "batch_size": 20},
    "digits-large": {"epochs": 1, "hard_epochs": 1, "batch_size": 20},
    "digits-course": {"epochs": 2, "batch_size": 20},
    "vae": SHORT_VAE,
    "ae-2d": SHORT_VAE,
    "text": SHORT_TEXT,
    "gan": {
        **{"z": 8, "half": 8, "maps": 16, "judge_maps": 4, "batch_size": 16, "epochs": 1},
        **{"epoch_images": 160, "encoder_images": 160, "lazy": 4},
    },
    "fashion-dense": {"epochs": 1, "batch_size": 8, "side": 32},
    "fashion-svm": {"components": 16, "landmarks": 40, "side": 32},
}
FIGURES = {
    "digits": {"loss": 1.765, "val_loss": 2.274, "weights": 0.05632},
    "digits-large": {"loss": 2.125, "val_loss": 2.297, "weights": 0.05575},
    "digits-course": {"loss": 2.124, "val_loss": 1.949, "weights": 0.03338},
    "vae": {"loss": 248.9, "val_loss": 243.1, "weights": 0.07555},
    "ae-2d": {"loss": 232.8, "val_loss": 210.2, "weights": 0.1040},
    "gan": {"d_loss": 1.320, "g_loss": 0.7012, "encoder_loss": 4.063, "weights": 0.09034},
    "fashion-dense": {"loss": 3.198, "val_loss": 0.5782, "weights": 0.06722},
    "text": {"train_nats": 3.4505, "validation_nats": 3.2018},
    "fashion-svm": {"weights": 0.02479},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of images, bright above and bright below."""
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for name, rows in (("above", slice(0, 32)), ("below", slice(32, 64))):
        (folder / name).mkdir()
        for number in range(24):
            image = random.integers(0, 120, (64, 64, 3))
            image[rows] += 100
            Image.fromarray(image.astype(np.uint8)).save(folder / name / f"{number}.png")
    return folder


def examples(name, config, folder):
    if name.startswith("text"):
        book = folder.parent / "book.txt"
        book.write_text((ROOT / "docs" / "screenplay.txt").read_text()[:8_000])
        return jobs.load(name).load_data(config, str(book))
    if name.startswith("fashion"):
        return jobs.load(name).load_data(config, folder)
    parts = [synthetic_digits(count, seed) for seed, count in enumerate((400, 60, 60))]
    return Splits(*parts, "synthetic")


def figures(name, folder, workdir):
    """The last of each number of the history, and the weights' root mean square."""
    job = jobs.load(name)
    config = job.config(**SHORT[name])
    workdir.mkdir()
    splits = examples(name, config, folder)
    config = splits.complete_config(config).resolve({})
    keras.utils.set_random_seed(config.seed)
    model = job.build_model(config)
    history = job.train(model, splits, config, workdir)
    weights = np.concatenate([np.ravel(one.numpy()) for one in release.learned(model)])
    numbers = {key: values[-1] for key, values in history.items() if is_figure(key, values)}
    return numbers | {"weights": float(np.sqrt((weights**2).mean()))}


def is_figure(key, values):
    return "second" not in key and isinstance(values, list) and isinstance(values[-1], float)


@pytest.mark.parametrize("name", SHORT)
def test_a_short_training_gives_the_same_figures_again_and_elsewhere(name, folder, tmp_path):
    first, again = (figures(name, folder, tmp_path / run) for run in ("first", "again"))

    assert again == pytest.approx(first, rel=1e-3)
    assert {key: first[key] for key in FIGURES[name]} == pytest.approx(FIGURES[name], rel=SPREAD)
