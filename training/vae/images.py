"""The images of an autoencoder's card, as PNG data URIs."""

import numpy as np
from scipy.special import ndtri

from training.evaluation.image_grid import grid
from training.job import Splits
from training.vae import model as vae_model
from training.vae.numpy_vae import NumpyVae

DIGITS = 10
DIMENSIONS, STEPS, REACH = (
    8,
    9,
    3.0,
)  # traversals: number of dimensions with the highest rate, and range in each direction
MANIFOLD = 10  # images per row


def figures(vae: NumpyVae, splits: Splits) -> dict[str, str]:
    """Digits of the validation split with reconstructions; traversals; the manifold, if z has two dimensions.

    traversals: a row for each latent number, those of the greatest rate first, from -3 to 3 while the
    others stay where the first digit lies.
    """
    labels, images = splits.validation.labels, splits.validation.images
    present = [digit for digit in range(DIGITS) if (labels == digit).any()]
    sent = np.stack([images[labels == digit][0] for digit in present])
    z_mean, z_log_var = vae.encode(images / 255)
    rate = np.asarray(vae_model.kl_per_dimension(z_mean, z_log_var)).mean(axis=0)
    most = np.argsort(-rate)[:DIMENSIONS]
    centre = vae.encode(sent / 255)[0]
    walks = np.repeat(centre[:1], len(most) * STEPS, axis=0).reshape(len(most), STEPS, -1)
    for row, dimension in zip(walks, most, strict=True):
        row[:, dimension] = np.linspace(-REACH, REACH, STEPS)
    shown = {
        "reconstructions": grid(np.concatenate([sent, vae.decode(centre)]), len(present)),
        "traversals": grid(vae.decode(walks.reshape(-1, vae.latent_dim)), STEPS),
    }
    if vae.latent_dim == 2:
        ticks = ndtri(np.linspace(0.02, 0.98, MANIFOLD)).astype(np.float32)
        places = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        shown["manifold"] = grid(vae.decode(places), MANIFOLD)
    return shown
