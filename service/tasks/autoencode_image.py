"""Autoencoders: request → latent vectors or images, outputs → answer."""

from functools import partial
from typing import Any

import numpy as np

from service.codecs import latents
from service.codecs.image import OpenedImage
from service.codecs.latents import Latents
from service.engine import Arrays
from service.preprocessing.digit import fit_digit
from service.runtime.manifest import Manifest
from service.schemas.vae import VaeDecodeRequest, VaeInterpolateRequest
from service.tasks import latent_points, prepared_images
from service.tasks.prepared_images import check_finite

TASK = "autoencode_image"

decode_images = partial(prepared_images.decode, preprocess=fit_digit)


def latent_size(manifest: Manifest) -> int:
    """The latent dimensions of the model."""
    return int(manifest.signatures["decode"].input_specs["z"].shape[1] or 0)


def sample(random_seed: int, n: int, size: int, scale: float = 1.0) -> Latents:
    """Sample latent vectors [n, size] from a normal distribution with this standard deviation."""
    return np.float32(scale) * latents.draw(random_seed, n, size)


def read_decode(body: VaeDecodeRequest, size: int) -> Latents:
    """A body of `/v1/vae/decode`: latent vectors [N, size]."""
    return np.array([latent_points.vector("latents", z, size) for z in body.latents])


def read_ends(
    body: VaeInterpolateRequest, size: int, max_pixels: int
) -> list[OpenedImage | Latents]:
    """The ends of a path, each an image (opened, not decoded) or a latent vector [size]."""
    ends = [_end("from", body.start, size), _end("to", body.end, size)]
    latent_points.check_images(ends, max_pixels)
    return ends


def _end(name: str, value: Any, size: int) -> OpenedImage | Latents:
    if isinstance(value, dict) and value.keys() == {"random_seed"}:
        seed = latent_points.whole_number(f"{name}.random_seed", value["random_seed"])
        drawn: Latents = latents.draw(seed, 1, size)[0]
        return drawn
    return latent_points.read_point(name, value, size, 'or {"random_seed": 3}')


def noise(random_seed: int | None, count: int, size: int) -> Latents:
    """Standard normal noise for the mean, float32 [count, size]; zeros without a seed."""
    if random_seed is None:
        return np.zeros((count, size), np.float32)
    return latents.draw(random_seed, count, size)


def encodings(outputs: Arrays) -> list[dict[str, Any]]:
    """One encoding per image; kl: divergence from the standard normal distribution, in nats."""
    mean, log_var = outputs["z_mean"], outputs["z_log_var"]
    kl = check_finite(0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1))
    return [
        {"z_mean": z_mean, "z_log_var": z_log_var, "kl": nats}
        for z_mean, z_log_var, nats in zip(mean, log_var, kl.tolist(), strict=True)
    ]


def reconstructions(encoded: Arrays, returned: Arrays, drawn: Latents) -> list[dict[str, Any]]:
    """One reconstruction per image, without the image itself; losses in nats.

    encoded, returned: outputs of `encode` and of `reconstruct`; InvalidImage names an image whose are not
    finite.
    """
    z = check_finite(encoded["z_mean"] + np.exp(encoded["z_log_var"] / 2) * drawn)
    check_finite(returned["reconstruction_loss"] + returned["kl"])
    losses, kl = returned["reconstruction_loss"].tolist(), returned["kl"].tolist()
    return [
        {
            "z": place,
            "noise": added,
            "reconstruction_loss": loss,
            "kl": nats,
            "anomaly_score": loss + nats,
        }
        for place, added, loss, nats in zip(z, drawn, losses, kl, strict=True)
    ]
