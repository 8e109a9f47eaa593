"""An encoder and a decoder of 28×28 grey images → task autoencode_image."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training.data.mnist import synthetic_digits
from training.export.layer_table import layer_table
from training.export.saved_model import Artefact
from training.job import Signature
from training.keras_import.artefact import card, write
from training.keras_import.determinism import finite_rows, run_twice
from training.keras_import.input_range import preprocessing
from training.keras_import.network import load_model
from training.keras_import.options import ImportOptions, say

TASK = "autoencode_image"
INPUT = {"height": 28, "width": 28, "channels": 1}
PIXELS = 28 * 28
LARGEST_Z = 1e3
POINT_LOG_VAR = -40.0  # of a plain autoencoder: noise times exp(-20) is lost in float32


class _Parts(NamedTuple):
    encoder: Any
    decoder: Any
    latents: int
    encode: Callable[[Any], tuple[Any, Any]]  # uint8 images [B, 28, 28, 1] → z_mean, z_log_var
    decode: Callable[[Any], Any]  # z → shares of ink [B, 28, 28, 1]


def import_autoencoder(options: ImportOptions, models: Path) -> Path:
    """Write the next version of an autoencoder; ValueError if it cannot be served."""
    parts = _open(options)
    images = synthetic_digits(10, seed=7).images
    noise = np.random.default_rng(7).standard_normal((10, parts.latents)).astype(np.float32)
    found = run_twice(options.path, lambda: _run(parts, images))
    finite_rows(options.path, found["z_mean"], "images")
    finite_rows(options.decoder, found["images"], "latent vectors")
    say(f"{options.path} and {options.decoder}: 28×28 images ↔ {parts.latents} latent dimensions")
    artefact = Artefact(
        task=TASK,
        input=INPUT,
        signatures=_signatures(parts, noise),
        golden_inputs={"images": images},
        tracked=[*parts.encoder.variables, *parts.decoder.variables],
        card={
            **card(options, TASK, "", {"input_range": options.input_range or "0..1"}),
            "parameters": parts.encoder.count_params() + parts.decoder.count_params(),
            "layers": layer_table(parts.encoder) + layer_table(parts.decoder),
        },
    )
    return write(artefact, options, models)


def _open(options: ImportOptions) -> _Parts:
    if options.decoder is None:
        raise ValueError(
            "an autoencoder must be two files, got one: import encoder.keras decoder.keras --task autoencoder"
        )
    encoder, decoder = load_model(options.path), load_model(options.decoder)
    taken = _sizes(options.path, encoder, "input")
    latent = _sizes(options.decoder, decoder, "input")
    given = _sizes(options.decoder, decoder, "output")
    means = tuple(encoder.outputs[0].shape[1:])
    if math.prod(taken) != PIXELS or math.prod(given) != PIXELS:
        raise ValueError(
            f"an autoencoder must take and give 28×28 grey images, got {list(taken)} and {list(given)}"
        )
    if len(latent) != 1 or latent != means:
        raise ValueError(
            f"the decoder must take what the encoder gives, got {list(latent)} and {list(means)}"
        )
    preprocess = preprocessing(options.input_range or "0..1", 1)
    scale = _scale(options, decoder)

    def encode(images: Any) -> tuple[Any, Any]:
        pixels = tf.reshape(preprocess(tf.cast(images, tf.float32)), [-1, *taken])
        outputs = [
            tf.cast(one, tf.float32) for one in keras.tree.flatten(encoder(pixels, training=False))
        ]
        return outputs[0], outputs[1] if len(outputs) > 1 else tf.fill(
            tf.shape(outputs[0]), POINT_LOG_VAR
        )

    def decode(z: Any) -> Any:
        output = tf.cast(
            decoder(tf.clip_by_value(z, -LARGEST_Z, LARGEST_Z), training=False), tf.float32
        )
        return tf.clip_by_value(scale(tf.reshape(output, [-1, 28, 28, 1])), 0.0, 1.0)

    return _Parts(encoder, decoder, int(latent[0]), encode, decode)


def _sizes(path: Path, model: Any, which: str) -> tuple[int, ...]:
    tensors = model.inputs if which == "input" else model.outputs
    sizes = tuple(tensors[0].shape[1:])
    if (which == "input" and len(tensors) != 1) or None in sizes:
        shapes = ", ".join(str(list(tensor.shape)) for tensor in tensors)
        raise ValueError(f"{path} must have one {which} of a fixed size, got {shapes}")
    return sizes


def _scale(options: ImportOptions, decoder: Any) -> Callable[[Any], Any]:
    """The conversion of the decoder's output to shares of ink; it has the scale of the encoder's input."""
    activation = getattr(getattr(decoder.layers[-1], "activation", None), "__name__", None)
    match options.input_range or "0..1":
        case "0..255":
            return lambda output: output if activation == "sigmoid" else output / 255.0
        case "-1..1":
            return lambda output: output if activation == "sigmoid" else (output + 1.0) / 2.0
        case _:
            return lambda output: output


def _run(parts: _Parts, images: np.ndarray) -> dict[str, np.ndarray]:
    z_mean, z_log_var = parts.encode(tf.constant(images))
    decoded = parts.decode(z_mean)
    return {"z_mean": z_mean.numpy(), "z_log_var": z_log_var.numpy(), "images": decoded.numpy()}


def _signatures(parts: _Parts, noise: np.ndarray) -> dict[str, Signature]:
    """`encode`, `decode` and `reconstruct`, as every autoencoder has them; losses in nats."""

    def encode(images: Any) -> dict[str, Any]:
        z_mean, z_log_var = parts.encode(images)
        return {"z_mean": z_mean, "z_log_var": z_log_var}

    def decode(z: Any) -> dict[str, Any]:
        return {"images": _to_greys(parts.decode(z))}

    def reconstruct(images: Any, noise: Any) -> dict[str, Any]:
        z_mean, z_log_var = parts.encode(images)
        shares = parts.decode(z_mean + tf.exp(z_log_var / 2) * noise)
        ink = tf.cast(images, tf.float32) / 255.0
        sure = tf.clip_by_value(shares, 1e-6, 1 - 1e-6)
        nats = -(ink * tf.math.log(sure) + (1 - ink) * tf.math.log(1 - sure))
        kl = 0.5 * (tf.exp(z_log_var) + z_mean**2 - 1 - z_log_var)
        return {
            "images": _to_greys(shares),
            "reconstruction_loss": tf.reduce_sum(nats, axis=[1, 2, 3]),
            "kl": tf.reduce_sum(kl, axis=1),
        }

    images = {"images": tf.TensorSpec([None, 28, 28, 1], tf.uint8)}
    latent = tf.TensorSpec([None, parts.latents], tf.float32)
    greys, nats = {"images": 1.0}, {"reconstruction_loss": 0.1, "kl": 0.1}
    return {
        "encode": Signature(encode, images, {"z_mean": 1e-3, "z_log_var": 1e-3}),
        "decode": Signature(decode, {"z": latent}, greys, {"z": noise}),
        "reconstruct": Signature(
            reconstruct, {**images, "noise": latent}, greys | nats, {"noise": noise}
        ),
    }


def _to_greys(shares: Any) -> Any:
    return tf.cast(tf.round(shares * 255.0), tf.uint8)
