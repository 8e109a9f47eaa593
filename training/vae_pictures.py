"""What an autoencoder's card shows: small pictures, each a PNG as a data URI."""

import base64
import io

import numpy as np
from PIL import Image
from scipy.special import ndtri

from training import vae_model
from training.job import Splits
from training.vae_tools import Tools

DIGITS = 10
DIMENSIONS, STEPS, REACH = (
    8,
    9,
    3.0,
)  # of traversals: so many of those that say most, so far each way
MANIFOLD = 10  # pictures across


def pictures(tools: Tools, splits: Splits) -> dict[str, str]:
    """Digits of the validation split and how they come back; traversals; the manifold, if z has two.

    traversals: a row for each latent number, those of the greatest rate first, from -3 to 3 while the
    others stay where the first digit lies.
    """
    labels, images = splits.validation.labels, splits.validation.images
    present = [digit for digit in range(DIGITS) if (labels == digit).any()]
    sent = np.stack([images[labels == digit][0] for digit in present])
    z_mean, z_log_var = tools.encode(images / 255)
    rate = np.asarray(vae_model.kl_per_dimension(z_mean, z_log_var)).mean(axis=0)
    most = np.argsort(-rate)[:DIMENSIONS]
    centre = tools.encode(sent / 255)[0]
    walks = np.repeat(centre[:1], len(most) * STEPS, axis=0).reshape(len(most), STEPS, -1)
    for row, dimension in zip(walks, most, strict=True):
        row[:, dimension] = np.linspace(-REACH, REACH, STEPS)
    shown = {
        "reconstructions": _grid(np.concatenate([sent, tools.decode(centre)]), len(present)),
        "traversals": _grid(tools.decode(walks.reshape(-1, tools.latent_dim)), STEPS),
    }
    if tools.latent_dim == 2:
        ticks = ndtri(np.linspace(0.02, 0.98, MANIFOLD)).astype(np.float32)
        places = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        shown["manifold"] = _grid(tools.decode(places), MANIFOLD)
    return shown


def _grid(images: np.ndarray, columns: int) -> str:
    """Pictures [rows · columns, 28, 28, 1] → one, as a data URI."""
    rows = images[..., 0].reshape(-1, columns, *images.shape[1:3])
    whole = rows.transpose(0, 2, 1, 3).reshape(rows.shape[0] * rows.shape[2], -1)
    file = io.BytesIO()
    Image.fromarray(whole).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
