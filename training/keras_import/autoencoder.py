"""An encoder and a decoder of 28×28 grey images → task autoencode_image."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.data.mnist import golden_digits
from training.export.layer_table import layer_table
from training.export.saved_model import Artefact
from training.keras_import.artefact import card, write
from training.keras_import.determinism import finite_rows, run_twice
from training.keras_import.input_range import preprocessing
from training.keras_import.network import load_model
from training.keras_import.options import ImportOptions, say
from training.vae.model import POINT_LOG_VAR
from training.vae.signatures import INPUT, TASK, Coder, make_signatures

PIXELS = 28 * 28


def import_autoencoder(options: ImportOptions, models: Path) -> Path:
    """Write the next version of an autoencoder; ValueError if it cannot be served."""
    if options.decoder is None:
        raise ValueError(
            "an autoencoder must be two files, got one: import encoder.keras decoder.keras --task autoencoder"
        )
    encoder, decoder = load_model(options.path), load_model(options.decoder)
    coder = _make_coder(options, encoder, decoder)
    golden = golden_digits()

    def run() -> dict[str, np.ndarray]:
        z_mean, z_log_var = coder.encode(tf.constant(golden["images"]))
        outputs = {"z_mean": z_mean, "z_log_var": z_log_var, "images": coder.decode(z_mean)}
        return {name: output.numpy() for name, output in outputs.items()}

    found = run_twice(options.path, run)
    finite_rows(options.path, found["z_mean"], "images")
    finite_rows(options.decoder, found["images"], "latent vectors")
    say(f"{options.path} and {options.decoder}: 28×28 images ↔ {coder.latents} latent dimensions")
    artefact = Artefact(
        task=TASK,
        input=INPUT,
        signatures=make_signatures(coder, nats_tolerance=0.1),
        tracked=[*encoder.variables, *decoder.variables],
        card={
            **card(options, TASK, "", {"input_range": options.input_range or "0..1"}),
            "parameters": encoder.count_params() + decoder.count_params(),
            "layers": layer_table(encoder) + layer_table(decoder),
        },
    )
    return write(artefact, options, models)


def _make_coder(options: ImportOptions, encoder: Any, decoder: Any) -> Coder:
    """The two models as functions of images and of z; ValueError if they do not fit together."""
    assert options.decoder is not None
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
        output = tf.cast(decoder(z, training=False), tf.float32)
        return tf.clip_by_value(scale(tf.reshape(output, [-1, 28, 28, 1])), 0.0, 1.0)

    return Coder(int(latent[0]), encode, decode, tf.identity, _loss)


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


def _loss(ink: Any, shares: Any) -> Any:
    """The pixels' cross-entropy [B], in nats."""
    sure = tf.clip_by_value(shares, 1e-6, 1 - 1e-6)
    nats = -(ink * tf.math.log(sure) + (1 - ink) * tf.math.log(1 - sure))
    return tf.reduce_sum(nats, axis=[1, 2, 3])
