"""The effect of β on an autoencoder: a small one is trained for each of six values, all else equal.

The network of `vae` at half its width, 20,000 training images, 8 epochs, one seed. Measured on the
validation split; the test split is not used. If β is too small, reconstructions are good but
samples from the prior are less often digits. If β is too large, the latent dimensions carry less and less
information, until digits are reconstructed as others (Higgins et al., 2017).
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from training.data import mnist
from training.export import release
from training.job import Split, Splits
from training.jobs import load_reference_classifier
from training.vae import evaluation as vae_evaluation
from training.vae import fitting as vae_fitting
from training.vae import model as vae_model
from training.vae.model import VaeConfig
from training.vae.numpy_vae import NumpyVae

BETAS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
SMALL = VaeConfig(epochs=8, latent_dim=20, maps=32, units=128)
TRAINING_IMAGES = 20_000
SHOWN, GAP, ZOOM = 10, 14, 2  # images given back and drawn, pixels between, size of a pixel


def run(data: Path | None, workdir: Path, card: Path | None, sheet: Path | None) -> None:
    """Train on the digits in `data` (None: those of the package); write the table and the image."""
    table, image = sweep(mnist.load_digits(SMALL, data), workdir)
    save(table, image, card, sheet)


def sweep(splits: Splits, workdir: Path) -> tuple[list[dict[str, Any]], Image.Image]:
    """One row of numbers for each of `BETAS`, and a sheet: the inputs, then the results of each network.

    Left in the sheet are the reconstructions, right the samples from the prior.
    """
    train = Split(*(part[:TRAINING_IMAGES] for part in splits.train))
    splits = splits._replace(train=train, test=splits.validation)
    originals = splits.validation.images[:SHOWN]
    table, strips = [], [_strip(originals, np.zeros_like(originals))]
    for beta in BETAS:
        vae = _train(splits, dataclasses.replace(SMALL, beta=beta), workdir / f"beta-{beta:g}")
        table.append({"beta": beta, **_measure(vae, splits, plain=not beta)})
        print(json.dumps(table[-1]), flush=True)
        samples = np.random.default_rng(8).standard_normal((SHOWN, SMALL.latent_dim), np.float32)
        returned = vae.decode(vae.encode(originals / 255)[0])
        strips.append(_strip(returned, vae.decode(samples)))
    sheet = Image.fromarray(np.concatenate(strips))
    return table, sheet.resize((sheet.width * ZOOM, sheet.height * ZOOM), Image.Resampling.NEAREST)


def save(
    table: list[dict[str, Any]], sheet: Image.Image, card: Path | None, path: Path | None
) -> None:
    """Put the table into a release's card, and the sheet where it is wanted."""
    if card is not None:
        release.annotate(card, {"beta_sweep": table})
    if path is not None:
        sheet.save(path, optimize=True)


def _train(splits: Splits, config: VaeConfig, workdir: Path) -> NumpyVae:
    keras.utils.set_random_seed(config.seed)
    workdir.mkdir(parents=True, exist_ok=True)
    model = vae_model.build_model(config)
    vae_fitting.train(model, splits, config, workdir)
    return NumpyVae(model)


def _measure(vae: NumpyVae, splits: Splits, *, plain: bool) -> dict[str, Any]:
    """Numbers on the validation split; a plain autoencoder's z is a point, whose rate has no bound."""
    classifier = load_reference_classifier()
    ink, _ = vae_fitting.binarised(splits.validation, vae.latent_dim, seed=1)
    each, distortion, active = vae_evaluation.bound_terms(vae, ink)
    kept = vae_evaluation.bottleneck(vae, splits, classifier)
    sure = vae_evaluation.walking(vae, splits, classifier)
    return {
        **({} if plain else {"rate": round(float(each.sum(axis=1).mean()), 2)}),
        "distortion": round(float(distortion.mean()), 2),
        "active_units": active,
        "digits_kept_by_reconstruction": kept["digits_kept_by_reconstruction"]["value"],
        "sure_digits_between_two_digits": sure["sure_digits_between_two_digits"]["value"],
        "sure_digits_drawn_from_the_prior": sure["sure_digits_drawn_from_the_prior"]["value"],
    }


def _strip(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Images uint8 [B, 28, 28, 1] side by side, two lots with a gap, uint8 [28, W]."""
    lots = [np.concatenate(list(lot[..., 0]), axis=1) for lot in (left, right)]
    gap = np.full((len(lots[0]), GAP), 255, np.uint8)
    return np.concatenate([lots[0], gap, lots[1]], axis=1)
