"""Transfer learning from EfficientNet-Lite0: the outputs of its frozen layers, computed once and stored.

Shared by both Fashion-MNIST jobs. Grey images are converted to three equal channels and enlarged
to the configured size.
"""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.data import mnist
from training.evaluation.batches import in_batches
from training.job import Arrays, JobConfig
from training.pretrained.efficientnet_lite import MEAN, STANDARD_DEVIATION, VARIANTS, create

TASK = "classify_image"
INPUT = {"height": 28, "width": 28, "channels": 1, "resize": "bilinear", "crop": 1.0}
MAX_BATCH_SIZE = 8
BATCH = 100  # images per run during extraction


@dataclass(frozen=True)
class TransferConfig(JobConfig):
    """The images' size, from the data set, and the side of the network's input."""

    height: int = 28
    width: int = 28
    channels: int = 1
    classes: int = 10
    side: int = 96  # side to which smaller images are enlarged


def backbone(config: TransferConfig) -> keras.Model:
    """EfficientNet-Lite0 without its top on float32 [B, H, W, C] in 0..255; all layers frozen.

    The layer `stageN` gives the output of a stage, `head_relu` [B, h, w, 1280] the last feature maps.
    """
    layers = keras.layers
    x = keras.Input((config.height, config.width, config.channels), name="images")
    if max(config.height, config.width) < config.side:
        x = layers.Resizing(config.side, config.side, interpolation="bilinear", name="resize")(x)
    if config.channels == 1:
        x = layers.Concatenate(name="three_channels")([x, x, x])
    x = layers.Rescaling(1 / STANDARD_DEVIATION, -MEAN / STANDARD_DEVIATION, name="scale")(x)
    model = create(VARIANTS[0], include_top=False, input_tensor=x)
    model.trainable = False
    return model


def extract(network: keras.Model, images: np.ndarray, cache: Path) -> np.ndarray:
    """Run a frozen network over uint8 [B, H, W, C] once: float16 [B, …], stored in the file `cache`.

    The file's name holds a digest of images and network, so that others are never mistaken for these;
    a stopped extraction begins again. Progress goes to stderr.
    """
    digest = hashlib.sha256(images.tobytes())
    digest.update(repr((network.output_shape, [w.shape for w in network.weights])).encode())
    path = cache.with_name(f"{cache.name}-{digest.hexdigest()[:16]}.npy")
    if path.is_file():
        return np.load(path, mmap_mode="r")
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".part")
    shape = (len(images), *network.output_shape[1:])
    kept = np.lib.format.open_memmap(scratch, "w+", np.float16, shape)
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH].astype(np.float32)
        kept[start : start + BATCH] = np.asarray(network.predict_on_batch(batch))
        if start % (50 * BATCH) == 0:
            print(f"{cache.name}: {start:,} of {len(images):,}", file=sys.stderr, flush=True)
    kept.flush()
    scratch.rename(path)
    return np.load(path, mmap_mode="r")


def predict(network: keras.Model, inputs: np.ndarray, progress: str = "") -> Any:
    """Run a network over [B, …] of any dtype in batches; its outputs float32 [B, …], as `in_batches` gives them."""
    return in_batches(
        lambda part: network.predict_on_batch(part.astype(np.float32)),
        inputs,
        rows=BATCH,
        progress=progress,
    )


def manifest_fields(model: keras.Model, calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest fields for the images and classes of the training."""
    height, width, channels = model.input_shape[1:]
    return {
        "input": {**INPUT, "height": height, "width": width, "channels": channels},
        "labels": [(name, name) for name in calibration["labels"]],
        "max_batch_size": MAX_BATCH_SIZE,
        "scores": calibration["scores"],
    }


def golden_images(model: keras.Model) -> Arrays:
    """Five digits of Pillow's typeface, and for larger images waves of colour: no data set needed."""
    height, width, channels = model.input_shape[1:]
    if (height, width, channels) == (28, 28, 1):
        return {"images": mnist.synthetic_digits(5, seed=7).images}
    row, column = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
    phases = 0.05 * (row + 1) * (np.arange(channels) + 1) + 0.07 * column
    waves = [127 + 100 * np.sin(phases + shift) for shift in range(5)]
    return {"images": np.stack(waves).astype(np.uint8)}
